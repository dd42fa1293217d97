/* Strict validation of items from outside (see item.h for the format).
 *
 * Threads  pure functions.
 * Memory   borrowed bytes; scratch memory while a large map or set is searched for duplicates.
 * Errors   enum status.  The cost is n log n at most, whatever the bytes are.
 * Source   nesting: a value may lie 32 levels deep, the attributes of the item being level 1.
 */
#ifndef PROTO_MODEL_ITEM_CHECK_H
#define PROTO_MODEL_ITEM_CHECK_H

#include "proto/model/item.h"

/* Is this an item, byte for byte as item_builder would have written it?
 *
 *   ST_CORRUPT    malformed, not UTF-8, not canonical, duplicate names or set members,
 *                 an empty set, trailing bytes
 *   ST_TOO_BIG    nested too deep, a name too long, or over LIMIT_ITEM_ENCODED_SIZE_BYTES
 *   ST_NO_MEMORY
 *
 * LIMIT_ITEM_SIZE_BYTES is another matter: see item_size_bytes(). */
enum status item_check(struct slice item) MUST_CHECK;
/* The same for one encoded value of an item's attribute. */
enum status item_check_value(struct slice encoded) MUST_CHECK;
/* ST_INVALID if an item, or the payload of an M or a set, has a name or member twice. */
enum status item_check_unique(struct slice container, enum item_type type) MUST_CHECK;
/* True if no two are equal; sorts them. */
bool item_check_distinct(struct slice *names, size_t count);
/* Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool item_check_utf8(struct slice text);

#endif
