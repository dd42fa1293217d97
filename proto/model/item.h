/* The item format: one attribute map, on the wire, in storage and as an operation's input.
 *
 * It is walked where it lies; nothing is unpacked.  The bytes of
 *
 *   item, M    count u32 be, then count times: name size varint, name, value
 *   L          count u32 be, then count values
 *   SS NS BS   count u32 be, then count times: size varint, bytes
 *   value      type u8, size of the payload, payload.  The size is a varint for S N B BOOL
 *              NULL and u32 be for L M SS NS BS, whose size is known only when they end
 *   payloads   S and B their bytes, N the byte form of decimal.h, BOOL one byte 0 or 1,
 *              NULL nothing, the others as above
 *
 * so a value of any type is skipped in constant time.  Attributes and members keep the
 * order in which they came.  Bytes from outside go through item_check() (item_check.h) once; the walkers
 * are safe on any bytes, but end early on bad ones.
 *
 * Threads  pure functions on borrowed bytes.
 * Memory   views point into the item and are valid as long as its bytes are.
 * Errors   outputs are written on true only; item_iter_status() tells the end from bad bytes.
 * Source   sizes and depth: "Item sizes and formats", AWS's documentation.
 */
#ifndef PROTO_MODEL_ITEM_H
#define PROTO_MODEL_ITEM_H

#include "proto/base/bytes.h"
#include "proto/model/limits.h"

/* These values are stored and sent: never renumber. */
enum item_type {
	ITEM_S = 1,
	ITEM_N = 2,
	ITEM_B = 3,
	ITEM_BOOL = 4,
	ITEM_NULL = 5,
	ITEM_L = 6,
	ITEM_M = 7,
	ITEM_SS = 8,
	ITEM_NS = 9,
	ITEM_BS = 10,
};

struct item_value {
	enum item_type type;
	struct slice payload;
	struct slice encoded; /* the whole value, to be copied by item_builder_value() */
};

struct item_attribute {
	struct slice name;
	struct item_value value;
};

/* A walk over an item, or over the payload of an M, L or set.  After the last element the
 * next function gives false, and status tells the end (ST_OK) from bad bytes (ST_CORRUPT). */
struct item_iter {
	struct reader reader;
	uint32_t count_left;
};

/* "S", "BOOL", ...; "?" for an unknown value. */
const char *item_type_name(enum item_type type);
/* False if the name is none. */
bool item_type_parse(struct slice name, enum item_type *type_out);
bool item_type_is_set(enum item_type type);
/* L M SS NS BS */
bool item_type_is_container(enum item_type type);

/* container: an item, or the payload of an M, L, SS, NS or BS. */
void item_iter_init(struct item_iter *iter, struct slice container);
bool item_next_attribute(struct item_iter *iter, struct item_attribute *attribute_out); /* item, M */
bool item_next_value(struct item_iter *iter, struct item_value *value_out);             /* L */
bool item_next_member(struct item_iter *iter, struct slice *member_out);                /* SS NS BS */
/* ST_OK once all elements were read and no byte is left. */
enum status item_iter_status(const struct item_iter *iter);

/* Elements of an item or of a container's payload, by its head. */
uint32_t item_count(struct slice container);
/* False if absent. */
bool item_find(struct slice item, struct slice name, struct item_value *value_out);
/* The index-th element of a list's payload; false if it is shorter. */
bool item_list_at(struct slice list, uint32_t index, struct item_value *value_out);

/* The size as DynamoDB counts it: names and values.  Of bad bytes, and of what is nested
 * deeper than LIMIT_NESTING_DEPTH, only the good part is counted. */
uint64_t item_size_bytes(struct slice item);
uint64_t item_value_size_bytes(const struct item_value *value);

#endif
