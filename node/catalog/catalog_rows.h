/* The catalog's rows in family meta: group u64 = 1 | kind u8 | id u64, big endian; a value is
 * a version byte and a protobuf record.
 *
 * Threads  loop thread.
 * Errors   ST_NO_MEMORY, ST_IO, ST_CORRUPT, ST_VERSION for a value of another format.
 */
#ifndef NODE_CATALOG_CATALOG_ROWS_H
#define NODE_CATALOG_CATALOG_ROWS_H

#include <protobuf-c/protobuf-c.h>

#include "storage/engine/engine.h"

/* Stored: append, never renumber.  A load meets them in this order. */
enum catalog_row_kind {
	CATALOG_ROW_HEAD = 0,     /* id 0: CatalogHead */
	CATALOG_ROW_SETTINGS = 1, /* id 0 */
	CATALOG_ROW_NODE = 2,
	CATALOG_ROW_TABLE = 3,
	CATALOG_ROW_PARTITION = 4,
	CATALOG_ROW_REMOVED = 5, /* id: version */
	CATALOG_ROW_REQUEST = 6, /* id: version; RememberedRequest */
};

enum { CATALOG_ROWS_BOUND_SIZE = 8 };

typedef enum status (*catalog_rows_cb)(void *context, enum catalog_row_kind kind, uint64_t id,
				       struct slice body);

enum status catalog_rows_put(struct engine *engine, struct engine_batch *batch, enum catalog_row_kind kind,
			     uint64_t id, const ProtobufCMessage *record) MUST_CHECK;
void catalog_rows_delete(struct engine *engine, struct engine_batch *batch, enum catalog_row_kind kind,
			 uint64_t id);
/* All rows in order; stops at the first failure.  Waits for the disk. */
enum status catalog_rows_scan(struct engine *engine, catalog_rows_cb cb, void *context) MUST_CHECK;
/* [start, end) of all of them. */
void catalog_rows_bounds(uint8_t start_out[CATALOG_ROWS_BOUND_SIZE],
			 uint8_t end_out[CATALOG_ROWS_BOUND_SIZE]);

#endif
