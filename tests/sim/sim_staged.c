#include "tests/sim/sim_staged.h"

#include <inttypes.h>

#include "proto/wire/methods.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

enum {
	POLL_US = 5 * SIM_MS,
	POLLS_MAX = 600, /* 3 seconds */
	INSTALL_POLL_US = 20 * SIM_MS,
	INSTALL_POLLS_MAX = 400, /* 8 seconds, for a log to be compacted */
	HAND_OVER_POLL_US = 100,
	FEED_PERCENT = 60,
	USURP_MAIN_PERCENT = 80,
	USURP_AHEAD_US_MIN = 25 * SIM_MS, /* for others to connect to a process that is back */
	USURP_REST_ELECTIONS = 3,
	YIELD_POLL_US = 20 * SIM_MS,
	YIELD_US_MAX = 8 * SIM_SECOND, /* a hand-over that fails is tried again after five */
};

static struct sim_cluster *cluster_of(const struct sim_fault *fault)
{
	return fault->faults->cluster;
}

static struct rng *rng_of(const struct sim_fault *fault)
{
	return &cluster_of(fault)->world.fault_rng;
}

static struct sim_node *node_of(const struct sim_fault *fault)
{
	return sim_cluster_node(cluster_of(fault), fault->node_id);
}

static struct sim_node *peer_of(const struct sim_fault *fault)
{
	return sim_cluster_node(cluster_of(fault), fault->peer_id);
}

static void slow_down(struct sim_fault *fault, struct sim_node *node, uint64_t factor)
{
	fault->slowed |= (uint16_t)(1u << node->id);
	node->runtime.slow_factor = (uint32_t)factor;
}

/* The leader of a group becomes the fault's node, and another member its peer; false if there is
 * none. */
static bool choose_pair_of(struct sim_fault *fault, uint64_t group_id)
{
	struct sim_node *node = NULL;
	const struct group *leader = sim_cluster_leader(cluster_of(fault), group_id, &node);
	const struct raft_engine_configuration *members;

	if (leader == NULL)
		return false;
	members = &leader->applied.configuration;
	fault->group_id = leader->id;
	fault->term = leader->leader_term;
	fault->node_id = node->id;
	for (uint64_t at = rng_below(rng_of(fault), members->count), i = 0; i < members->count; i++) {
		fault->peer_id = members->members[(at + i) % members->count].node_id;
		if (fault->peer_id != fault->node_id)
			return true;
	}
	return false;
}

static bool choose_pair(struct sim_fault *fault)
{
	return choose_pair_of(fault, sim_cluster_any_group(cluster_of(fault)));
}

static void cut_from_others(struct sim_fault *fault)
{
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		if (id != fault->peer_id)
			sim_faults_cut_pair(fault, fault->node_id, id, 2);
	}
}

/* Stay in this stage until it is so, for a while. */
static bool must_poll(struct sim_fault *fault, bool is_so)
{
	if (is_so || ++fault->poll_count > POLLS_MAX)
		return false;
	fault->stage--;
	return true;
}

/* --- usurp --- */

static void let_clients_rest(const struct sim_fault *fault, uint64_t us)
{
	uint64_t until_us = cluster_of(fault)->world.now_us + us;

	sim_workload_rest(&cluster_of(fault)->workload, until_us);
	sim_counters_rest(&cluster_of(fault)->counters, until_us);
}

/* Mostly where the clients write. */
uint64_t sim_staged_begin_usurp(struct sim_fault *fault)
{
	uint64_t election_us = sim_faults_election_us(fault);
	uint64_t group_id = sim_percent(rng_of(fault), USURP_MAIN_PERCENT)
				    ? sim_cluster_main_partition(cluster_of(fault))
				    : 0;

	if (group_id == 0 ? !choose_pair(fault) : !choose_pair_of(fault, group_id))
		return 0;
	fault->ahead_us = sim_range(rng_of(fault), USURP_AHEAD_US_MIN, election_us / 2);
	let_clients_rest(fault, USURP_REST_ELECTIONS * election_us);
	return POLL_US;
}

