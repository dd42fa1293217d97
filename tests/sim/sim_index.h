/* Global indexes: the definition that tables of a run have, a client that makes and deletes it
 * while the run goes on, and the check that each index holds exactly what its table's items say.
 *
 * In a share of the seeds the tables have an index by g and v (sim_item.h), or by g, h, v and k, whose key
 * changes with almost every write; the main table is born with it, or the client adds and deletes it, or
 * both.
 *
 * Threads  one.
 * Errors   what must not be is told in `problem`.
 */
#ifndef TESTS_SIM_SIM_INDEX_H
#define TESTS_SIM_SIM_INDEX_H

#include "tests/sim/sim_coordinator.h"

#define SIM_INDEX_NAME "by-group"

enum { SIM_INDEX_ID_SIZE = 16 };

struct sim_index {
	struct sim_user user; /* first */
	struct sim_world *world;
	struct sim_coordinator *coordinator;
	bool is_used;    /* tables have indexes in this run */
	bool is_born;    /* the main table is made with one */
	bool is_changed; /* the client makes and deletes it */
	bool projects_keys;
	bool has_local; /* the main table and one that comes and goes are made with a local one too */
	bool is_busy;
	bool is_stopping;
	struct catalog_call call;
	struct runtime_timer timer;
	uint8_t request_id[SIM_INDEX_ID_SIZE];
	uint64_t made_count;
	uint64_t deleted_count;
	char problem[200]; /* empty: none */
};

void sim_index_init(struct sim_index *index, struct sim_world *world, struct sim_coordinator *coordinator);
/* Before the run begins: the index that the main table is born with stays. */
void sim_index_keep(struct sim_index *index);
void sim_index_stop(struct sim_index *index);
static inline bool sim_index_is_idle(const struct sim_index *index)
{
	return !index->is_busy;
}

/* The definition; the catalog fills in table id and state. */
void sim_index_define(const struct sim_index *index, struct table_index *definition_out);
/* A local index by v. */
void sim_index_define_local(const struct sim_index *index, struct table_index *definition_out);

#endif
