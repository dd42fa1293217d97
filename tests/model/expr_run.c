/* Run expressions as they come on stdin, one JSON object a line; one line of answer for each.
 *
 *   {"Use":"condition","Text":"a = :v","N":{"#n":"name"},"V":{":v":{"S":"x"}},"I":{item}}
 *   Use: condition, update (with K, the key of an item to be made) or projection
 *
 *   true, false                                          a condition
 *   {"Item":{..},"Old":{..},"New":{..}}, or "Item":null   an update, and its parts of both items
 *   {"Item":{..}}                                        a projection
 *   {"Error":"..."}                                      refused, or not to be applied
 */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_projection.h"
#include "coordinator/expr/expr_update.h"
#include "coordinator/json/json_item_write.h"
#include "coordinator/json/json_reader.h"
#include "coordinator/json/json_writer.h"
#include "proto/model/item_check.h"
#include "proto/wire/expr_code.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_project.h"
#include "storage/expr/eval_update.h"

enum { ARENA_SIZE = 256 * 1024 * 1024 };

struct request {
	struct slice use;
	struct slice text;
	struct json_list names;
	struct json_list values;
	struct slice item;
	struct slice key;
};

static const struct json_type values_type = JSON_MAP_OF(&json_type_value);
static const struct json_field fields[] = {
	JSON_FIELD(struct request, "Use", &json_type_string, use),
	JSON_FIELD(struct request, "Text", &json_type_string, text),
	JSON_FIELD(struct request, "N", &json_type_string_map, names),
	JSON_FIELD(struct request, "V", &values_type, values),
	JSON_FIELD(struct request, "I", &json_type_item, item),
	JSON_FIELD(struct request, "K", &json_type_item, key),
};
static const struct json_type request_type = JSON_STRUCT("Request", struct request, fields);

_Static_assert(sizeof(struct json_string_entry) == sizeof(struct expr_binding), "entries are bindings");

struct run {
	struct arena arena;
	struct request request;
	struct expr_error error;
	struct expr_bind bind;
	struct buf answer;
};

static struct expr_binding_map map_of(struct json_list list)
{
	return (struct expr_binding_map){ list.is_set, list.count, list.elements };
}

static void answer_error(struct run *run, const char *text)
{
	struct json_writer writer;

	json_writer_init(&writer, &run->answer);
	json_writer_object_start(&writer);
	json_writer_member_text(&writer, "Error", text);
	json_writer_object_end(&writer);
}

static void append_item(struct run *run, const char *name, struct slice item)
{
	buf_append_format(&run->answer, "%s\"%s\":", run->answer.size == 0 ? "{" : ",", name);
	if (item.size == 0) {
		buf_append_string(&run->answer, "null");
		return;
	}
	CHECK(item_check(item) == ST_OK);
	CHECK(json_item_write(&run->answer, item) == ST_OK);
}

static void *send_message(struct run *run, const ProtobufCMessage *message)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&run->arena);
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = arena_alloc(&run->arena, size + 1);
	void *received;

	CHECK(packed != NULL);
	(void)protobuf_c_message_pack(message, packed);
	received = protobuf_c_message_unpack(message->descriptor, &allocator, size, packed);
	CHECK(received != NULL);
	return received;
}

static bool is_refused(struct run *run, enum status status)
{
	if (status == ST_OK)
		status = expr_bind_finish(&run->bind);
	if (status == ST_OK)
		return false;
	CHECK(status == ST_INVALID);
	answer_error(run, run->error.text);
	return true;
}

static void run_condition(struct run *run)
{
	Cleave__ExprCondition *condition = NULL;
	bool is_true = false;

	if (is_refused(run, expr_condition_parse(&run->bind, EXPR_CONDITION, run->request.text, &condition)))
		return;
	condition = send_message(run, &condition->base);
	CHECK(eval_check_condition(condition) == ST_OK);
	CHECK(eval_condition(condition, run->request.item, &is_true) == ST_OK);
	buf_append_string(&run->answer, is_true ? "true" : "false");
}

static struct slice project(struct run *run, const struct eval_projection *projection, struct slice item)
{
	struct slice copy = { NULL, 0 };
	struct buf out;

	if (item.size == 0)
		return copy;
	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	CHECK(eval_project(projection, item, &out) == ST_OK);
	copy = slice_of(arena_copy(&run->arena, buf_slice(&out)), out.size);
	buf_close(&out);
	return copy;
}

static void run_projection(struct run *run)
{
	Cleave__ExprProjection *projection = NULL;
	struct eval_projection sorted;

	if (is_refused(run, expr_projection_parse(&run->bind, run->request.text, &projection)))
		return;
	projection = send_message(run, &projection->base);
	CHECK(eval_check_projection(projection) == ST_OK);
	CHECK(eval_project_init(&sorted, projection, &run->arena) == ST_OK);
	append_item(run, "Item", project(run, &sorted, run->request.item));
	buf_append_string(&run->answer, "}");
}

static void apply(struct run *run, const Cleave__ExprUpdate *update)
{
	struct eval_projection updated;
	struct eval_update_result result;
	enum status status;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	status = eval_update(update, run->request.item, run->request.key, &run->arena, &out, &result);
	CHECK(status == ST_OK || status == ST_INVALID);
	if (status == ST_INVALID) {
		answer_error(run, expr_update_error_text(result.error));
	} else {
		CHECK(eval_project_init_updated(&updated, update, &run->arena) == ST_OK);
		append_item(run, "Item", result.item);
		append_item(run, "Old", project(run, &updated, run->request.item));
		append_item(run, "New", project(run, &updated, result.item));
		buf_append_string(&run->answer, "}");
	}
	buf_close(&out);
}

static void run_update(struct run *run)
{
	Cleave__ExprUpdate *update = NULL;

	if (is_refused(run, expr_update_parse(&run->bind, run->request.text, &update)))
		return;
	update = send_message(run, &update->base);
	CHECK(eval_check_update(update) == ST_OK);
	apply(run, update);
}

static void run_line(struct run *run, struct slice line)
{
	struct json_error error;

	CHECK(json_read(&request_type, &run->request, line, &run->arena, &error) == ST_OK);
	if (expr_bind_init(&run->bind, &run->arena, map_of(run->request.names), map_of(run->request.values),
			   &run->error) != ST_OK)
		answer_error(run, run->error.text);
	else if (slice_equal(run->request.use, slice_of_string("condition")))
		run_condition(run);
	else if (slice_equal(run->request.use, slice_of_string("update")))
		run_update(run);
	else
		run_projection(run);
	CHECK(run->answer.status == ST_OK);
	(void)fwrite(run->answer.data, 1, run->answer.size, stdout);
	(void)putchar('\n');
}

int main(void)
{
	char *line = NULL;
	size_t capacity = 0;
	struct run run;
	ssize_t size;

	arena_init(&run.arena, ARENA_SIZE);
	buf_init(&run.answer, ARENA_SIZE);
	while ((size = getline(&line, &capacity, stdin)) > 0) {
		run_line(&run, slice_of(line, (size_t)size));
		arena_reset(&run.arena);
		buf_reset(&run.answer);
	}
	free(line);
	buf_close(&run.answer);
	arena_close(&run.arena);
	return 0;
}
