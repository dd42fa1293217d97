/* Clients of a run that make, delete and describe tables, and the check of what they were told.
 *
 * One lives on each coordinator; both use the same few names.  The first one also makes the main
 * table, which stays.  They call the catalog as the API does: a change by catalog_call, a look by
 * catalog_view_sync and the copy.
 *
 * What must hold, for each name:
 *   every made table has an id of its own, and later looks never see an older table, or an
 *   earlier state of the same one (CREATING, ACTIVE, DELETING, gone)
 *   a table that was made is there until somebody asks to delete it
 *   "it exists" is said only while one may exist
 *   a refusal is a look like any other: who is told that there is no such table has seen none
 *   a request that comes again, as an attempt does that was long under way, gets its first answer
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_TABLES_H
#define TESTS_SIM_SIM_TABLES_H

#include "tests/sim/sim_index.h"
#include "tests/sim/sim_workload.h"

enum sim_table_op_kind { SIM_TABLE_CREATE, SIM_TABLE_DELETE, SIM_TABLE_DESCRIBE, SIM_TABLE_REPEAT };

struct sim_table_op {
	enum sim_table_op_kind kind;
	uint32_t client;
	uint32_t name;      /* number; SIM_PASSING_TABLES: the main table */
	bool is_done;       /* else its outcome is unknown */
	enum status status; /* ST_OK, ST_EXISTS, ST_NOT_FOUND, ST_BUSY once done */
	uint32_t table_id;  /* seen or made; 0: none */
	enum table_state state;
	uint64_t call_us;
	uint64_t return_us;
};

struct sim_tables;

enum { SIM_TABLE_REQUEST_ID_SIZE = 16 };

/* A change that was made, to be asked for again. */
struct sim_table_change {
	bool is_set;
	enum sim_table_op_kind kind;
	uint32_t name;
	uint32_t table_id;
	uint8_t request_id[SIM_TABLE_REQUEST_ID_SIZE];
};

struct sim_table_client {
	struct sim_user user; /* first */
	struct sim_tables *tables;
	struct sim_coordinator *coordinator;
	uint32_t id;
	bool is_busy;
	size_t op_index;
	uint8_t request_id[SIM_TABLE_REQUEST_ID_SIZE];
	struct sim_table_change made; /* the newest */
	struct catalog_call call;
	struct catalog_sync sync;
	struct runtime_timer timer;
};

struct sim_tables {
	struct sim_world *world;
	const struct sim_index *index; /* what tables are made with */
	struct sim_table_client clients[SIM_COORDINATORS];
	struct sim_table_op *ops;
	size_t op_count;
	size_t op_capacity;
	uint64_t think_us_max;
	bool has_main;         /* it was made */
	uint64_t done_call_us; /* the latest beginning of an operation that was answered */
	bool is_stopping;
	char problem[200]; /* empty: none */
};

void sim_tables_init(struct sim_tables *tables, struct sim_world *world, struct sim_coordinator *coordinators,
		     const struct sim_index *index);
void sim_tables_close(struct sim_tables *tables);
/* Begin no new operation. */
void sim_tables_stop(struct sim_tables *tables);
/* Put a look that somebody else takes into the history, once it has ended: name is not there. */
void sim_tables_note_absent(struct sim_tables *tables, uint32_t client, uint32_t name, uint64_t call_us);
bool sim_tables_is_idle(const struct sim_tables *tables);

/* Append what is wrong with the history; nothing if it is sound. */
void sim_tables_check(const struct sim_tables *tables, struct buf *report);

#endif
