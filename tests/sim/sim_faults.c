#include "tests/sim/sim_faults.h"

#include <inttypes.h>

#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

enum {
	TRACE_FAULT = 40,
	PEERS = SIM_ENDPOINTS_MAX,
	QUIET_PERCENT = 4,                           /* seeds without any fault */
	SINGLE_PERCENT = 30,                         /* seeds with one or two kinds */
	WALL_SKEW_MAX = INT64_C(3600) * 1000 * 1000, /* an hour */
	SILENT_PERCENT = 30,
	RESTART_US = 200 * SIM_MS,
};

static const char *const names[] = {
	[SIM_FAULT_LOSS] = "loss",
	[SIM_FAULT_DELAY] = "delay",
	[SIM_FAULT_CUT] = "cut",
	[SIM_FAULT_ZONE] = "zone",
	[SIM_FAULT_ISOLATE] = "isolate",
	[SIM_FAULT_LEADER] = "isolate leader",
	[SIM_FAULT_CRASH] = "crash",
	[SIM_FAULT_STOP] = "stop",
	[SIM_FAULT_FRONT] = "coordinator",
	[SIM_FAULT_CRASH_ALL] = "crash all",
	[SIM_FAULT_AWAY] = "away",
	[SIM_FAULT_PAUSE] = "pause",
	[SIM_FAULT_SLOW_DISK] = "slow disk",
	[SIM_FAULT_DISK] = "disk failure",
	[SIM_FAULT_FULL] = "full disk",
	[SIM_FAULT_CLOCK] = "clock",
	[SIM_FAULT_RESET] = "reset",
	[SIM_FAULT_TRANSFER] = "transfer",
	[SIM_FAULT_MOVE] = "move",
	[SIM_FAULT_INSTALL] = "crash in a snapshot",
	[SIM_FAULT_USURP] = "usurp",
	[SIM_FAULT_TRUNCATE] = "truncate",
};

static struct rng *rng_of(const struct sim_fault *fault)
{
	return &fault->faults->cluster->world.fault_rng;
}

static struct sim_node *node_of(const struct sim_fault *fault)
{
	return sim_cluster_node(fault->faults->cluster, fault->node_id);
}

static uint64_t any_coordinator(const struct sim_fault *fault)
{
	return SIM_COORDINATOR_ID_FIRST + rng_below(rng_of(fault), SIM_COORDINATORS);
}

/* --- cuts --- */

static void cut(struct sim_fault *fault, uint64_t from, uint64_t to)
{
	if (from == to || (fault->cuts[from] >> to & 1) != 0)
		return;
	fault->cuts[from] |= (uint16_t)(1u << to);
	sim_net_cut(&fault->faults->cluster->net, from, to);
}

static void heal_cuts(struct sim_fault *fault)
{
	for (uint64_t from = 0; from < PEERS; from++) {
		for (uint64_t to = 0; to < PEERS; to++) {
			if ((fault->cuts[from] >> to & 1) != 0)
				sim_net_heal(&fault->faults->cluster->net, from, to);
		}
		fault->cuts[from] = 0;
	}
}

/* In one direction or both. */
static void cut_pair(struct sim_fault *fault, uint64_t a, uint64_t b, uint64_t direction)
{
	if (direction != 0)
		cut(fault, a, b);
	if (direction != 1)
		cut(fault, b, a);
}

/* From the other nodes, and from the coordinators too or not. */
static void isolate(struct sim_fault *fault, uint64_t clients_percent)
{
	bool with_clients = sim_percent(rng_of(fault), clients_percent);
	uint64_t direction = rng_below(rng_of(fault), 4);

	for (uint64_t peer_id = 0; peer_id < PEERS; peer_id++) {
		if (peer_id <= SIM_NODES_MAX || with_clients)
			cut_pair(fault, fault->node_id, peer_id, direction);
	}
}

