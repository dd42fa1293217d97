/* Replicas of one group on several nodes in one process: real groups over simulated stores, a
 * clock that the test moves and a network that it can cut.
 *
 * Nodes are numbered from 1; node n hosts replica 100 + n.  The state machine appends each
 * command to family items under its log index.  The fixture itself ends the process when a
 * command is applied twice or out of order, when a leader is ready before its barrier is applied,
 * or when a node fails that was not told to.
 *
 * Threads  one.
 * Memory   the fixture owns everything; it is too big for a stack, so it lives on the heap.
 */
#ifndef TESTS_SUPPORT_GROUP_FIXTURE_H
#define TESTS_SUPPORT_GROUP_FIXTURE_H

#include "replication/group/group.h"
#include "replication/group/group_member.h"
#include "replication/group/group_read.h"
#include "replication/group/group_table.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

enum {
	GROUP_FIXTURE_NODES_MAX = 4,
	GROUP_FIXTURE_GROUP = 7,
	GROUP_FIXTURE_ELECTION_MS = 200,
	GROUP_FIXTURE_HEARTBEAT_MS = 40,
	GROUP_FIXTURE_KINDS = RAFT_MESSAGE_TIMEOUT_NOW + 1,
};

struct group_fixture;

struct group_fixture_node {
	struct group_fixture *fixture;
	uint64_t id;
	struct manual_runtime runtime;
	struct rpc_transport transport;
	struct queue calls; /* in flight from here */
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct group_table table;
	struct group_fsm fsm;
	struct group *group; /* NULL: no replica here, or the node is down */
	bool is_up;
	bool is_disk_held; /* jobs wait */
	bool may_fail;     /* a call of fatal() is part of the test */
	enum status fatal_status;
	uint64_t applied_index; /* as the state machine heard it */
	uint32_t ready_count;
	uint32_t lost_count;
	uint32_t restored_count;
	uint32_t sent_count[GROUP_FIXTURE_KINDS]; /* messages by kind, pre-votes left out */
	uint32_t chunk_count;                     /* snapshot chunks that arrived */
};

struct group_fixture {
	struct group_fixture_node nodes[GROUP_FIXTURE_NODES_MAX + 1]; /* [0] is not used */
	uint32_t node_count;
	struct group_settings settings;
	struct queue frames;
	uint32_t delay_ms; /* of each frame; 1 at birth */
	uint32_t drop_nth; /* every nth frame is lost; 0: none */
	uint64_t frame_count;
	uint64_t next_call_id;
	bool is_cut[GROUP_FIXTURE_NODES_MAX + 1][GROUP_FIXTURE_NODES_MAX + 1]; /* [from][to] */
};

/* Nodes without a replica, for tests that make their own groups on them. */
struct group_fixture *group_fixture_create_nodes(uint32_t node_count, const struct group_settings *settings);
/* voter_count nodes with a voter each, and one more node without a replica. */
struct group_fixture *group_fixture_create(uint32_t voter_count, const struct group_settings *settings);
struct group_fixture *group_fixture_create_default(void); /* three voters */
void group_fixture_destroy(struct group_fixture *f);

void group_fixture_run_ms(struct group_fixture *f, uint64_t duration_ms);
/* Until the node is ready to serve as leader; false if that does not come soon. */
bool group_fixture_run_until_leads(struct group_fixture *f, uint64_t node_id);
/* Let the node stand for election at once and win. */
struct group_fixture_node *group_fixture_elect(struct group_fixture *f, uint64_t node_id);
/* The ready leader of the highest term, run for until there is one; NULL if none comes soon. */
struct group_fixture_node *group_fixture_leader(struct group_fixture *f);

enum status group_fixture_propose(struct group_fixture_node *node, const char *text, uint64_t *index_out);
/* Propose at the node and run until it is applied there. */
bool group_fixture_commit(struct group_fixture_node *node, const char *text);
/* count commands in one go, run until applied at the node. */
bool group_fixture_commit_many(struct group_fixture_node *node, uint32_t count);
bool group_fixture_has_row(const struct group_fixture_node *node, const char *text);
uint32_t group_fixture_row_count(const struct group_fixture_node *node);

void group_fixture_cut(struct group_fixture *f, uint64_t from, uint64_t to, bool is_cut);
/* Cut the node from all others, both ways; or heal. */
void group_fixture_isolate(struct group_fixture *f, uint64_t node_id, bool is_cut);
/* The connections to the node break: the others' transports say so. */
void group_fixture_say_down(struct group_fixture *f, uint64_t node_id);
/* They are there again. */
void group_fixture_say_up(struct group_fixture *f, uint64_t node_id);
/* Answer all calls that the node has in flight with ST_CLOSED. */
void group_fixture_break_calls(struct group_fixture_node *node);

/* The power goes; of the unsynced batches the first keep_count survive. */
void group_fixture_crash(struct group_fixture_node *node, uint64_t keep_count);
/* In order, as a node does that is asked to end: what is on its way to the disk gets there. */
void group_fixture_stop(struct group_fixture_node *node);
/* Open the disk again, with no replica yet. */
void group_fixture_start(struct group_fixture_node *node);
enum status group_fixture_restart(struct group_fixture_node *node) MUST_CHECK;
/* An empty replica that waits for a snapshot. */
enum status group_fixture_add_replica(struct group_fixture_node *node, uint64_t replica_id) MUST_CHECK;

static inline uint64_t group_fixture_replica_of(uint64_t node_id)
{
	return 100 + node_id;
}

#endif
