/* What recent requests were answered, so that a retry gets its first outcome.
 *
 * Threads  loop thread.
 * Memory   in place; owns copies of request ids and replies.
 * Errors   ST_NO_MEMORY.
 */
#ifndef NODE_CATALOG_CATALOG_OUTCOMES_H
#define NODE_CATALOG_CATALOG_OUTCOMES_H

#include <stdint.h>

#include "proto/base/bytes.h"

enum { CATALOG_OUTCOMES_MAX = 1024 };

/* The outcome of a request that took effect. */
struct catalog_outcome {
	uint64_t version; /* that it made */
	struct slice request_id;
	struct slice reply; /* a packed TableReply */
	uint8_t *block;     /* owns both */
};

struct catalog_outcomes {
	struct catalog_outcome list[CATALOG_OUTCOMES_MAX]; /* ascending by version */
	uint32_t count;
};

/* There must be room: drop the oldest first. */
enum status catalog_outcomes_add(struct catalog_outcomes *outcomes, uint64_t version, struct slice request_id,
				 struct slice reply) MUST_CHECK;
void catalog_outcomes_drop_oldest(struct catalog_outcomes *outcomes);
void catalog_outcomes_clear(struct catalog_outcomes *outcomes);
/* NULL if none; valid until the next change. */
const struct catalog_outcome *catalog_outcomes_find(const struct catalog_outcomes *outcomes,
						    struct slice request_id);

#endif
