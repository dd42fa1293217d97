/* Attributes that are keys of an index, in what is written: an item may lack them, but not hold
 * anything else under their names.
 *
 * Threads  pure functions.
 * Errors   false with *error set.
 */
#ifndef COORDINATOR_API_API_INDEX_KEY_H
#define COORDINATOR_API_API_INDEX_KEY_H

#include "coordinator/api/api_error.h"
#include "proto/model/table_index.h"
#include "proto/wire/item.pb-c.h"

/* Of an item that is put.  indexes: of the table, or NULL. */
bool api_index_key_check(const struct table_indexes *indexes, struct slice item,
			 struct api_error *error) MUST_CHECK;
/* What a replica said of the item that an update, or a put on newer indexes, would make. */
void api_index_key_refused(const Cleave__RefusedIndexKey *refused, bool is_update, struct api_error *error);

#endif
