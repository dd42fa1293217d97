/* One request's expressions in a test: names, values and items come as JSON, and what is
 * compiled goes over the wire and through the check before it is run, as in life.
 *
 * Threads  one test at a time.
 * Memory   everything lies in the fixture's arena until expr_fixture_close().
 * Errors   what the test does not ask about fails the test.
 */
#ifndef TESTS_UNIT_EXPR_FIXTURE_H
#define TESTS_UNIT_EXPR_FIXTURE_H

#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_key.h"
#include "coordinator/expr/expr_projection.h"
#include "coordinator/expr/expr_update.h"
#include "coordinator/json/json_item_write.h"
#include "coordinator/json/json_reader.h"
#include "proto/model/item_check.h"
#include "proto/wire/expr_code.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_project.h"
#include "storage/expr/eval_update.h"

enum { EXPR_FIXTURE_ARENA_SIZE = 64 * 1024 * 1024 };

struct expr_fixture {
	struct arena arena;
	struct expr_error error;
	struct expr_bind bind;
};

struct expr_fixture_maps {
	struct json_list names;
	struct json_list values;
	struct slice item;
};

static const struct json_type expr_fixture_values_type = JSON_MAP_OF(&json_type_value);
static const struct json_field expr_fixture_fields[] = {
	JSON_FIELD(struct expr_fixture_maps, "N", &json_type_string_map, names),
	JSON_FIELD(struct expr_fixture_maps, "V", &expr_fixture_values_type, values),
	JSON_FIELD(struct expr_fixture_maps, "I", &json_type_item, item),
};
static const struct json_type expr_fixture_type = JSON_STRUCT("Fixture", struct expr_fixture_maps,
							      expr_fixture_fields);

_Static_assert(sizeof(struct json_string_entry) == sizeof(struct expr_binding), "entries are bindings");

static inline void expr_fixture_open(struct expr_fixture *f)
{
	arena_init(&f->arena, EXPR_FIXTURE_ARENA_SIZE);
	expr_error_init(&f->error);
}

static inline void expr_fixture_close(struct expr_fixture *f)
{
	arena_close(&f->arena);
}

/* body: an object with N, V and I, in single quotes for double ones. */
static inline struct expr_fixture_maps expr_fixture_read(struct expr_fixture *f, const char *body)
{
	uint8_t *text = arena_copy(&f->arena, slice_of_string(body));
	struct expr_fixture_maps maps;
	struct json_error error;

	for (size_t i = 0; text[i] != 0; i++) {
		if (text[i] == '\'')
			text[i] = '"';
	}
	assert_int_equal(
		json_read(&expr_fixture_type, &maps, slice_of_string((const char *)text), &f->arena, &error),
		ST_OK);
	return maps;
}

static inline struct expr_binding_map expr_fixture_map(struct json_list list)
{
	return (struct expr_binding_map){ list.is_set, list.count, list.elements };
}

/* A new request with these names and values. */
static inline enum status expr_fixture_bind(struct expr_fixture *f, const char *body)
{
	struct expr_fixture_maps maps = expr_fixture_read(f, body);

	return expr_bind_init(&f->bind, &f->arena, expr_fixture_map(maps.names),
			      expr_fixture_map(maps.values), &f->error);
}

static inline struct slice expr_fixture_item(struct expr_fixture *f, const char *item)
{
	struct buf body;
	struct slice bytes;

	buf_init(&body, EXPR_FIXTURE_ARENA_SIZE);
	buf_append_format(&body, "{'I':%s}", item);
	buf_put_u8(&body, 0);
	bytes = expr_fixture_read(f, (const char *)body.data).item;
	buf_close(&body);
	return bytes;
}

/* item as JSON, in single quotes and without blanks. */
static inline const char *expr_fixture_json(struct expr_fixture *f, struct slice item)
{
	struct buf out;
	char *text;

	buf_init(&out, EXPR_FIXTURE_ARENA_SIZE);
	assert_int_equal(json_item_write(&out, item), ST_OK);
	text = (char *)arena_copy(&f->arena, buf_slice(&out));
	buf_close(&out);
	for (size_t i = 0; text[i] != 0; i++) {
		if (text[i] == '"')
			text[i] = '\'';
	}
	return text;
}

/* Pack, unpack and check. */
static inline Cleave__ExprCondition *expr_fixture_send(struct expr_fixture *f,
						       const Cleave__ExprCondition *condition)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&f->arena);
	size_t size = cleave__expr_condition__get_packed_size(condition);
	uint8_t *packed = arena_alloc(&f->arena, size + 1);
	Cleave__ExprCondition *received;

	(void)cleave__expr_condition__pack(condition, packed);
	received = cleave__expr_condition__unpack(&allocator, size, packed);
	assert_non_null(received);
	assert_int_equal(eval_check_condition(received), ST_OK);
	return received;
}

