/* Item bytes to typed attribute JSON, {"a":{"S":"x"}}.
 *
 * Threads  pure functions.
 * Memory   appends to the caller's buf.
 * Errors   ST_CORRUPT for bytes that are no item (some JSON was appended already);
 *          ST_TOO_BIG, ST_NO_MEMORY from out.
 */
#ifndef COORDINATOR_JSON_JSON_ITEM_WRITE_H
#define COORDINATOR_JSON_JSON_ITEM_WRITE_H

#include "proto/model/item.h"

/* An item as {"a":{"S":"x"}}, and one value as {"S":"x"}. */
enum status json_item_write(struct buf *out, struct slice item) MUST_CHECK;
enum status json_item_write_value(struct buf *out, const struct item_value *value) MUST_CHECK;

#endif
