#include "tests/sim/sim_faults.h"

#include <inttypes.h>

#include "replication/group/group_member.h"
#include "tests/sim/sim_staged.h"

enum {
	TRACE_FAULT = 40,
	PEERS = SIM_ENDPOINTS_MAX,
	QUIET_PERCENT = 4,     /* seeds without any fault */
	SINGLE_PERCENT = 20,   /* seeds with one or two kinds */
	DIRECTED_PERCENT = 42, /* one fault at a time, on a sound cluster */
	DIRECTED_KINDS_MAX = 3,
	LATE_PAGES_PERCENT = 40, /* of the directed seeds with an index: nothing else */
	LEASE_PERCENT = 30,      /* of the seeds with leases: one at a time, aimed at those */
	LEASE_OTHERS_PERCENT = 50,
	SOUND_WAIT_US_MAX = 3 * SIM_SECOND,
	DIRECTED_LOOK_US = 20 * SIM_MS,
	DIRECTED_GAP_US_MAX = 1 * SIM_SECOND,
	WALL_SKEW_MAX = INT64_C(3600) * 1000 * 1000, /* an hour */
	SILENT_PERCENT = 30,
	RESTART_US = 200 * SIM_MS,
	FULL_TO_THE_END_PERCENT = 30,
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
	[SIM_FAULT_HEIRS] = "heirs",
	[SIM_FAULT_LATE] = "late",
	[SIM_FAULT_HAND_OVER] = "hand over",
	[SIM_FAULT_UNPLUG] = "unplug",
	[SIM_FAULT_RUSH] = "rush",
	[SIM_FAULT_YIELD] = "yield",
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

void sim_faults_heal_cuts(struct sim_fault *fault)
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
void sim_faults_cut_pair(struct sim_fault *fault, uint64_t a, uint64_t b, uint64_t direction)
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
			sim_faults_cut_pair(fault, fault->node_id, peer_id, direction);
	}
}

