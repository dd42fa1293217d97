/* What the fuzz targets of expressions share: placeholders of all types, and an item with them.
 *
 * Threads  one.
 * Memory   made once, kept to the end.
 */
#ifndef TESTS_FUZZ_EXPR_REQUEST_H
#define TESTS_FUZZ_EXPR_REQUEST_H

#include "coordinator/expr/expr_bind.h"
#include "coordinator/json/json_reader.h"

enum { EXPR_REQUEST_ARENA_SIZE = 64 * 1024 * 1024 };

struct expr_request {
	struct json_list names;
	struct json_list values;
	struct slice item;
	struct slice key;
};

static const char expr_request_text[] =
	"{\"N\":{\"#a\":\"a\",\"#b\":\"b\",\"#x\":\"x.y\",\"#s\":\"status\"},"
	"\"V\":{\":s\":{\"S\":\"abc\"},\":t\":{\"S\":\"b\"},\":n\":{\"N\":\"1\"},\":m\":{\"N\":\"-2.5\"},"
	"\":b\":{\"B\":\"YWJj\"},\":o\":{\"BOOL\":true},\":z\":{\"NULL\":true},\":l\":{\"L\":[{\"N\":\"1\"},"
	"{\"S\":\"b\"}]},\":e\":{\"M\":{\"a\":{\"N\":\"1\"}}},\":ss\":{\"SS\":[\"a\",\"b\"]},"
	"\":ns\":{\"NS\":[\"1\",\"2\"]},\":bs\":{\"BS\":[\"YQ==\"]},\":y\":{\"S\":\"SS\"}},"
	"\"I\":{\"a\":{\"S\":\"abc\"},\"b\":{\"M\":{\"a\":{\"N\":\"1\"},\"l\":{\"L\":[{\"N\":\"0\"},{\"M\":{"
	"\"c\":"
	"{\"S\":\"x\"}}},{\"SS\":[\"a\",\"c\"]}]}}},\"c\":{\"N\":\"10\"},\"d\":{\"B\":\"YWJj\"},"
	"\"e\":{\"SS\":[\"a\",\"b\"]},\"f\":{\"NS\":[\"1\",\"3\"]},\"g\":{\"BS\":[\"YQ==\"]},\"h\":{\"NULL\":"
	"true},"
	"\"i\":{\"L\":[]},\"x.y\":{\"BOOL\":false},\"status\":{\"N\":\"9.9E125\"}},\"K\":{\"k\":{\"S\":"
	"\"key\"}}}";

static const struct json_type expr_request_values = JSON_MAP_OF(&json_type_value);
static const struct json_field expr_request_fields[] = {
	JSON_FIELD(struct expr_request, "N", &json_type_string_map, names),
	JSON_FIELD(struct expr_request, "V", &expr_request_values, values),
	JSON_FIELD(struct expr_request, "I", &json_type_item, item),
	JSON_FIELD(struct expr_request, "K", &json_type_item, key),
};
static const struct json_type expr_request_type = JSON_STRUCT("Request", struct expr_request,
							      expr_request_fields);

_Static_assert(sizeof(struct json_string_entry) == sizeof(struct expr_binding), "entries are bindings");

static inline const struct expr_request *expr_request(void)
{
	static struct expr_request request;
	static struct json_error error;
	static struct arena arena;

	if (request.item.data == NULL) {
		arena_init(&arena, EXPR_REQUEST_ARENA_SIZE);
		CHECK(json_read(&expr_request_type, &request, slice_of_string(expr_request_text), &arena,
				&error) == ST_OK);
	}
	return &request;
}

static inline struct expr_binding_map expr_request_map(struct json_list list)
{
	return (struct expr_binding_map){ list.is_set, list.count, list.elements };
}

static inline void expr_request_bind(struct expr_bind *bind, struct arena *arena, struct expr_error *error)
{
	const struct expr_request *request = expr_request();

	CHECK(expr_bind_init(bind, arena, expr_request_map(request->names), expr_request_map(request->values),
			     error) == ST_OK);
}

#endif
