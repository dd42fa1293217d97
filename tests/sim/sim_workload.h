/* Clients of a run: they put, delete and read few keys through the router's item operations,
 * retry as SDKs do, and note what they saw.
 *
 * Three clients live on each coordinator.  Most of their operations go to the main table, some to
 * tables that come and go (sim_tables.h).  Every attempt of the SDK is an operation of its own
 * and writes a value of its own: to the cluster it is another request.  A write that ended
 * without an answer stays open: it may take effect at any later time.
 *
 * Threads  one.
 * Memory   the history lives until sim_workload_close().
 */
#ifndef TESTS_SIM_SIM_WORKLOAD_H
#define TESTS_SIM_SIM_WORKLOAD_H

#include "tests/sim/sim_coordinator.h"

#define SIM_MAIN_TABLE "main"

enum {
	SIM_CLIENTS = 9,
	SIM_KEYS_MAX = 12, /* of the main table */
	SIM_KEYS_PASSING = 2,
	SIM_PARTITIONS_MAX = 4, /* of the main table */
	SIM_PASSING_TABLES = 3,
	SIM_NAME_SIZE = 24,
};

/* SIM_CAS: a put if the value is still the one that the client last saw. */
enum sim_op_kind { SIM_PUT, SIM_CAS, SIM_DELETE, SIM_READ, SIM_READ_EVENTUAL };

enum sim_op_outcome {
	SIM_OPEN, /* write: may take effect, or have; read: no answer */
	SIM_DONE,
	SIM_FAILED,  /* certainly without effect */
	SIM_REFUSED, /* so too, because the condition failed: on old */
};

struct sim_op {
	enum sim_op_kind kind;
	enum sim_op_outcome outcome;
	enum status status;
	uint32_t client;
	uint32_t key; /* in the workload's list */
	uint32_t attempt_count;
	uint64_t value;    /* PUT, CAS: written; reads: seen; 0: absent */
	uint64_t expected; /* CAS */
	uint64_t old;      /* writes, if knows_old */
	bool knows_old;
	uint64_t call_us; /* the world's time */
	uint64_t return_us;
};

/* One item of one table; a table of the same name made later has others. */
struct sim_key {
	uint32_t table_id;
	bool is_main;
	char name[SIM_NAME_SIZE];
	uint32_t partition;         /* main: which one holds it, in range order */
	uint64_t seen[SIM_CLIENTS]; /* the last value each client saw there, or wrote */
};

struct sim_workload;

struct sim_client {
	struct sim_user user; /* first */
	struct sim_workload *workload;
	struct sim_coordinator *coordinator;
	uint32_t id;
	bool is_busy;
	uint32_t read_percent; /* some write more, some read more */
	size_t op_index;
	uint32_t retries_left;
	struct item_op op;
	struct arena arena;
	struct buf row_key;
	struct buf item;
	struct runtime_timer timer;
};

struct sim_workload {
	struct sim_world *world;
	struct sim_client clients[SIM_CLIENTS];
	struct sim_key *keys;
	size_t key_count;
	size_t key_capacity;
	struct sim_op *ops;
	size_t op_count;
	size_t op_capacity;
	uint64_t next_value;
	uint64_t cas_held_count;
	uint64_t cas_failed_count;
	uint32_t main_keys;      /* as wanted */
	uint32_t main_key_first; /* where they are in keys, once the table is known */
	bool has_main;
	uint32_t main_partitions;
	uint32_t big_percent; /* of the values */
	uint64_t think_us_max;
	uint64_t rests_until_us;
	bool is_stopping;
	uint32_t keys_to_read; /* last reads still to begin */
	/* Per partition of the main table: the latest beginning of a write that was acknowledged. */
	uint64_t acked_call_us[SIM_PARTITIONS_MAX];
	uint32_t acked_key[SIM_PARTITIONS_MAX]; /* and the key of the write that was acknowledged last */
	char problem[200];                      /* empty: none */
};

void sim_workload_init(struct sim_workload *workload, struct sim_world *world,
		       struct sim_coordinator *coordinators, uint32_t main_keys);
/* The coordinators have ended. */
void sim_workload_close(struct sim_workload *workload);
/* No new operations but one last strong read of every key of the main table. */
void sim_workload_stop(struct sim_workload *workload);
/* No new operations before then, which may also be in the past. */
void sim_workload_rest(struct sim_workload *workload, uint64_t until_us);
/* Put an operation that somebody else makes into the history; where it is in ops. */
size_t sim_workload_note(struct sim_workload *workload, const struct sim_op *op);
bool sim_workload_is_idle(const struct sim_workload *workload);

void sim_passing_table_name(char out[SIM_NAME_SIZE], uint64_t number);
const char *sim_op_kind_name(enum sim_op_kind kind);
static inline bool sim_op_is_write(const struct sim_op *op)
{
	return op->kind == SIM_PUT || op->kind == SIM_CAS || op->kind == SIM_DELETE;
}
static inline bool sim_op_is_put(const struct sim_op *op)
{
	return op->kind == SIM_PUT || op->kind == SIM_CAS;
}

#endif