/* Endpoints that do not exist are in zone 0. */
static char zone_of(struct sim_cluster *cluster, uint64_t endpoint_id)
{
	if (endpoint_id >= 1 && endpoint_id <= cluster->node_count)
		return sim_cluster_node(cluster, endpoint_id)->zone[0];
	if (endpoint_id >= SIM_COORDINATOR_ID_FIRST &&
	    endpoint_id < SIM_COORDINATOR_ID_FIRST + SIM_COORDINATORS)
		return sim_cluster_coordinator(cluster, endpoint_id)->zone[0];
	return 0;
}

/* --- beginnings: how long it lasts, 0 for a momentary one --- */

static uint64_t begin_loss(struct sim_fault *fault)
{
	struct sim_net *net = &fault->faults->cluster->net;

	net->loss_permille = (uint32_t)sim_range(rng_of(fault), 0, 100);
	net->duplicate_permille = (uint32_t)sim_range(rng_of(fault), 0, 50);
	net->overtake_permille = (uint32_t)sim_range(rng_of(fault), 0, 50);
	return sim_range(rng_of(fault), 500 * SIM_MS, 6 * SIM_SECOND);
}

static uint64_t begin_delay(struct sim_fault *fault)
{
	fault->peer_id = rng_below(rng_of(fault), PEERS);
	fault->faults->cluster->net.links[fault->node_id][fault->peer_id].extra_us_max = sim_range(
		rng_of(fault), SIM_MS, 400 * SIM_MS);
	return sim_range(rng_of(fault), 300 * SIM_MS, 4 * SIM_SECOND);
}

static uint64_t begin_cut(struct sim_fault *fault)
{
	uint64_t direction = rng_below(rng_of(fault), 3);

	fault->peer_id = sim_range(rng_of(fault), 1, fault->faults->cluster->node_count);
	if (fault->peer_id == fault->node_id)
		fault->peer_id = any_coordinator(fault);
	cut_pair(fault, fault->node_id, fault->peer_id, direction);
	return sim_range(rng_of(fault), 100 * SIM_MS, 5 * SIM_SECOND);
}

static uint64_t begin_zone(struct sim_fault *fault)
{
	struct sim_cluster *cluster = fault->faults->cluster;
	char zone = zone_of(cluster, fault->node_id);
	uint64_t direction = rng_below(rng_of(fault), 4);

	for (uint64_t inside = 0; inside < PEERS; inside++) {
		for (uint64_t outside = 0; zone_of(cluster, inside) == zone && outside < PEERS; outside++) {
			if (zone_of(cluster, outside) != zone)
				cut_pair(fault, inside, outside, direction);
		}
	}
	return sim_range(rng_of(fault), 100 * SIM_MS, 5 * SIM_SECOND);
}

static uint64_t begin_isolate(struct sim_fault *fault)
{
	isolate(fault, 50);
	return sim_range(rng_of(fault), 100 * SIM_MS, 4 * SIM_SECOND);
}

static uint64_t begin_leader(struct sim_fault *fault)
{
	struct sim_node *node = NULL;

	if (sim_cluster_leader(fault->faults->cluster, sim_cluster_any_group(fault->faults->cluster),
			       &node) == NULL)
		return 0;
	fault->node_id = node->id;
	/* Mostly those who believe in it still reach it. */
	isolate(fault, 25);
	return sim_range(rng_of(fault), 100 * SIM_MS, 4 * SIM_SECOND);
}

static void crash(struct sim_fault *fault, uint64_t node_id, bool is_silent)
{
	fault->down |= (uint16_t)(1u << node_id);
	sim_node_crash(sim_cluster_node(fault->faults->cluster, node_id), is_silent);
}

static uint64_t begin_crash(struct sim_fault *fault)
{
	crash(fault, fault->node_id, sim_percent(rng_of(fault), SILENT_PERCENT));
	return sim_range(rng_of(fault), 20 * SIM_MS, 3 * SIM_SECOND);
}

static uint64_t begin_stop(struct sim_fault *fault)
{
	fault->down |= (uint16_t)(1u << fault->node_id);
	sim_node_stop(node_of(fault));
	return sim_range(rng_of(fault), 100 * SIM_MS, 3 * SIM_SECOND);
}

