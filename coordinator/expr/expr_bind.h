/* The placeholders of one request: #names to attribute names, :values to encoded values.
 *
 * All expressions of a request are parsed with one bind, which knows at the end whether each
 * placeholder was used.
 *
 * Threads  a bind belongs to one thread.
 * Memory   a bind and what is parsed with it borrow from the input and from the arena.
 * Errors   ST_INVALID with *error set, DynamoDB's text in full; ST_NO_MEMORY (also the arena's limit).
 * Source   "Expressions" and "Constraints", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_BIND_H
#define COORDINATOR_EXPR_EXPR_BIND_H

#include "coordinator/expr/expr_error.h"
#include "proto/base/arena.h"

/* What an expression is for: it is named in messages. */
enum expr_use {
	EXPR_CONDITION,     /* ConditionExpression */
	EXPR_FILTER,        /* FilterExpression */
	EXPR_KEY_CONDITION, /* KeyConditionExpression */
	EXPR_UPDATE,        /* UpdateExpression */
	EXPR_PROJECTION,    /* ProjectionExpression */
};

struct expr_binding {
	struct slice placeholder; /* with its # or : */
	struct slice value;       /* an attribute's name; or one encoded value, checked */
};

/* A map of bindings as it stood in the request: placeholders differ. */
struct expr_binding_map {
	bool is_set; /* an empty map is not an absent one */
	uint32_t count;
	const struct expr_binding *bindings;
};

/* One map, ready to be searched. */
struct expr_lookup {
	const struct expr_binding *bindings;
	uint32_t count;
	uint32_t *sorted;  /* NULL: few, searched one by one */
	bool *is_used;     /* one for each binding */
	uint32_t use_left; /* not used yet */
};

struct expr_bind {
	struct arena *arena;
	struct expr_error *error;
	struct expr_lookup names;
	struct expr_lookup values;
};

/* Checks the placeholders: syntax, sizes, empty maps. */
enum status expr_bind_init(struct expr_bind *bind, struct arena *arena, struct expr_binding_map names,
			   struct expr_binding_map values, struct expr_error *error) MUST_CHECK;
/* After the last expression: ST_INVALID if a placeholder was not used. */
enum status expr_bind_finish(struct expr_bind *bind) MUST_CHECK;

/* For the parsers: the binding's index, -1 if there is none; it is used from then on. */
int64_t expr_bind_find(struct expr_lookup *lookup, struct slice placeholder);

#endif
