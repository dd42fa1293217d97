/* Typed attribute JSON, {"a":{"S":"x"}}, to item bytes.
 *
 * A parser is fed one token after the other and writes the item (proto/model/item.h) as it
 * goes: one pass, no tree, nothing on the heap but the output.
 *
 * Threads  a parser belongs to one thread.
 * Memory   item bytes go to the caller's buf, which should be given LIMIT_ITEM_ENCODED_SIZE_BYTES.
 * Errors   struct json_error, with the API's own messages.  After a wrong value
 *          (JSON_ERROR_VALIDATION) the parser goes on looking at types, since a wrong type
 *          (JSON_ERROR_SERIALIZATION) further on is what must be answered.
 * Source   "AttributeValue", DynamoDB API reference; messages as the service gives them.
 */
#ifndef COORDINATOR_JSON_JSON_ITEM_H
#define COORDINATOR_JSON_JSON_ITEM_H

#include "coordinator/json/json_token.h"
#include "proto/model/item_builder.h"

struct json_item_frame {
	uint8_t kind;        /* see json_item.c */
	uint8_t type;        /* enum item_type; 0: none yet, or unknown */
	uint16_t type_count; /* datatypes seen in one AttributeValue */
	uint32_t count;      /* members of a set */
};

struct json_item_parser {
	struct item_builder builder;
	struct json_error *error;
	bool is_value;       /* one AttributeValue instead of a map of them */
	uint32_t level;      /* open lists and maps */
	uint32_t skip_depth; /* inside a value of an unknown datatype */
	uint32_t frame_count;
	struct json_item_frame frames[LIMIT_JSON_DEPTH + 1];
	size_t attribute_end; /* of the last top-level name, in the buf */
	size_t attribute_size;
};

/* Begin an item after its MAP_START (json_item_init), or one AttributeValue after its (..._init_value). */
void json_item_init(struct json_item_parser *parser, struct buf *out, struct json_error *error);
void json_item_init_value(struct json_item_parser *parser, struct buf *out, struct json_error *error);
/* False if the JSON is wrong and *error tells why: feed no more. */
bool json_item_feed(struct json_item_parser *parser, const struct json_token *token) MUST_CHECK;
/* True once the last MAP_END was fed. */
bool json_item_is_done(const struct json_item_parser *parser);
/* The item, or one encoded value; valid until the buf changes.
 *
 *   ST_INVALID  *error tells why
 *   ST_NO_MEMORY */
enum status json_item_finish(struct json_item_parser *parser, struct slice *bytes_out) MUST_CHECK;

#endif