static uint64_t begin_front(struct sim_fault *fault)
{
	fault->peer_id = any_coordinator(fault);
	sim_coordinator_crash(sim_cluster_coordinator(fault->faults->cluster, fault->peer_id));
	return sim_range(rng_of(fault), 20 * SIM_MS, 2 * SIM_SECOND);
}

static uint64_t begin_crash_all(struct sim_fault *fault)
{
	for (uint64_t id = 1; id <= fault->faults->cluster->node_count; id++)
		crash(fault, id, false);
	return sim_range(rng_of(fault), 20 * SIM_MS, 1 * SIM_SECOND);
}

static uint64_t begin_away(struct sim_fault *fault)
{
	if (sim_percent(rng_of(fault), 50))
		crash(fault, fault->node_id, false);
	else
		isolate(fault, 50);
	return sim_range(rng_of(fault), 3 * SIM_SECOND, 9 * SIM_SECOND);
}

static uint64_t begin_pause(struct sim_fault *fault)
{
	struct sim_cluster *cluster = fault->faults->cluster;
	struct sim_runtime *runtime;
	struct sim_node *leader = NULL;

	if (sim_percent(rng_of(fault), 40) &&
	    sim_cluster_leader(cluster, sim_cluster_any_group(cluster), &leader) != NULL)
		fault->node_id = leader->id;
	runtime = &node_of(fault)->runtime;
	if (sim_percent(rng_of(fault), 20))
		runtime = &sim_cluster_coordinator(cluster, any_coordinator(fault))->runtime;
	sim_runtime_pause(runtime,
			  cluster->world.now_us + sim_range(rng_of(fault), 50 * SIM_MS, 4 * SIM_SECOND));
	return 0;
}

static uint64_t begin_slow_disk(struct sim_fault *fault)
{
	node_of(fault)->runtime.slow_factor = (uint32_t)sim_range(rng_of(fault), 5, 200);
	return sim_range(rng_of(fault), 200 * SIM_MS, 4 * SIM_SECOND);
}

static uint64_t begin_disk(struct sim_fault *fault)
{
	if (node_of(fault)->is_running)
		sim_disk_fail(&node_of(fault)->disk, sim_percent(rng_of(fault), 50));
	return 0;
}

static uint64_t begin_full(struct sim_fault *fault)
{
	sim_disk_set_free_bytes(&node_of(fault)->disk,
				sim_percent(rng_of(fault), 70) ? SIM_RESERVE_BYTES / 2 : 0);
	return sim_range(rng_of(fault), 300 * SIM_MS, 5 * SIM_SECOND);
}

static uint64_t begin_clock(struct sim_fault *fault)
{
	struct sim_node *node = node_of(fault);

	node->wall_offset_us = (int64_t)sim_range(rng_of(fault), 0, 2 * WALL_SKEW_MAX) - WALL_SKEW_MAX;
	if (node->is_running)
		node->runtime.wall_offset_us = node->wall_offset_us;
	return 0;
}

static uint64_t begin_reset(struct sim_fault *fault)
{
	sim_net_reset(&fault->faults->cluster->net, fault->node_id,
		      sim_range(rng_of(fault), 1, fault->faults->cluster->node_count));
	return 0;
}

static uint64_t begin_transfer(struct sim_fault *fault)
{
	struct sim_node *node = NULL;
	struct group *leader = sim_cluster_leader(fault->faults->cluster,
						  sim_cluster_any_group(fault->faults->cluster), &node);

	if (leader == NULL || sim_node_is_paused(node))
		return 0;
	sim_runtime_enter(&node->runtime);
	if (group_member_transfer(leader, sim_percent(rng_of(fault), 50) ? 0 : fault->node_id) == ST_OK)
		sim_world_say(node->world, "group %" PRIu64 " is handed over by node %" PRIu64,
			      group_id(leader), node->id);
	sim_runtime_leave(&node->runtime);
	return 0;
}

static uint64_t begin_move(struct sim_fault *fault)
{
	uint64_t partition_id = sim_cluster_main_partition(fault->faults->cluster);

	if (partition_id != 0)
		sim_member_move(fault->faults->member, partition_id);
	return 0;
}

