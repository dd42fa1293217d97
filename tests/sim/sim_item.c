#include "tests/sim/sim_item.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_update.h"
#include "proto/model/item_builder.h"
#include "proto/model/row_key.h"

enum { VALUE_SIZE_MAX = 128, GROUPS = 3, UNGROUPED_ONE_IN = 5, UNHALVED_ONE_IN = 7 };

void sim_item_text(char out[SIM_ITEM_TEXT_SIZE], uint64_t value)
{
	(void)snprintf(out, SIM_ITEM_TEXT_SIZE, "%" PRIu64, value);
}

void sim_item_key(struct buf *out, const char *name)
{
	struct item_builder builder;

	buf_reset(out);
	item_builder_init(&builder, out);
	item_builder_name(&builder, slice_of_string("k"));
	item_builder_string(&builder, slice_of_string(name));
	CHECK(item_builder_finish(&builder) == ST_OK);
}

void sim_item_row_key(struct buf *out, const struct table_info *table, struct slice key_item)
{
	struct row_key_error error;

	buf_reset(out);
	CHECK(row_key_from_key(out, table->table_id, table->token_seed, &table->schema, key_item, &error) ==
	      ST_OK);
}

void sim_item_register(struct buf *out, const char *name, uint64_t value, size_t padding_size)
{
	static const uint8_t padding[SIM_ITEM_PADDING_MAX];
	struct item_builder builder;
	char group[SIM_ITEM_TEXT_SIZE];
	char text[SIM_ITEM_TEXT_SIZE];

	CHECK(padding_size <= sizeof(padding));
	(void)snprintf(group, sizeof(group), "group-%" PRIu64, value % GROUPS);
	sim_item_text(text, value);
	buf_reset(out);
	item_builder_init(&builder, out);
	item_builder_name(&builder, slice_of_string("k"));
	item_builder_string(&builder, slice_of_string(name));
	item_builder_name(&builder, slice_of_string("v"));
	item_builder_string(&builder, slice_of_string(text));
	if (value % UNGROUPED_ONE_IN != 0) {
		item_builder_name(&builder, slice_of_string("g"));
		item_builder_string(&builder, slice_of_string(group));
	}
	if (value % UNHALVED_ONE_IN != 0) {
		item_builder_name(&builder, slice_of_string("h"));
		item_builder_string(&builder, slice_of_string(value / GROUPS % 2 == 0 ? "low" : "high"));
	}
	item_builder_name(&builder, slice_of_string("padding"));
	item_builder_binary(&builder, slice_of(padding, padding_size));
	CHECK(item_builder_finish(&builder) == ST_OK);
}

bool sim_item_value(struct slice item, const char *name, uint64_t *value_out)
{
	struct item_value key;
	struct item_value value;
	char text[SIM_ITEM_TEXT_SIZE];

	if (!item_find(item, slice_of_string("k"), &key) || !item_find(item, slice_of_string("v"), &value) ||
	    !slice_equal(key.payload, slice_of_string(name)) || value.type != ITEM_S ||
	    value.payload.size >= sizeof(text))
		return false;
	memcpy(text, value.payload.data, value.payload.size);
	text[value.payload.size] = '\0';
	*value_out = strtoull(text, NULL, 10);
	return *value_out != 0;
}

/* --- expressions --- */

/* A value as placeholders have it. */
static struct slice encode(struct arena *arena, bool is_number, uint64_t value)
{
	char text[SIM_ITEM_TEXT_SIZE];
	struct item_builder builder;
	struct item_value encoded;
	struct decimal number;
	struct slice copy;
	struct buf item;

	sim_item_text(text, value);
	decimal_from_int(&number, (int64_t)value);
	buf_init(&item, VALUE_SIZE_MAX);
	item_builder_init(&builder, &item);
	item_builder_name(&builder, slice_of_string("a"));
	if (is_number)
		item_builder_number(&builder, &number);
	else
		item_builder_string(&builder, slice_of_string(text));
	CHECK(item_builder_finish(&builder) == ST_OK);
	CHECK(item_find(buf_slice(&item), slice_of_string("a"), &encoded));
	copy = slice_of(arena_copy(arena, encoded.encoded), encoded.encoded.size);
	CHECK(copy.data != NULL);
	buf_close(&item);
	return copy;
}

static void bind(struct expr_bind *bind, struct arena *arena, const struct expr_binding *value)
{
	struct expr_error *error = arena_alloc(arena, sizeof(*error));

	CHECK(error != NULL);
	expr_error_init(error);
	CHECK(expr_bind_init(bind, arena, (struct expr_binding_map){ 0 },
			     (struct expr_binding_map){ value != NULL, value != NULL, value },
			     error) == ST_OK);
}

const Cleave__ExprCondition *sim_item_expects(struct arena *arena, uint64_t value)
{
	struct expr_binding expected = { slice_of_string(":value"), encode(arena, false, value) };
	const char *text = value == 0 ? "attribute_not_exists(k)" : "v = :value";
	Cleave__ExprCondition *condition;
	struct expr_bind binds;

	bind(&binds, arena, value == 0 ? NULL : &expected);
	CHECK(expr_condition_parse(&binds, EXPR_CONDITION, slice_of_string(text), &condition) == ST_OK);
	CHECK(expr_bind_finish(&binds) == ST_OK);
	return condition;
}

const Cleave__ExprUpdate *sim_item_increment(struct arena *arena)
{
	struct expr_binding one = { slice_of_string(":one"), encode(arena, true, 1) };
	Cleave__ExprUpdate *update;
	struct expr_bind binds;

	bind(&binds, arena, &one);
	CHECK(expr_update_parse(&binds, slice_of_string("ADD n :one"), &update) == ST_OK);
	CHECK(expr_bind_finish(&binds) == ST_OK);
	return update;
}

bool sim_item_count(struct slice item, uint64_t *count_out)
{
	struct item_value value;
	struct decimal number;
	int64_t count;

	if (!item_find(item, slice_of_string("n"), &value) || value.type != ITEM_N ||
	    decimal_decode(&number, value.payload, NULL) != ST_OK ||
	    decimal_to_int(&number, &count) != ST_OK || count <= 0)
		return false;
	*count_out = (uint64_t)count;
	return true;
}