/* An entry that only the leader and its follower had would keep the third one from winning. */
static bool has_each_all(const struct sim_fault *fault)
{
	const struct group *leader = sim_node_group(node_of(fault), fault->group_id);

	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		const struct group *group = sim_node_group(sim_cluster_node(cluster_of(fault), id),
							   fault->group_id);

		if (leader != NULL && group != NULL &&
		    raft_engine_last_stored(group->engine) != leader->log.last_index)
			return false;
	}
	return true;
}

/* Will a third member stand for election soon after the follower is back? */
static bool is_election_near(const struct sim_fault *fault)
{
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		const struct group *group = sim_node_group(sim_cluster_node(cluster_of(fault), id),
							   fault->group_id);

		if (group != NULL && id != fault->node_id && id != fault->peer_id &&
		    raft_engine_state(group->engine) != RAFT_STATE_LEADER &&
		    raft_engine_deadline_ms(group->engine) < group_now_ms(group) + fault->ahead_us / SIM_MS)
			return true;
	}
	return false;
}

uint64_t sim_staged_continue_usurp(struct sim_fault *fault)
{
	switch (fault->stage) {
	case 1:
		if (must_poll(fault, has_each_all(fault)))
			return POLL_US;
		cut_from_others(fault);
		return sim_faults_election_us(fault) / 2;
	case 2:
		if (must_poll(fault, is_election_near(fault)))
			return POLL_US;
		sim_faults_cut_pair(fault, fault->node_id, fault->peer_id, 2);
		sim_faults_crash(fault, fault->peer_id, false);
		return sim_range(rng_of(fault), SIM_MS, 20 * SIM_MS);
	case 3:
		fault->down = 0;
		let_clients_rest(fault, 0);
		return sim_range(rng_of(fault), 100 * SIM_MS, 3 * SIM_SECOND);
	default:
		return 0;
	}
}

/* --- truncate --- */

uint64_t sim_staged_begin_truncate(struct sim_fault *fault)
{
	if (!choose_pair(fault))
		return 0;
	slow_down(fault, node_of(fault), sim_range(rng_of(fault), 200, 3000));
	slow_down(fault, peer_of(fault), sim_range(rng_of(fault), 2000, 8000));
	cut_from_others(fault);
	return sim_range(rng_of(fault), 20 * SIM_MS, 100 * SIM_MS);
}

static const struct group *peer_group(const struct sim_fault *fault)
{
	return sim_node_group(peer_of(fault), fault->group_id);
}

/* The follower has entries of this leader that are not on its disk. */
static bool is_writing(const struct sim_fault *fault)
{
	const struct group *group = peer_group(fault);

	return group != NULL && group->append_count > 0 &&
	       raft_engine_last_stored(group->engine) < group->log.last_index;
}

/* And those of a later leader, behind them. */
static bool is_overwriting(const struct sim_fault *fault)
{
	const struct group *group = peer_group(fault);

	return group != NULL && raft_engine_term(group->engine) > fault->term &&
	       raft_engine_state(group->engine) == RAFT_STATE_FOLLOWER && group->append_count > 1;
}

static bool has_written_the_first(const struct sim_fault *fault)
{
	const struct group *group = peer_group(fault);

	return group == NULL || group->append_count < 2;
}

uint64_t sim_staged_continue_truncate(struct sim_fault *fault)
{
	switch (fault->stage) {
	case 1:
		if (must_poll(fault, is_writing(fault)))
			return POLL_US;
		sim_faults_crash(fault, fault->node_id, false);
		sim_faults_heal_cuts(fault);
		return sim_range(rng_of(fault), SIM_MS, 100 * SIM_MS);
	case 2:
		fault->down = 0;
		return must_poll(fault, is_overwriting(fault)) ? (uint64_t)POLL_US : 1;
	case 3:
		if (must_poll(fault, has_written_the_first(fault)))
			return POLL_US;
		return sim_range(rng_of(fault), 1, 200 * SIM_MS);
	case 4:
		sim_faults_crash(fault, fault->peer_id, false);
		return sim_range(rng_of(fault), 20 * SIM_MS, 1 * SIM_SECOND);
	default:
		return 0;
	}
}