static uint64_t begin_install(struct sim_fault *fault)
{
	node_of(fault)->dies_in_snapshot = true;
	return sim_range(rng_of(fault), 2 * SIM_SECOND, 12 * SIM_SECOND);
}

/* --- faults in stages --- */

static uint64_t election_us(const struct sim_fault *fault)
{
	return (uint64_t)node_of(fault)->settings.catalog.election_timeout_ms * SIM_MS;
}

/* A leader becomes the fault's node, and another voter of the group its peer; false if there is
 * none. */
static bool choose_pair(struct sim_fault *fault)
{
	struct sim_cluster *cluster = fault->faults->cluster;
	struct sim_node *node = NULL;
	const struct group *leader = sim_cluster_leader(cluster, sim_cluster_any_group(cluster), &node);
	const struct raft_engine_configuration *members;

	if (leader == NULL)
		return false;
	members = &leader->applied.configuration;
	fault->node_id = node->id;
	fault->peer_id = members->members[rng_below(rng_of(fault), members->count)].node_id;
	return fault->peer_id != fault->node_id;
}

static void cut_from_others(struct sim_fault *fault)
{
	for (uint64_t id = 1; id <= fault->faults->cluster->node_count; id++) {
		if (id != fault->peer_id)
			cut_pair(fault, fault->node_id, id, 2);
	}
}

/* The leader hears one follower only, until the others stand for election; then that follower
 * dies, has forgotten whom it heard, and hears the others first. */
static uint64_t begin_usurp(struct sim_fault *fault)
{
	if (!choose_pair(fault))
		return 0;
	cut_from_others(fault);
	return sim_range(rng_of(fault), election_us(fault) / 2, 2 * election_us(fault));
}

static uint64_t continue_usurp(struct sim_fault *fault)
{
	if (fault->stage == 1) {
		cut_pair(fault, fault->node_id, fault->peer_id, 2);
		crash(fault, fault->peer_id, false);
		return sim_range(rng_of(fault), SIM_MS, 40 * SIM_MS);
	}
	fault->down = 0;
	return fault->stage == 2 ? sim_range(rng_of(fault), 100 * SIM_MS, 3 * SIM_SECOND) : 0;
}

/* Entries that only the leader and one follower have, neither on disk; then the leader comes back
 * without them, and the next one has others in their place while the follower still writes. */
static uint64_t begin_truncate(struct sim_fault *fault)
{
	struct sim_cluster *cluster = fault->faults->cluster;
	uint32_t factor = (uint32_t)sim_range(rng_of(fault), 200, 3000);

	if (!choose_pair(fault))
		return 0;
	node_of(fault)->runtime.slow_factor = factor;
	sim_cluster_node(cluster, fault->peer_id)->runtime.slow_factor = factor;
	cut_from_others(fault);
	return sim_range(rng_of(fault), 20 * SIM_MS, 300 * SIM_MS);
}

static uint64_t continue_truncate(struct sim_fault *fault)
{
	if (fault->stage == 1) {
		crash(fault, fault->node_id, false);
		heal_cuts(fault);
		return sim_range(rng_of(fault), SIM_MS, 200 * SIM_MS);
	}
	fault->down = 0;
	return fault->stage == 2 ? sim_range(rng_of(fault), 300 * SIM_MS, 4 * SIM_SECOND) : 0;
}

static uint64_t (*const continuations[SIM_FAULT_KINDS])(struct sim_fault *) = {
	[SIM_FAULT_USURP] = continue_usurp,
	[SIM_FAULT_TRUNCATE] = continue_truncate,
};

