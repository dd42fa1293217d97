/* The indexes of a table, from and to their wire form.
 *
 * Threads  pure functions.
 * Memory   what is decoded lives in the arena; wire forms too, and borrow from the struct.
 * Errors   decoding: ST_CORRUPT for a field that breaks a rule, ST_NO_MEMORY.
 */
#ifndef PROTO_CATALOG_INDEX_INFO_H
#define PROTO_CATALOG_INDEX_INFO_H

#include "proto/catalog/catalog_info.h"

enum status index_info_decode(const Cleave__IndexRecord *record, struct arena *arena,
			      struct table_index *index_out) MUST_CHECK;
/* NULL when the arena is full. */
Cleave__IndexRecord *index_info_encode(const struct table_index *index, struct arena *arena);

/* All of a table; *indexes_out is NULL if it has none. */
enum status index_info_decode_all(const Cleave__TableRecord *record, struct arena *arena,
				  const struct table_indexes **indexes_out) MUST_CHECK;
/* False when the arena is full. */
bool index_info_encode_all(const struct table_indexes *indexes, Cleave__TableRecord *record,
			   struct arena *arena) MUST_CHECK;

/* What an update is on its way to, of an index or of a table; no record: nothing. */
struct table_next_units index_info_decode_units(const Cleave__Throughput *record);
/* False when the arena is full. */
bool index_info_encode_units(const struct table_next_units *units, Cleave__Throughput **record_out,
			     struct arena *arena) MUST_CHECK;

#endif
