/* A table's tags: a packed TagSet, checked, changed and read.
 *
 * Threads  pure functions.
 * Memory   what is made lives in the arena.
 * Errors   ST_CORRUPT for bytes that are none or break a rule, ST_NO_MEMORY.
 * Source   "Tagging restrictions in DynamoDB", AWS's documentation.
 */
#ifndef PROTO_CATALOG_TAG_INFO_H
#define PROTO_CATALOG_TAG_INFO_H

#include "proto/base/arena.h"
#include "proto/base/bytes.h"
#include "proto/model/limits.h"
#include "proto/wire/catalog.pb-c.h"

enum {
	/* A unit of UTF-16 is three bytes of UTF-8 at most. */
	TAG_INFO_KEY_SIZE_BYTES_MAX = 3 * LIMIT_TAG_KEY_SIZE,
	TAG_INFO_VALUE_SIZE_BYTES_MAX = 3 * LIMIT_TAG_VALUE_SIZE,
	TAG_INFO_SIZE_BYTES_MAX = LIMIT_TAG_COUNT *
				  (TAG_INFO_KEY_SIZE_BYTES_MAX + TAG_INFO_VALUE_SIZE_BYTES_MAX + 16),
};

/* Check and copy. */
enum status tag_info_decode(const ProtobufCBinaryData *packed, struct arena *arena,
			    struct slice *tags_out) MUST_CHECK;
/* The tags themselves; NULL: malformed, or the arena is full. */
Cleave__TagSet *tag_info_unpack(struct slice tags, struct arena *arena);
/* .data is NULL if the arena is full. */
struct slice tag_info_pack(const Cleave__TagSet *set, struct arena *arena);
/* The tags with those of put in the place of the same keys, and without the keys to remove.
 *
 *   ST_TOO_BIG  more than LIMIT_TAG_COUNT */
enum status tag_info_change(struct slice tags, const Cleave__TagTableRequest *request, struct arena *arena,
			    struct slice *tags_out) MUST_CHECK;

#endif