static uint64_t (*const beginnings[])(struct sim_fault *) = {
	[SIM_FAULT_LOSS] = begin_loss,
	[SIM_FAULT_DELAY] = begin_delay,
	[SIM_FAULT_CUT] = begin_cut,
	[SIM_FAULT_ZONE] = begin_zone,
	[SIM_FAULT_ISOLATE] = begin_isolate,
	[SIM_FAULT_LEADER] = begin_leader,
	[SIM_FAULT_CRASH] = begin_crash,
	[SIM_FAULT_STOP] = begin_stop,
	[SIM_FAULT_FRONT] = begin_front,
	[SIM_FAULT_CRASH_ALL] = begin_crash_all,
	[SIM_FAULT_AWAY] = begin_away,
	[SIM_FAULT_PAUSE] = begin_pause,
	[SIM_FAULT_SLOW_DISK] = begin_slow_disk,
	[SIM_FAULT_DISK] = begin_disk,
	[SIM_FAULT_FULL] = begin_full,
	[SIM_FAULT_CLOCK] = begin_clock,
	[SIM_FAULT_RESET] = begin_reset,
	[SIM_FAULT_TRANSFER] = begin_transfer,
	[SIM_FAULT_MOVE] = begin_move,
	[SIM_FAULT_INSTALL] = begin_install,
	[SIM_FAULT_USURP] = begin_usurp,
	[SIM_FAULT_TRUNCATE] = begin_truncate,
};

/* --- endings --- */

/* No fault keeps it down any more. */
static bool may_start(const struct sim_faults *faults, uint64_t node_id)
{
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++) {
		if (faults->active[i].is_active && (faults->active[i].down >> node_id & 1) != 0)
			return false;
	}
	return true;
}

static bool may_front_start(const struct sim_faults *faults, uint64_t endpoint_id)
{
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++) {
		const struct sim_fault *fault = &faults->active[i];

		if (fault->is_active && fault->kind == SIM_FAULT_FRONT && fault->peer_id == endpoint_id)
			return false;
	}
	return true;
}

static void start_processes(struct sim_faults *faults)
{
	for (uint64_t id = 1; id <= faults->cluster->node_count; id++) {
		struct sim_node *node = sim_cluster_node(faults->cluster, id);

		if (!node->is_running && may_start(faults, id))
			sim_node_start(node);
	}
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		struct sim_coordinator *coordinator = &faults->cluster->coordinators[i];

		if (!coordinator->is_running && may_front_start(faults, coordinator->id))
			sim_coordinator_start(coordinator);
	}
}

static void end(struct sim_fault *fault)
{
	struct sim_net *net = &fault->faults->cluster->net;

	if (!fault->is_active)
		return;
	sim_event_cancel(&fault->faults->cluster->world, &fault->end);
	fault->is_active = false;
	heal_cuts(fault);
	switch (fault->kind) {
	case SIM_FAULT_LOSS:
		net->loss_permille = 0;
		net->duplicate_permille = 0;
		net->overtake_permille = 0;
		break;
	case SIM_FAULT_DELAY:
		net->links[fault->node_id][fault->peer_id].extra_us_max = 0;
		break;
	case SIM_FAULT_TRUNCATE:
		sim_cluster_node(fault->faults->cluster, fault->peer_id)->runtime.slow_factor = 1;
		node_of(fault)->runtime.slow_factor = 1;
		break;
	case SIM_FAULT_SLOW_DISK:
		node_of(fault)->runtime.slow_factor = 1;
		break;
	case SIM_FAULT_FULL:
		sim_disk_set_free_bytes(&node_of(fault)->disk, UINT64_MAX);
		break;
	case SIM_FAULT_INSTALL:
		node_of(fault)->dies_in_snapshot = false;
		break;
	default:
		break;
	}
	start_processes(fault->faults);
}

static void on_end(struct sim_event *event)
{
	struct sim_fault *fault = CONTAINER_OF(event, struct sim_fault, end);
	uint64_t length_us = 0;

	fault->stage++;
	if (continuations[fault->kind] != NULL)
		length_us = continuations[fault->kind](fault);
	if (length_us > 0) {
		sim_event_in(&fault->faults->cluster->world, &fault->end, length_us);
		start_processes(fault->faults);
	} else {
		end(fault);
	}
}

/* --- the schedule --- */

static struct sim_fault *free_slot(struct sim_faults *faults)
{
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++) {
		if (!faults->active[i].is_active)
			return &faults->active[i];
	}
	return NULL;
}

static bool is_allowed(const struct sim_faults *faults, uint64_t kind)
{
	return (faults->allowed >> kind & 1) != 0;
}

