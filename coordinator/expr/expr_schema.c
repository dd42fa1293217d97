#include "coordinator/expr/expr_schema.h"

#include "coordinator/expr/expr_message.h"
#include "proto/wire/expr_code.h"

static struct slice slice_of_data(ProtobufCBinaryData data)
{
	return slice_of(data.data, data.len);
}

/* Its first name; the rest of the path stays in *path. */
static struct slice head_of(struct slice *path)
{
	struct expr_path_element element = { slice_of(NULL, 0), 0 };

	(void)expr_path_next(path, &element);
	return element.name;
}

/* One action of an update. */
struct action {
	enum expr_op op;
	struct slice path;
	uint32_t operand_at; /* SET: where its right side begins in the code */
	uint32_t at;         /* and where that ends and the action stands */
};

static uint32_t operation_size(enum expr_op op)
{
	switch (op) {
	case EXPR_OP_PATH:
	case EXPR_OP_VALUE:
	case EXPR_OP_SET:
	case EXPR_OP_REMOVE:
		return 3;
	case EXPR_OP_IF_EXISTS:
	case EXPR_OP_ADD:
	case EXPR_OP_DELETE:
		return 5;
	default:
		return 1;
	}
}

/* The action whose code begins at *at; false behind the last. */
static bool next_action(const Cleave__ExprUpdate *update, uint32_t *at, struct action *action_out)
{
	const uint8_t *code = update->code.data;

	action_out->operand_at = *at;
	while (*at < update->code.len) {
		enum expr_op op = code[*at];

		action_out->at = *at;
		*at += operation_size(op);
		if (op < EXPR_OP_SET)
			continue;
		action_out->op = op;
		action_out->path = slice_of_data(update->paths[get_u16_be(code + action_out->at + 1)]);
		return true;
	}
	return false;
}

static bool changes(const Cleave__ExprUpdate *update, struct slice name)
{
	struct action action;
	uint32_t at = 0;

	while (next_action(update, &at, &action)) {
		if (slice_equal(head_of(&action.path), name))
			return true;
	}
	return false;
}

enum status expr_schema_check_update(const Cleave__ExprUpdate *update, const struct expr_key_attribute *keys,
				     uint32_t key_count, struct expr_error *error)
{
	for (uint32_t i = 0; i < key_count; i++) {
		if (changes(update, keys[i].name)) {
			expr_error_set(error, EXPR_MESSAGE_KEY_UPDATE, (int)keys[i].name.size,
				       (const char *)keys[i].name.data);
			return ST_INVALID;
		}
	}
	return ST_OK;
}

static enum item_type value_type(const Cleave__ExprUpdate *update, uint32_t number_at)
{
	return update->values[get_u16_be(update->code.data + number_at)].data[0];
}

/* The type of what an action stores, 0 if only the item can tell. */
static enum item_type stored_type(const Cleave__ExprUpdate *update, const struct action *action)
{
	const uint8_t *code = update->code.data;
	uint32_t last = action->operand_at;

	if (action->op == EXPR_OP_ADD)
		return value_type(update, action->at + 3);
	if (action->op != EXPR_OP_SET)
		return 0;
	for (uint32_t at = last; at < action->at; at += operation_size(code[at]))
		last = at;
	switch (code[last]) {
	case EXPR_OP_VALUE:
		return value_type(update, last + 1);
	case EXPR_OP_PLUS:
	case EXPR_OP_MINUS:
		return ITEM_N;
	case EXPR_OP_LIST_APPEND:
		return ITEM_L;
	default:
		return 0;
	}
}

enum status expr_schema_check_update_type(const Cleave__ExprUpdate *update,
					  const struct expr_key_attribute *key, struct slice index_name,
					  struct expr_error *error)
{
	struct action action;
	uint32_t at = 0;

	while (next_action(update, &at, &action)) {
		enum item_type type = stored_type(update, &action);

		if (!slice_equal(head_of(&action.path), key->name) || action.path.size > 0 || type == 0 ||
		    type == key->type)
			continue;
		expr_error_set(error, EXPR_MESSAGE_INDEX_KEY_TYPE, (int)key->name.size,
			       (const char *)key->name.data, item_type_name(key->type), item_type_name(type),
			       (int)index_name.size, (const char *)index_name.data);
		return ST_INVALID;
	}
	return ST_OK;
}

enum status expr_schema_check_scalars(const ProtobufCBinaryData *paths, size_t path_count,
				      const struct expr_key_attribute *keys, uint32_t key_count,
				      bool is_index, struct expr_error *error)
{
	for (uint32_t i = 0; i < key_count; i++) {
		for (size_t j = 0; j < path_count; j++) {
			struct slice path = slice_of_data(paths[j]);

			if (!slice_equal(head_of(&path), keys[i].name) || path.size == 0)
				continue;
			expr_error_set(error, EXPR_MESSAGE_KEY_SCALAR, is_index ? "IndexKey" : "Key",
				       (int)keys[i].name.size, (const char *)keys[i].name.data);
			return ST_INVALID;
		}
	}
	return ST_OK;
}

enum status expr_schema_check_filter(const Cleave__ExprCondition *filter,
				     const struct expr_key_attribute *keys, uint32_t key_count,
				     bool is_legacy, struct expr_error *error)
{
	for (uint32_t i = 0; i < key_count; i++) {
		for (size_t j = 0; j < filter->n_paths; j++) {
			struct slice path = slice_of_data(filter->paths[j]);

			if (!slice_equal(head_of(&path), keys[i].name))
				continue;
			expr_error_set(error, EXPR_MESSAGE_FILTER_KEY,
				       is_legacy ? "QueryFilter" : "Filter Expression",
				       (int)keys[i].name.size, (const char *)keys[i].name.data);
			return ST_INVALID;
		}
	}
	return ST_OK;
}
