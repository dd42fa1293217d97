/* How many items a table and its indexes have, as nodes counted them last: asked of the catalog's
 * leader, whom they report to.
 *
 * Threads  loop thread.
 * Memory   embedded in the operation's state; what is received lives in the request's arena.
 * Errors   none: what is not known counts as nothing.
 */
#ifndef COORDINATOR_API_API_TABLE_COUNT_H
#define COORDINATOR_API_API_TABLE_COUNT_H

#include "coordinator/api/api_request.h"

struct api_table_count;

typedef void (*api_table_count_cb)(struct api_table_count *count);

struct api_table_count {
	struct api_request *request;
	struct catalog_call call;
	api_table_count_cb done;
	const Cleave__StatisticsReply *reply; /* NULL: nothing is known */
};

struct api_table_rows {
	uint64_t count;
	uint64_t size_bytes;
};

/* done() is called once, later; or the request is answered, for want of memory. */
void api_table_count_start(struct api_table_count *count, struct api_request *request,
			   const struct table_info *table, api_table_count_cb done);

/* Of the table, and of one of its indexes.  reply may be NULL. */
struct api_table_rows api_table_count_items(const Cleave__StatisticsReply *reply,
					    const struct table_info *table);
struct api_table_rows api_table_count_index(const Cleave__StatisticsReply *reply,
					    const struct table_info *table, const struct table_index *index);

#endif
