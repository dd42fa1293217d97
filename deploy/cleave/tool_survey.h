/* A cluster as its catalog and its nodes describe it, joined and judged.
 *
 * The catalog says what shall be; each node says how its own replicas stand.  A partition's leader
 * is the replica that says so with the highest term.
 *
 * Threads  one; pure functions over what was collected.
 * Memory   everything lives in the arena given to tool_survey_build(), or is borrowed from the
 *          catalog's state and the nodes' replies.
 * Errors   ST_NO_MEMORY.
 */
#ifndef DEPLOY_CLEAVE_TOOL_SURVEY_H
#define DEPLOY_CLEAVE_TOOL_SURVEY_H

#include "proto/base/arena.h"
#include "proto/catalog/catalog_state.h"
#include "proto/wire/admin.pb-c.h"

enum {
	TOOL_SURVEY_REPLICAS_MAX = 2 * CATALOG_REPLICAS_MAX, /* listed ones, and those on their way */
	TOOL_SURVEY_PROBLEMS_MAX = 50,
	TOOL_SURVEY_RANGE_SIZE = 20,
};

/* A node of the catalog or of the seeds, and what it answered. */
struct tool_node {
	uint64_t node_id;
	char zone[CATALOG_ZONE_SIZE_MAX + 1]; /* empty: never told the catalog */
	char host[CATALOG_HOST_SIZE_MAX + 1];
	uint16_t port;
	bool is_seed;
	enum status status;                   /* of the question; ST_OK: reply is set */
	const Cleave__NodeStatusReply *reply; /* NULL: not reached */
	uint64_t leader_count;                /* filled in by tool_survey_build(), catalog included */
};

struct tool_replica {
	uint64_t replica_id; /* 0: not known */
	uint64_t node_id;
	const char *state; /* leader, follower, ..., "unreachable" (the node), "missing" (on it) */
	bool is_listed;    /* in the catalog's record */
	bool is_known;     /* the node reports it: the numbers below are set */
	uint64_t term;
	uint64_t applied_index;
	uint64_t last_index;
	uint64_t lag; /* entries of the leader's log that it has not applied */
	bool has_lag; /* the leader is known */
};

struct tool_partition {
	uint64_t partition_id;
	uint32_t table_id;
	const struct table_info *table; /* NULL: the catalog itself */
	uint32_t epoch;
	char range_start[TOOL_SURVEY_RANGE_SIZE]; /* token in hex; "+" behind it: inside the token */
	char range_end[TOOL_SURVEY_RANGE_SIZE];   /* exclusive; empty: the end of the table */
	uint64_t leader_node_id;                  /* 0: nobody says so */
	uint64_t leader_replica_id;
	const Cleave__ReplicaStatus *leader_report; /* NULL: none leads */
	struct tool_replica replicas[TOOL_SURVEY_REPLICAS_MAX];
	size_t replica_count;
};

struct tool_survey {
	uint64_t catalog_version;
	struct tool_node *nodes; /* ascending by id */
	size_t node_count;
	size_t reachable_count;
	size_t ready_count;
	const struct catalog_state *state;
	struct tool_partition catalog;     /* the catalog's own group */
	struct tool_partition *partitions; /* by table name, then range */
	size_t partition_count;
	size_t led_count;   /* partitions with a leader */
	size_t whole_count; /* partitions whose listed replicas are all there */
	size_t usable_table_count;
	const char *problems[TOOL_SURVEY_PROBLEMS_MAX];
	size_t problem_count;      /* of those above */
	size_t more_problem_count; /* that did not fit */
};

enum status tool_survey_build(struct tool_survey *survey, const struct catalog_state *state,
			      struct tool_node *nodes, size_t node_count, struct arena *arena) MUST_CHECK;

/* NULL if there is none; the catalog's group has CATALOG_GROUP_ID. */
const struct tool_partition *tool_survey_find(const struct tool_survey *survey, uint64_t partition_id);

/* What people call a table: its name, or of a derived one "TABLE/INDEX". */
struct tool_table_name {
	char text[2 * (LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1)];
};

struct tool_table_name tool_survey_table_name(const struct catalog_state *state,
					      const struct table_info *table);

/* How far the partitions of a table have fed one of its global indexes, as their leaders say. */
struct tool_index_progress {
	size_t partition_count;
	size_t fed_count; /* they have sent all that was there when the index was made */
	uint32_t percent; /* of all partitions; one without a leader counts as 0 */
};

struct tool_index_progress tool_survey_index_progress(const struct tool_survey *survey,
						      const struct table_index *index, uint32_t table_id);

/* "ready", "not ready", "unreachable", "refused" */
const char *tool_survey_node_state(const struct tool_node *node);

#endif