/* The message that a condition is refused with, or NULL. */
static inline const char *expr_fixture_refusal(struct expr_fixture *f, enum expr_use use, const char *text)
{
	Cleave__ExprCondition *condition;
	enum status status;

	expr_error_init(&f->error);
	status = expr_condition_parse(&f->bind, use, slice_of_string(text), &condition);
	if (status == ST_OK)
		(void)expr_fixture_send(f, condition);
	else
		assert_int_equal(status, ST_INVALID);
	return status == ST_OK ? NULL : f->error.text;
}

static inline bool expr_fixture_holds(struct expr_fixture *f, const char *text, struct slice item)
{
	Cleave__ExprCondition *condition;
	bool is_true = false;

	expr_error_init(&f->error);
	if (expr_condition_parse(&f->bind, EXPR_CONDITION, slice_of_string(text), &condition) != ST_OK)
		fail_msg("%s: %s", text, f->error.text);
	assert_int_equal(eval_condition(expr_fixture_send(f, condition), item, &is_true), ST_OK);
	return is_true;
}

/* The same for updates and projections. */
static inline Cleave__ExprUpdate *expr_fixture_send_update(struct expr_fixture *f,
							   const Cleave__ExprUpdate *update)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&f->arena);
	size_t size = cleave__expr_update__get_packed_size(update);
	uint8_t *packed = arena_alloc(&f->arena, size + 1);
	Cleave__ExprUpdate *received;

	(void)cleave__expr_update__pack(update, packed);
	received = cleave__expr_update__unpack(&allocator, size, packed);
	assert_non_null(received);
	assert_int_equal(eval_check_update(received), ST_OK);
	return received;
}

static inline Cleave__ExprUpdate *expr_fixture_update(struct expr_fixture *f, const char *text)
{
	Cleave__ExprUpdate *update;

	expr_error_init(&f->error);
	if (expr_update_parse(&f->bind, slice_of_string(text), &update) != ST_OK)
		fail_msg("%s: %s", text, f->error.text);
	return expr_fixture_send_update(f, update);
}

static inline const char *expr_fixture_update_refusal(struct expr_fixture *f, const char *text)
{
	Cleave__ExprUpdate *update;
	enum status status;

	expr_error_init(&f->error);
	status = expr_update_parse(&f->bind, slice_of_string(text), &update);
	if (status == ST_OK)
		(void)expr_fixture_send_update(f, update);
	else
		assert_int_equal(status, ST_INVALID);
	return status == ST_OK ? NULL : f->error.text;
}

/* old updated, in the arena; or, with an empty item, why not. */
static inline Cleave__ExprUpdateError expr_fixture_apply(struct expr_fixture *f,
							 const Cleave__ExprUpdate *update, struct slice old,
							 struct slice key, struct slice *item_out)
{
	struct eval_update_result result;
	enum status status;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	status = eval_update(update, old, key, &f->arena, &out, &result);
	*item_out = slice_of(NULL, 0);
	if (status == ST_OK && result.exists) {
		assert_int_equal(item_check(result.item), ST_OK);
		assert_int_equal(item_size_bytes(result.item), result.size_bytes);
		*item_out = slice_of(arena_copy(&f->arena, result.item), result.item.size);
	}
	assert_int_equal(status == ST_INVALID, result.error != EXPR_UPDATE_ERROR(OK));
	assert_true(status == ST_OK || status == ST_INVALID);
	buf_close(&out);
	return result.error;
}

/* The parts of item, as JSON. */
static inline const char *expr_fixture_project(struct expr_fixture *f,
					       const struct eval_projection *projection, struct slice item)
{
	const char *json;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	assert_int_equal(eval_project(projection, item, &out), ST_OK);
	assert_int_equal(item_check(buf_slice(&out)), ST_OK);
	json = expr_fixture_json(f, buf_slice(&out));
	buf_close(&out);
	return json;
}

/* Attributes as types and names: "S:h N:i"; how many. */
static inline uint32_t expr_fixture_attributes(struct expr_key_attribute *out, const char *text)
{
	uint32_t count = 0;

	while (*text != '\0') {
		size_t size = strcspn(text, " ");

		assert_true(item_type_parse(slice_of(text, 1), &out[count].type));
		out[count++].name = slice_of(text + 2, size - 2);
		text += size + (text[size] == ' ');
	}
	return count;
}

static inline struct expr_key expr_fixture_key(const char *partition, const char *sort)
{
	struct expr_key key;

	key.partition_count = expr_fixture_attributes(key.attributes, partition);
	key.sort_count = expr_fixture_attributes(key.attributes + key.partition_count, sort);
	return key;
}

/* Both parts of a key. */
static inline enum status expr_fixture_match(const struct expr_key_terms *terms, const struct expr_key *key,
					     struct expr_key_query *query, struct expr_error *error)
{
	enum status status = expr_key_match_partition(terms, key, query, error);

	return status == ST_OK ? expr_key_match_sort(terms, key, query, error) : status;
}

#endif
