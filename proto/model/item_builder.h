/* Write an item (see item.h) straight into a buf, from first byte to last.
 *
 * Containers have heads of fixed size, which are filled in when the container ends; so
 * nothing is moved and nothing is built twice.
 *
 *   item_builder_init(&builder, &buf);
 *   item_builder_name(&builder, slice_of_string("tags"));
 *   item_builder_open(&builder, ITEM_SS);
 *   item_builder_member(&builder, slice_of_string("new"));
 *   item_builder_close(&builder);
 *   status = item_builder_finish(&builder);
 *
 * Threads  a builder belongs to one thread.
 * Memory   the bytes are the buf's; the item starts where the buf ended at item_builder_init().
 * Errors   sticky, in builder.status and told by item_builder_finish(): ST_TOO_BIG (the
 *          buf's limit, the depth, a name's size), ST_NO_MEMORY.  After an error all calls do
 *          nothing.  The builder checks neither UTF-8 nor duplicates: item_check() does.  A
 *          value without a name in a map, or a name without a value, is a bug of the caller.
 */
#ifndef PROTO_MODEL_ITEM_BUILDER_H
#define PROTO_MODEL_ITEM_BUILDER_H

#include "proto/base/bytes.h"
#include "proto/model/decimal.h"
#include "proto/model/item.h"

struct item_builder_level {
	size_t payload_offset; /* in the buf; the count stands first */
	uint32_t count;
	enum item_type type;
};

struct item_builder {
	struct buf *out;
	size_t start_offset;
	uint32_t depth; /* open containers; the item itself is level 0 */
	bool has_name;  /* a name waits for its value */
	enum status status;
	struct item_builder_level levels[LIMIT_NESTING_DEPTH + 1];
};

void item_builder_init(struct item_builder *builder, struct buf *out);
/* In an item or M, before each value. */
void item_builder_name(struct item_builder *builder, struct slice name);
void item_builder_string(struct item_builder *builder, struct slice text);
void item_builder_number(struct item_builder *builder, const struct decimal *number);
void item_builder_binary(struct item_builder *builder, struct slice bytes);
void item_builder_bool(struct item_builder *builder, bool is_true);
void item_builder_null(struct item_builder *builder);
/* type: ITEM_L ITEM_M ITEM_SS ITEM_NS ITEM_BS */
void item_builder_open(struct item_builder *builder, enum item_type type);
void item_builder_close(struct item_builder *builder);
/* In a set: of SS and BS, and of NS. */
void item_builder_member(struct item_builder *builder, struct slice member);
void item_builder_member_number(struct item_builder *builder, const struct decimal *number);
/* Copy a value of another item. */
void item_builder_value(struct item_builder *builder, const struct item_value *value);
/* name and value in one. */
void item_builder_attribute(struct item_builder *builder, const struct item_attribute *attribute);
/* A value's head only, or a member's: the caller then appends exactly size_bytes to
 * builder->out (base64 decodes straight into it). */
void item_builder_head(struct item_builder *builder, enum item_type type, size_t size_bytes);
void item_builder_member_head(struct item_builder *builder, size_t size_bytes);
/* The payload of the innermost open container as far as it goes: its members can be checked
 * before it is closed.  Valid until the next call. */
struct slice item_builder_open_payload(struct item_builder *builder);
/* Ends the item. */
enum status item_builder_finish(struct item_builder *builder) MUST_CHECK;
/* The finished item's bytes: valid until the buf changes. */
struct slice item_builder_item(const struct item_builder *builder);

#endif