static void begin_one(struct sim_faults *faults, enum sim_fault_kind kind)
{
	struct sim_world *world = &faults->cluster->world;
	struct sim_fault *fault = free_slot(faults);
	uint64_t length_us;

	if (fault == NULL)
		return;
	*fault = (struct sim_fault){ .faults = faults, .kind = kind };
	sim_event_init(&fault->end, NULL, on_end);
	fault->node_id = sim_range(&world->fault_rng, 1, faults->cluster->node_count);
	faults->counts[kind]++;
	length_us = beginnings[kind](fault);
	sim_world_trace(world, TRACE_FAULT + kind, fault->node_id);
	sim_world_say(world, "fault: %s, node %" PRIu64 ", peer %" PRIu64 ", for %.3f s", names[kind],
		      fault->node_id, fault->peer_id, (double)length_us / SIM_SECOND);
	fault->is_active = length_us > 0;
	if (fault->is_active)
		sim_event_in(world, &fault->end, length_us);
}

static void on_event(struct sim_event *event)
{
	struct sim_faults *faults = CONTAINER_OF(event, struct sim_faults, event);
	struct sim_world *world = &faults->cluster->world;
	uint64_t kind = rng_below(&world->fault_rng, SIM_FAULT_KINDS);

	start_processes(faults);
	if (faults->is_healed) {
		sim_event_in(world, event, RESTART_US);
		return;
	}
	while (faults->allowed != 0 && !is_allowed(faults, kind))
		kind = (kind + 1) % SIM_FAULT_KINDS;
	if (is_allowed(faults, kind))
		begin_one(faults, (enum sim_fault_kind)kind);
	sim_event_in(world, event, sim_range(&world->fault_rng, 10 * SIM_MS, faults->gap_us_max));
}

static void choose_kinds(struct sim_faults *faults)
{
	struct rng *rng = &faults->cluster->world.fault_rng;
	uint64_t at = rng_below(rng, 100);

	faults->allowed = 0;
	if (at < QUIET_PERCENT)
		return;
	if (at < QUIET_PERCENT + SINGLE_PERCENT)
		faults->allowed = 1u << rng_below(rng, SIM_FAULT_KINDS) |
				  1u << rng_below(rng, SIM_FAULT_KINDS);
	else
		faults->allowed = (uint32_t)rng_u64(rng) & ((1u << SIM_FAULT_KINDS) - 1);
}

void sim_faults_init(struct sim_faults *faults, struct sim_cluster *cluster, struct sim_member *member)
{
	*faults = (struct sim_faults){ .cluster = cluster, .member = member };
	choose_kinds(faults);
	faults->gap_us_max = sim_range(&cluster->world.fault_rng, 200 * SIM_MS, 3 * SIM_SECOND);
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++) {
		faults->active[i].faults = faults;
		sim_event_init(&faults->active[i].end, NULL, on_end);
	}
	sim_event_init(&faults->event, NULL, on_event);
}

void sim_faults_begin(struct sim_faults *faults)
{
	struct sim_world *world = &faults->cluster->world;

	for (uint64_t kind = 0; kind < SIM_FAULT_KINDS; kind++) {
		if (is_allowed(faults, kind))
			sim_world_say(world, "this seed allows: %s", names[kind]);
	}
	sim_event_in(world, &faults->event, faults->gap_us_max);
}

void sim_faults_heal(struct sim_faults *faults)
{
	struct sim_world *world = &faults->cluster->world;

	sim_world_say(world, "all faults end");
	faults->is_healed = true;
	sim_event_in(world, &faults->event, RESTART_US); /* a disk's failure may still be to come */
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++)
		end(&faults->active[i]);
	for (uint64_t id = 1; id <= faults->cluster->node_count; id++)
		sim_runtime_pause(&sim_cluster_node(faults->cluster, id)->runtime, 0);
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_runtime_pause(&faults->cluster->coordinators[i].runtime, 0);
	start_processes(faults);
}

void sim_faults_close(struct sim_faults *faults)
{
	struct sim_world *world = &faults->cluster->world;

	sim_event_cancel(world, &faults->event);
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++)
		sim_event_cancel(world, &faults->active[i].end);
}