static void heal_disks(struct sim_fault *fault)
{
	for (uint64_t id = 1; id <= fault->faults->cluster->node_count; id++) {
		if ((fault->slowed >> id & 1) != 0)
			sim_cluster_node(fault->faults->cluster, id)->runtime.slow_factor = 1;
		if ((fault->filled >> id & 1) != 0)
			sim_disk_set_free_bytes(&sim_cluster_node(fault->faults->cluster, id)->disk,
						UINT64_MAX);
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

uint64_t sim_faults_election_us(const struct sim_fault *fault)
{
	return (uint64_t)node_of(fault)->settings.catalog.election_timeout_ms * SIM_MS;
}

/* How long a leader is away: half of the time just about as long as others wait for it. */
static uint64_t absence_us(const struct sim_fault *fault)
{
	uint64_t election_us = sim_faults_election_us(fault);

	if (sim_percent(rng_of(fault), 50))
		return sim_range(rng_of(fault), election_us / 2, 4 * election_us);
	return sim_range(rng_of(fault), 50 * SIM_MS, 4 * SIM_SECOND);
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
	sim_faults_cut_pair(fault, fault->node_id, fault->peer_id, direction);
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
				sim_faults_cut_pair(fault, inside, outside, direction);
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
	return absence_us(fault);
}

void sim_faults_crash(struct sim_fault *fault, uint64_t node_id, bool is_silent)
{
	fault->down |= (uint16_t)(1u << node_id);
	sim_node_crash(sim_cluster_node(fault->faults->cluster, node_id), is_silent);
}

static uint64_t begin_crash(struct sim_fault *fault)
{
	sim_faults_crash(fault, fault->node_id, sim_percent(rng_of(fault), SILENT_PERCENT));
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
		sim_faults_crash(fault, id, false);
	return sim_range(rng_of(fault), 20 * SIM_MS, 1 * SIM_SECOND);
}

static uint64_t begin_away(struct sim_fault *fault)
{
	if (sim_percent(rng_of(fault), 50))
		sim_faults_crash(fault, fault->node_id, false);
	else
		isolate(fault, 50);
	return sim_range(rng_of(fault), 3 * SIM_SECOND, 9 * SIM_SECOND);
}

static uint64_t begin_pause(struct sim_fault *fault)
{
	struct sim_cluster *cluster = fault->faults->cluster;
	struct sim_runtime *runtime;
	struct sim_node *leader = NULL;

	if ((fault->faults->is_directed || sim_percent(rng_of(fault), 40)) &&
	    sim_cluster_leader(cluster, sim_cluster_any_group(cluster), &leader) != NULL)
		fault->node_id = leader->id;
	runtime = &node_of(fault)->runtime;
	if (sim_percent(rng_of(fault), 20))
		runtime = &sim_cluster_coordinator(cluster, any_coordinator(fault))->runtime;
	sim_runtime_pause(runtime, cluster->world.now_us + absence_us(fault));
	return 0;
}

static uint64_t begin_slow_disk(struct sim_fault *fault)
{
	node_of(fault)->runtime.slow_factor = (uint32_t)sim_range(rng_of(fault), 5, 200);
	fault->slowed = (uint16_t)(1u << fault->node_id);
	return sim_range(rng_of(fault), 200 * SIM_MS, 4 * SIM_SECOND);
}

static uint64_t begin_disk(struct sim_fault *fault)
{
	if (node_of(fault)->is_running)
		sim_disk_fail(&node_of(fault)->disk, sim_percent(rng_of(fault), 50));
	return 0;
}

void sim_faults_fill(struct sim_fault *fault, uint64_t node_id, uint64_t free_bytes)
{
	fault->filled |= (uint16_t)(1u << node_id);
	sim_disk_set_free_bytes(&sim_cluster_node(fault->faults->cluster, node_id)->disk, free_bytes);
}

/* One disk or some; a little below the watermark, where a follower takes entries, or far. */
static uint64_t begin_full(struct sim_fault *fault)
{
	uint64_t at = rng_below(rng_of(fault), 100);
	uint64_t others_percent = sim_percent(rng_of(fault), 30) ? 50 : 0;

	sim_faults_fill(fault, fault->node_id,
			at < FULL_TO_THE_END_PERCENT
				? 0
				: sim_range(rng_of(fault), SIM_RESERVE_BYTES / 2, SIM_RESERVE_BYTES - 1));
	for (uint64_t id = 1; id <= fault->faults->cluster->node_count; id++) {
		if (id != fault->node_id && sim_percent(rng_of(fault), others_percent))
			sim_faults_fill(
				fault, id,
				sim_range(rng_of(fault), SIM_RESERVE_BYTES / 2, SIM_RESERVE_BYTES - 1));
	}
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
	uint64_t partition_id = sim_cluster_lasting_partition(fault->faults->cluster);

	if (partition_id != 0)
		sim_member_move(fault->faults->member, partition_id);
	return 0;
}

static uint64_t (*const continuations[SIM_FAULT_KINDS])(struct sim_fault *) = {
	[SIM_FAULT_USURP] = sim_staged_continue_usurp,
	[SIM_FAULT_TRUNCATE] = sim_staged_continue_truncate,
	[SIM_FAULT_INSTALL] = sim_staged_continue_install,
	[SIM_FAULT_LATE] = sim_staged_continue_late,
	[SIM_FAULT_HAND_OVER] = sim_staged_continue_hand_over,
	[SIM_FAULT_RUSH] = sim_staged_continue_rush,
	[SIM_FAULT_YIELD] = sim_staged_continue_yield,
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
	[SIM_FAULT_INSTALL] = sim_staged_begin_install,
	[SIM_FAULT_USURP] = sim_staged_begin_usurp,
	[SIM_FAULT_TRUNCATE] = sim_staged_begin_truncate,
	[SIM_FAULT_HEIRS] = sim_staged_begin_heirs,
	[SIM_FAULT_LATE] = sim_staged_begin_late,
	[SIM_FAULT_HAND_OVER] = sim_staged_begin_hand_over,
	[SIM_FAULT_UNPLUG] = sim_staged_begin_unplug,
	[SIM_FAULT_RUSH] = sim_staged_begin_rush,
	[SIM_FAULT_YIELD] = sim_staged_begin_yield,
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
	sim_faults_heal_cuts(fault);
	heal_disks(fault);
	switch (fault->kind) {
	case SIM_FAULT_LOSS:
		net->loss_permille = 0;
		net->duplicate_permille = 0;
		net->overtake_permille = 0;
		break;
	case SIM_FAULT_DELAY:
	case SIM_FAULT_LATE:
		net->links[fault->node_id][fault->peer_id].extra_us_max = 0;
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

/* All processes run, and all groups are led. */
static bool is_sound(struct sim_cluster *cluster)
{
	const struct catalog_state *state = sim_cluster_newest_state(cluster);
	const struct partition_info *info;
	struct sim_node *node = NULL;
	size_t cursor = 0;

	for (uint64_t id = 1; id <= cluster->node_count; id++) {
		if (!sim_cluster_node(cluster, id)->is_running ||
		    sim_node_is_paused(sim_cluster_node(cluster, id)))
			return false;
	}
	if (state == NULL || sim_cluster_leader(cluster, CATALOG_GROUP_ID, &node) == NULL)
		return false;
	while ((info = catalog_state_next_partition(state, &cursor)) != NULL) {
		if (sim_cluster_leader(cluster, info->partition_id, &node) == NULL)
			return false;
	}
	return true;
}

/* In a directed run each fault waits for the one before it, and for its traces to be gone, but not
 * for long. */
static bool must_wait(struct sim_faults *faults)
{
	const struct sim_world *world = &faults->cluster->world;

	if (!faults->is_directed)
		return false;
	for (size_t i = 0; i < SIM_FAULTS_ACTIVE_MAX; i++) {
		if (faults->active[i].is_active) {
			faults->waiting_since_us = world->now_us;
			return true;
		}
	}
	return !is_sound(faults->cluster) && world->now_us < faults->waiting_since_us + SOUND_WAIT_US_MAX;
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
	if (must_wait(faults)) {
		sim_event_in(world, event, DIRECTED_LOOK_US);
		return;
	}
	while (faults->allowed != 0 && !is_allowed(faults, kind))
		kind = (kind + 1) % SIM_FAULT_KINDS;
	if (is_allowed(faults, kind))
		begin_one(faults, (enum sim_fault_kind)kind);
	sim_event_in(world, event, sim_range(&world->fault_rng, 10 * SIM_MS, faults->gap_us_max));
}

/* Each makes a situation of its own, which others would only disturb. */
static uint32_t choose_directed(struct sim_faults *faults)
{
	static const enum sim_fault_kind kinds[] = {
		SIM_FAULT_USURP,     SIM_FAULT_TRUNCATE, SIM_FAULT_HEIRS, SIM_FAULT_INSTALL,
		SIM_FAULT_LEADER,    SIM_FAULT_PAUSE,    SIM_FAULT_MOVE,  SIM_FAULT_LATE,
		SIM_FAULT_HAND_OVER, SIM_FAULT_UNPLUG,   SIM_FAULT_RUSH,  SIM_FAULT_YIELD
	};
	struct rng *rng = &faults->cluster->world.fault_rng;
	bool compacts = sim_cluster_node(faults->cluster, 1)->settings.log_keep_entries > 0;
	uint32_t allowed = 0;

	if (faults->cluster->index.is_born && sim_percent(rng, LATE_PAGES_PERCENT)) {
		sim_index_keep(&faults->cluster->index); /* what a page did wrong shows at the end */
		return 1u << SIM_FAULT_LATE;
	}
	for (uint64_t count = sim_range(rng, 1, DIRECTED_KINDS_MAX); count > 0; count--) {
		enum sim_fault_kind kind = kinds[rng_below(rng, ARRAY_COUNT(kinds))];

		/* Without compaction there are no snapshots, and three nodes leave nowhere to move to. */
		if ((kind != SIM_FAULT_INSTALL || compacts) &&
		    ((kind != SIM_FAULT_RUSH && kind != SIM_FAULT_MOVE) ||
		     faults->cluster->node_count > SIM_NODES_MIN))
			allowed |= 1u << kind;
	}
	return allowed;
}

/* What a vote given too early breaks comes up in no other way. */
static uint32_t choose_for_leases(struct rng *rng)
{
	static const enum sim_fault_kind others[] = { SIM_FAULT_LEADER, SIM_FAULT_PAUSE, SIM_FAULT_HAND_OVER,
						      SIM_FAULT_UNPLUG };
	uint32_t allowed = 1u << SIM_FAULT_USURP;

	if (sim_percent(rng, LEASE_OTHERS_PERCENT))
		allowed |= 1u << others[rng_below(rng, ARRAY_COUNT(others))];
	return allowed;
}

static void choose_kinds(struct sim_faults *faults)
{
	struct rng *rng = &faults->cluster->world.fault_rng;
	uint64_t at = rng_below(rng, 100);

	faults->allowed = 0;
	if (at < QUIET_PERCENT)
		return;
	if (sim_cluster_node(faults->cluster, 1)->settings.catalog.leases &&
	    sim_percent(rng, LEASE_PERCENT)) {
		faults->is_directed = true;
		faults->allowed = choose_for_leases(rng);
		return;
	}
	faults->is_directed = at < QUIET_PERCENT + DIRECTED_PERCENT;
	if (faults->is_directed)
		faults->allowed = choose_directed(faults);
	else if (at < QUIET_PERCENT + DIRECTED_PERCENT + SINGLE_PERCENT)
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
	if (faults->is_directed)
		faults->gap_us_max = DIRECTED_GAP_US_MAX;
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
			sim_world_say(world, "this seed allows: %s%s", names[kind],
				      faults->is_directed ? ", one at a time" : "");
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