/* --- heirs --- */

uint64_t sim_staged_begin_heirs(struct sim_fault *fault)
{
	uint64_t length_us = sim_faults_election_us(fault) +
			     sim_range(rng_of(fault), 0, 4 * sim_faults_election_us(fault));

	if (!choose_pair(fault))
		return 0;
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		if (id != fault->node_id)
			slow_down(fault, sim_cluster_node(cluster_of(fault), id),
				  sim_range(rng_of(fault), 20, 400));
	}
	switch (rng_below(rng_of(fault), 3)) {
	case 0:
		sim_faults_crash(fault, fault->node_id, false);
		break;
	case 1:
		sim_runtime_pause(&node_of(fault)->runtime, cluster_of(fault)->world.now_us + length_us);
		break;
	default:
		fault->peer_id = 0;
		cut_from_others(fault);
	}
	return length_us;
}

/* --- install --- */

/* Down, if it has a replica of some group, until that group's log no longer begins where it stopped. */
uint64_t sim_staged_begin_install(struct sim_fault *fault)
{
	const struct group *group;

	fault->group_id = sim_cluster_any_group(cluster_of(fault));
	group = sim_node_group(node_of(fault), fault->group_id);
	if (group != NULL) {
		fault->index = group->log.last_index;
		sim_faults_crash(fault, fault->node_id, false);
	}
	return INSTALL_POLL_US;
}

static bool needs_snapshot(const struct sim_fault *fault)
{
	struct sim_node *node = NULL;
	const struct group *leader = sim_cluster_leader(cluster_of(fault), fault->group_id, &node);

	return leader != NULL && leader->log.first_index > fault->index + 1;
}

uint64_t sim_staged_continue_install(struct sim_fault *fault)
{
	if (fault->stage == 1 && fault->down != 0 && ++fault->poll_count < INSTALL_POLLS_MAX &&
	    !needs_snapshot(fault)) {
		fault->stage = 0;
		return INSTALL_POLL_US;
	}
	if (fault->stage > 1)
		return 0;
	fault->down = 0;
	node_of(fault)->dies_in_snapshot = true;
	return sim_range(rng_of(fault), 2 * SIM_SECOND, 8 * SIM_SECOND);
}

/* --- late --- */

static void delay_link(const struct sim_fault *fault, uint64_t extra_us_max)
{
	cluster_of(fault)->net.links[fault->node_id][fault->peer_id].extra_us_max = extra_us_max;
}

/* A leader of the main table, and that of a partition of its index; false if there are none on two
 * nodes. */
static bool choose_feed(struct sim_fault *fault)
{
	struct sim_cluster *cluster = cluster_of(fault);
	struct sim_node *node = NULL;
	const struct group *leader = sim_cluster_leader(cluster, sim_cluster_main_partition(cluster), &node);

	if (leader == NULL)
		return false;
	fault->group_id = leader->id;
	fault->node_id = node->id;
	if (sim_cluster_leader(cluster, sim_cluster_index_partition(cluster), &node) == NULL)
		return false;
	fault->peer_id = node->id;
	return fault->peer_id != fault->node_id;
}

/* Only to one node, so that the leader goes on with the others. */
uint64_t sim_staged_begin_late(struct sim_fault *fault)
{
	fault->is_feed = cluster_of(fault)->index.is_used && sim_percent(rng_of(fault), FEED_PERCENT) &&
			 choose_feed(fault);
	if (!fault->is_feed) {
		if (!choose_pair(fault))
			return 0;
		fault->peer_id = sim_range(rng_of(fault), 1, cluster_of(fault)->node_count);
	}
	delay_link(fault, sim_range(rng_of(fault), 300 * SIM_MS, 3 * SIM_SECOND));
	return sim_range(rng_of(fault), 30 * SIM_MS, 300 * SIM_MS);
}

