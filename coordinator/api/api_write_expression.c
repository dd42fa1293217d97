#include "coordinator/api/api_write_expression.h"

#include "coordinator/api/api_expression.h"
#include "coordinator/api/api_legacy.h"
#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_schema.h"
#include "coordinator/expr/expr_update.h"

/* --- what may come together --- */

bool api_write_expression_check_mixed(const struct api_write_expression_input *input, bool is_update,
				      struct api_error *error)
{
	/* The first of each is UpdateItem's. */
	const struct expr_parameter expressions[] = {
		{ "UpdateExpression", input->update.data != NULL },
		{ "ConditionExpression", input->condition.data != NULL },
	};
	const struct expr_parameter others[] = {
		{ "AttributeUpdates", input->attribute_updates.is_set },
		{ "Expected", input->expected.is_set },
		{ "ConditionalOperator", input->conditional_operator.data != NULL },
	};
	const struct api_expression_input placeholders = { .names = input->names, .values = input->values };
	uint32_t first = is_update ? 0 : 1;

	return api_expression_check_mixed(&placeholders, expressions + first,
					  ARRAY_COUNT(expressions) - first, others + first,
					  ARRAY_COUNT(others) - first, error);
}

/* --- programs --- */

static enum status compile_texts(const struct api_write_expression_input *input, struct arena *arena,
				 struct expr_error *error, struct api_write_programs *out)
{
	Cleave__ExprUpdate *update = NULL;
	Cleave__ExprCondition *condition = NULL;
	struct expr_bind bind;
	enum status status = api_expression_bind(&input->names, input->values, arena, &bind, error);

	if (status == ST_OK && input->update.data != NULL)
		status = expr_update_parse(&bind, input->update, &update);
	if (status == ST_OK && input->condition.data != NULL)
		status = expr_condition_parse(&bind, EXPR_CONDITION, input->condition, &condition);
	if (status == ST_OK)
		status = expr_bind_finish(&bind);
	out->update = update;
	out->condition = condition;
	return status;
}

static enum status compile_updates(const struct api_write_expression_input *input, struct arena *arena,
				   struct expr_error *error, struct api_write_programs *out)
{
	const struct expr_legacy_action *actions;
	Cleave__ExprUpdate *update = NULL;
	enum status status = api_legacy_convert_updates(&input->attribute_updates, arena, &actions);

	if (status == ST_OK)
		status = expr_legacy_updates(arena, actions, input->attribute_updates.count, &update, error);
	out->update = update;
	return status;
}

static enum status compile_expected(const struct api_write_expression_input *input, struct arena *arena,
				    struct expr_error *error, struct api_write_programs *out)
{
	struct expr_legacy_conditions expected;
	Cleave__ExprCondition *condition = NULL;
	enum status status = api_legacy_convert_expected(&input->expected, arena, &expected);

	if (status != ST_OK)
		return status;
	expected.is_or = slice_equal(input->conditional_operator, slice_of_string("OR"));
	status = expr_legacy_expected(arena, &expected, &condition, error);
	out->condition = condition;
	return status;
}

/* Texts and old parameters are not both there, but for placeholders. */
static enum status compile(const struct api_write_expression_input *input, bool is_update,
			   struct arena *arena, struct expr_error *error, struct api_write_programs *out)
{
	enum status status = compile_texts(input, arena, error, out);

	if (status == ST_OK && is_update && out->update == NULL)
		status = compile_updates(input, arena, error, out);
	if (status == ST_OK && input->expected.is_set)
		status = compile_expected(input, arena, error, out);
	if (status == ST_OK && input->conditional_operator.data != NULL)
		status = expr_legacy_check_operator(input->expected.count, error);
	return status;
}

bool api_write_expression_compile(const struct api_write_expression_input *input, bool is_update,
				  struct arena *arena, struct api_write_programs *out,
				  struct api_error *error)
{
	struct expr_error found;

	*out = (struct api_write_programs){ .condition = NULL };
	expr_error_init(&found);
	return api_expression_take_error(compile(input, is_update, arena, &found, out), &found, error);
}

/* --- keys --- */

/* Of the indexes whose key an update would give a wrong type the first by name is told. */
static enum status check_index_types(const Cleave__ExprUpdate *update, const struct table_schema *schema,
				     const struct table_indexes *indexes, struct expr_error *error)
{
	const struct table_index *first = NULL;
	struct expr_key_attribute first_key = { .type = 0 };

	for (uint32_t i = 0; indexes != NULL && i < indexes->count; i++) {
		const struct table_index *index = &indexes->list[i];
		struct slice name = slice_of_string(index->name);
		struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
		uint32_t count = api_expression_keys(&index->schema, schema, keys);

		for (uint32_t k = 0; k < count; k++) {
			struct expr_error probe;

			expr_error_init(&probe);
			if ((first == NULL || strcmp(index->name, first->name) < 0) &&
			    expr_schema_check_update_type(update, &keys[k], name, &probe) != ST_OK) {
				first = index;
				first_key = keys[k];
			}
		}
	}
	if (first == NULL)
		return ST_OK;
	return expr_schema_check_update_type(update, &first_key, slice_of_string(first->name), error);
}

static enum status check_index_scalars(ProtobufCBinaryData *paths, size_t path_count,
				       const struct table_schema *schema, const struct table_indexes *indexes,
				       struct expr_error *error)
{
	enum status status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && indexes != NULL && i < indexes->count; i++) {
		struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
		uint32_t count = api_expression_keys(&indexes->list[i].schema, schema, keys);

		status = expr_schema_check_scalars(paths, path_count, keys, count, true, error);
	}
	return status;
}

static enum status check_scalars(ProtobufCBinaryData *paths, size_t path_count,
				 const struct table_schema *schema, const struct table_indexes *indexes,
				 struct expr_error *error)
{
	struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t count = api_expression_keys(schema, NULL, keys);
	enum status status = expr_schema_check_scalars(paths, path_count, keys, count, false, error);

	return status == ST_OK ? check_index_scalars(paths, path_count, schema, indexes, error) : status;
}

static enum status check_update(const Cleave__ExprUpdate *update, const struct table_schema *schema,
				const struct table_indexes *indexes, struct expr_error *error)
{
	struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t count = api_expression_keys(schema, NULL, keys);
	enum status status = expr_schema_check_update(update, keys, count, error);

	if (status == ST_OK)
		status = check_index_types(update, schema, indexes, error);
	if (status == ST_OK)
		status = check_scalars(update->paths, update->n_paths, schema, indexes, error);
	return status;
}

static enum status check_keys(const struct api_write_programs *programs, const struct table_schema *schema,
			      const struct table_indexes *indexes, struct expr_error *error)
{
	const Cleave__ExprCondition *condition = programs->condition;
	enum status status = ST_OK;

	if (programs->update != NULL)
		status = check_update(programs->update, schema, indexes, error);
	if (status == ST_OK && condition != NULL)
		status = check_scalars(condition->paths, condition->n_paths, schema, indexes, error);
	return status;
}

bool api_write_expression_check_schema(const struct api_write_programs *programs,
				       const struct table_schema *schema, const struct table_indexes *indexes,
				       struct api_error *error)
{
	struct expr_error found;

	expr_error_init(&found);
	return api_expression_take_error(check_keys(programs, schema, indexes, &found), &found, error);
}
