/* Clients of a run: they write unique values to few keys, read them, retry as a coordinator
 * does, and note what they saw.
 *
 * Two coordinator processes carry four clients each.  An operation is sent to the believed
 * leader (eventual reads: to any replica), follows hints, and is tried again under the same
 * request id until its deadline.  A write whose attempts were all refused has certainly failed;
 * one that timed out somewhere and never got an answer stays open: it may take effect at any
 * later time.
 *
 * Threads  one.
 * Memory   the history lives until sim_workload_close().
 */
#ifndef TESTS_SIM_SIM_WORKLOAD_H
#define TESTS_SIM_SIM_WORKLOAD_H

#include "node/partition/partition_outcomes.h"
#include "tests/sim/sim_net.h"

enum {
	SIM_CLIENTS = 8,
	SIM_COORDINATORS = 2,
	SIM_COORDINATOR_ID_FIRST = 8, /* endpoint ids */
	SIM_KEYS_MAX = 12,
	SIM_PARTITIONS_MAX = 3,
};

enum sim_op_kind { SIM_PUT, SIM_DELETE, SIM_READ, SIM_READ_EVENTUAL };

enum sim_op_outcome {
	SIM_OPEN, /* write: may take effect, or have; read: no answer */
	SIM_DONE,
	SIM_FAILED, /* certainly without effect */
};

struct sim_op {
	enum sim_op_kind kind;
	enum sim_op_outcome outcome;
	uint32_t client;
	uint32_t key;
	uint32_t attempt_count;
	uint64_t partition_id;
	uint64_t value; /* PUT: written; reads: seen; 0: absent */
	uint64_t old;   /* writes, if knows_old */
	bool knows_old;
	uint64_t call_us; /* the world's time */
	uint64_t return_us;
};

struct sim_workload;

struct sim_coordinator {
	struct sim_runtime runtime;
	struct sim_endpoint endpoint;
};

struct sim_client {
	struct sim_workload *workload;
	struct sim_coordinator *coordinator;
	uint32_t id;
	bool is_busy;
	bool may_have_run;                   /* an attempt's outcome is unknown */
	uint32_t read_percent;               /* some write more, some read more */
	uint64_t leader[SIM_PARTITIONS_MAX]; /* believed: its own belief, so that some are stale */
	size_t op_index;
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE];
	uint64_t target;
	uint64_t started_mono_us;
	uint64_t deadline_mono_us;
	uint32_t timeout_ms;
	struct buf row_key;
	struct buf item;
	struct buf body;
	struct rpc_call call;
	struct runtime_timer timer;
};

struct sim_workload {
	struct sim_world *world;
	struct sim_net *net;
	struct sim_coordinator coordinators[SIM_COORDINATORS];
	struct sim_client clients[SIM_CLIENTS];
	struct sim_op *ops;
	size_t op_count;
	size_t op_capacity;
	uint64_t next_value;
	uint32_t key_count;
	uint32_t partition_count;
	uint32_t big_percent; /* of the values */
	uint64_t think_us_max;
	bool is_stopping;
	uint32_t keys_to_read; /* last reads still to begin */
	/* Per partition: the latest beginning of a write that was acknowledged. */
	uint64_t acked_call_us[SIM_PARTITIONS_MAX];
	char problem[200]; /* empty: none */
};

void sim_workload_init(struct sim_workload *workload, struct sim_world *world, struct sim_net *net,
		       uint32_t partition_count, uint32_t key_count);
void sim_workload_close(struct sim_workload *workload);
void sim_workload_start(struct sim_workload *workload);
/* No new operations but one last strong read of every key. */
void sim_workload_stop(struct sim_workload *workload);
bool sim_workload_is_idle(const struct sim_workload *workload);

/* The first token of a partition's range. */
uint64_t sim_workload_token(uint64_t partition_id);
const char *sim_op_kind_name(enum sim_op_kind kind);

#endif