static bool is_page_under_way(const struct sim_fault *fault)
{
	return sim_net_is_asking(&cluster_of(fault)->net, fault->node_id, fault->peer_id,
				 METHOD_WRITE_INDEX_ROWS);
}

uint64_t sim_staged_continue_late(struct sim_fault *fault)
{
	if (fault->stage > 1)
		return 0;
	if (fault->is_feed && must_poll(fault, is_page_under_way(fault)))
		return POLL_US;
	delay_link(fault, 0);
	sim_faults_crash(fault, fault->node_id, false);
	return sim_range(rng_of(fault), 20 * SIM_MS, 2 * SIM_SECOND);
}

/* --- hand over --- */

static bool has_begun_to_hand_over(const struct sim_fault *fault)
{
	const struct group *group = sim_node_group(node_of(fault), fault->group_id);

	return group == NULL || group->transfer_term == fault->term;
}

uint64_t sim_staged_begin_hand_over(struct sim_fault *fault)
{
	struct sim_node *node;
	enum status status;

	if (!choose_pair(fault) || sim_node_is_paused(node_of(fault)))
		return 0;
	node = node_of(fault);
	sim_runtime_enter(&node->runtime);
	status = group_member_transfer(sim_node_group(node, fault->group_id), fault->peer_id);
	sim_runtime_leave(&node->runtime);
	return status == ST_OK ? 1 : 0;
}

uint64_t sim_staged_continue_hand_over(struct sim_fault *fault)
{
	if (fault->stage > 1)
		return 0;
	if (must_poll(fault, has_begun_to_hand_over(fault)))
		return HAND_OVER_POLL_US;
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		if (id != fault->node_id)
			sim_faults_cut_pair(fault, id, fault->node_id, 1);
	}
	return sim_range(rng_of(fault), sim_faults_election_us(fault), 3 * sim_faults_election_us(fault));
}

/* --- unplug --- */

uint64_t sim_staged_begin_unplug(struct sim_fault *fault)
{
	if (!choose_pair(fault))
		return 0;
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		if (id == fault->node_id)
			continue;
		sim_net_reset(&cluster_of(fault)->net, id, fault->node_id);
		sim_net_reset(&cluster_of(fault)->net, fault->node_id, id);
		sim_faults_cut_pair(fault, id, fault->node_id, 2);
	}
	return sim_range(rng_of(fault), sim_faults_election_us(fault) / 2, 3 * sim_faults_election_us(fault));
}

/* --- rush --- */

uint64_t sim_staged_begin_rush(struct sim_fault *fault)
{
	fault->group_id = sim_cluster_lasting_partition(cluster_of(fault));
	if (fault->group_id == 0)
		return 0;
	sim_member_move(fault->faults->member, fault->group_id);
	return POLL_US;
}

/* The leader of a move's group, once the new member has all that is committed; NULL if not. */
static struct group *leader_of_ready(const struct sim_fault *fault, const struct sim_move *move,
				     struct sim_node **node_out)
{
	struct group *leader = sim_cluster_leader(cluster_of(fault), fault->group_id, node_out);
	uint64_t match_index;

	if (leader == NULL || sim_node_is_paused(*node_out) || move->phase != SIM_MEMBER_PROMOTE ||
	    !raft_engine_match_index(leader->engine, move->new_replica_id, &match_index) ||
	    match_index < raft_engine_commit_index(leader->engine))
		return NULL;
	return leader;
}

static void rush(struct sim_fault *fault, const struct sim_move *move, struct group *leader,
		 struct sim_node *node)
{
	enum status status;

	fault->node_id = node->id;
	fault->peer_id = move->new_node_id;
	cut_from_others(fault);
	for (uint64_t id = 1; id <= cluster_of(fault)->node_count; id++) {
		if (id != fault->node_id)
			sim_faults_cut_pair(fault, fault->peer_id, id, 2);
	}
	sim_runtime_enter(&node->runtime);
	status = group_member_promote(leader, move->new_replica_id);
	if (status == ST_OK && group_replica_id(leader) != move->old_replica_id)
		status = group_member_remove(leader, move->old_replica_id);
	(void)status; /* the move tries again */
	sim_runtime_leave(&node->runtime);
}

