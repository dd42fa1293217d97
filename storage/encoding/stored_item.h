/* A row's value in family items: a head, then the item bytes of proto/model/item.h.
 *
 *   version u8 = 1 | hybrid timestamp u64 be | origin region u16 be | size u32 be | item
 *
 * Timestamp and origin decide which of two regions' writes wins.  The size is the item's as
 * DynamoDB counts it: every write needs that of the item before it, and walking it costs more.
 *
 * Threads  pure functions.
 * Memory   views borrow.
 */
#ifndef STORAGE_ENCODING_STORED_ITEM_H
#define STORAGE_ENCODING_STORED_ITEM_H

#include "proto/base/bytes.h"

enum { STORED_ITEM_VERSION = 1, STORED_ITEM_HEAD_SIZE = 15 };

struct stored_item {
	uint64_t hlc; /* milliseconds since 1970 << 16 | counter */
	uint16_t origin;
	uint32_t size_bytes; /* as DynamoDB counts */
	struct slice item;
};

void stored_item_put_head(uint8_t head_out[STORED_ITEM_HEAD_SIZE], uint64_t hlc, uint16_t origin,
			  uint32_t size_bytes);
/* ST_CORRUPT if too short, ST_VERSION if of a newer format. */
enum status stored_item_read(struct slice value, struct stored_item *stored_out) MUST_CHECK;

#endif
