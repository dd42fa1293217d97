/* One entry of a group's log, with a body that is shared, not copied.
 *
 * The same body is referenced by the log's cache, by messages to slow peers and by the
 * apply queue.
 *
 * Threads  loop thread only: the count is not atomic.
 * Memory   log_body_create() gives one reference; the last log_body_release() frees.
 */
#ifndef REPLICATION_ENGINE_LOG_ENTRY_H
#define REPLICATION_ENGINE_LOG_ENTRY_H

#include <stdint.h>

#include "proto/base/bytes.h"

/* Stored on disk and sent: never renumber.  The values are libraft's. */
enum log_entry_type {
	LOG_ENTRY_COMMAND = 1,
	LOG_ENTRY_BARRIER = 2, /* a leader's first entry: nothing to apply */
	LOG_ENTRY_CHANGE = 3,  /* a membership change */
};

struct log_body {
	uint32_t reference_count;
	uint32_t size_bytes;
	uint8_t data[];
};

struct log_entry {
	uint64_t term;
	enum log_entry_type type;
	struct log_body *body;
};

/* A body with room for size_bytes, not filled; NULL when out of memory. */
struct log_body *log_body_create(size_t size_bytes);
struct log_body *log_body_retain(struct log_body *body);
void log_body_release(struct log_body *body); /* NULL is fine */

static inline struct slice log_entry_slice(const struct log_entry *entry)
{
	return slice_of(entry->body->data, entry->body->size_bytes);
}

#endif