uint64_t sim_staged_continue_rush(struct sim_fault *fault)
{
	const struct sim_move *move = sim_member_find(fault->faults->member, fault->group_id);
	struct sim_node *node = NULL;
	struct group *leader;

	if (fault->stage > 1 || move == NULL)
		return 0;
	leader = leader_of_ready(fault, move, &node);
	if (must_poll(fault, leader != NULL))
		return POLL_US;
	if (leader == NULL)
		return 0;
	rush(fault, move, leader, node);
	return sim_range(rng_of(fault), 500 * SIM_MS, 4 * SIM_SECOND);
}

/* --- yield --- */

uint64_t sim_staged_begin_yield(struct sim_fault *fault)
{
	uint64_t entries_bytes = SIM_RESERVE_BYTES / 100 * DISK_WATCH_ENTRIES_PERCENT;

	if (!choose_pair(fault))
		return 0;
	if (sim_percent(rng_of(fault), 50)) {
		sim_faults_fill(fault, fault->node_id,
				sim_range(rng_of(fault), SIM_RESERVE_BYTES / 2, SIM_RESERVE_BYTES - 1));
	} else {
		/* A majority must still take entries, or the heir could not begin. */
		sim_faults_fill(fault, fault->node_id,
				sim_range(rng_of(fault), entries_bytes, SIM_RESERVE_BYTES - 1));
		sim_faults_fill(fault, fault->peer_id,
				sim_range(rng_of(fault), SIM_RESERVE_BYTES / 2, SIM_RESERVE_BYTES - 1));
	}
	fault->ahead_us = cluster_of(fault)->world.now_us;
	return YIELD_POLL_US;
}

/* A group that the node leads; NULL if none. */
static const struct group *led_by(const struct sim_node *node)
{
	const struct group *group;
	size_t cursor = 0;

	if (!node->is_running || node->node->is_stopping)
		return NULL;
	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL) {
		if (group_is_ready(group))
			return group;
	}
	return NULL;
}

static bool is_written(const struct sim_fault *fault, uint64_t since_us)
{
	const struct sim_workload *workload = &cluster_of(fault)->workload;

	for (uint32_t i = 0; workload->has_main && i < workload->main_partitions; i++) {
		if (workload->acked_call_us[i] < since_us)
			return false;
	}
	return true;
}

static void check_yield(const struct sim_fault *fault, bool is_alone)
{
	const struct group *led = led_by(node_of(fault));

	if (led != NULL)
		sim_cluster_fail(cluster_of(fault),
				 "full disk: node %" PRIu64 " still leads group %" PRIu64 " after %d s",
				 fault->node_id, led->id, YIELD_US_MAX / SIM_SECOND);
	else if (is_alone)
		sim_cluster_fail(cluster_of(fault),
				 "full disk: %d s after that of node %" PRIu64
				 " a partition has taken no write",
				 YIELD_US_MAX / SIM_SECOND, fault->node_id);
}

uint64_t sim_staged_continue_yield(struct sim_fault *fault)
{
	bool is_alone = fault->filled == 1u << fault->node_id;

	if (fault->stage > 1)
		return 0;
	if (!fault->faults->is_directed) /* other faults may keep it from yielding */
		return sim_range(rng_of(fault), 1, YIELD_US_MAX);
	if (led_by(node_of(fault)) == NULL && (!is_alone || is_written(fault, fault->ahead_us)))
		return sim_range(rng_of(fault), 1, 2 * SIM_SECOND);
	if (cluster_of(fault)->world.now_us > fault->ahead_us + YIELD_US_MAX) {
		check_yield(fault, is_alone);
		return 0;
	}
	fault->stage--;
	return YIELD_POLL_US;
}
