/* Rows of a key range, in order, within limits: what Query and Scan do beside the data.
 *
 * A scan stops after the row with which it reached a limit of the caller's, at the end of the
 * range, or, to keep one step short and its rows bounded, at a limit of its own; the caller
 * then goes on after last_key.
 *
 * The rows of all local indexes lie together, collection by collection.  A scan of one of them
 * passes over the others' without a word; only the length of its step counts them.
 *
 * Threads  any, one at a time: a scan may wait for the disk.
 * Memory   start and end are borrowed.  rows and last_key belong to the scan until
 *          item_scan_close().
 * Errors   ST_OK; ST_NO_MEMORY, ST_IO, ST_CORRUPT, ST_VERSION: the results are unusable.
 * Units    sizes are DynamoDB's unless named encoded.
 */
#ifndef STORAGE_ITEM_ITEM_SCAN_H
#define STORAGE_ITEM_ITEM_SCAN_H

#include "proto/model/limits.h"
#include "proto/model/table_schema.h"
#include "storage/engine/engine.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_project.h"

enum {
	ITEM_SCAN_ROWS_MAX = 16 * 1024,            /* evaluated in one step */
	ITEM_SCAN_PASSED_MAX = 64 * 1024,          /* rows of other indexes, in one step */
	ITEM_SCAN_SEEK_AFTER = 16,                 /* such rows in a row: then it seeks */
	ITEM_SCAN_ENCODED_BYTES = 4 * 1024 * 1024, /* rows beyond this end the step */
	ITEM_SCAN_ROWS_SIZE_MAX = ITEM_SCAN_ENCODED_BYTES + LIMIT_ITEM_ENCODED_SIZE_BYTES + 64,
};

struct item_scan {
	/* Set by the caller after item_scan_init(). */
	enum engine_family family;
	struct slice start; /* inclusive */
	struct slice end;   /* exclusive */
	bool is_backward;
	bool counts_only;
	uint8_t local_number;              /* not 0: FAMILY_LOCAL_INDEXES, rows of this index alone */
	const struct table_schema *schema; /* of the table; with local_number */
	bool fetches_items; /* of a local index: filter, projection and rows are of whole items */
	uint32_t row_count_max;
	uint64_t size_bytes_max;             /* of page_size_bytes: the row that reaches it is the last */
	bool counts_page_sizes;              /* rows by item_page_size.h, not by what they are charged */
	struct slice sort_key_name;          /* of the table, empty if it has none; with counts_page_sizes */
	const Cleave__ExprCondition *filter; /* checked; NULL: all rows match */
	const struct eval_projection *projection; /* NULL: whole items */
	/* Results. */
	struct buf rows; /* matched: size u32 be | item bytes */
	uint32_t matched_count;
	uint32_t evaluated_count;
	uint64_t evaluated_size_bytes; /* of the rows of the range itself */
	uint64_t fetched_units;        /* of 4 KB, each item by itself rounded up */
	uint64_t page_size_bytes;      /* of rows and fetched units, as counted towards size_bytes_max */
	struct buf last_key;           /* the row with which it stopped; empty with is_at_end */
	bool is_at_end;                /* no row of the range is left */
	/* Own. */
	const struct engine *engine;
	struct engine_iter *iter;
	struct engine_iter *base; /* fetches_items: over the items, of the same moment */
	struct buf key;           /* to seek to */
	uint32_t passed_count;
	uint32_t passed_in_a_row;
};

void item_scan_init(struct item_scan *scan);
void item_scan_close(struct item_scan *scan);
/* Once. */
enum status item_scan_run(struct item_scan *scan, struct engine *engine) MUST_CHECK;

#endif
