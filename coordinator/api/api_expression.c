#include "coordinator/api/api_expression.h"

#include "coordinator/api/api_condition.h"
#include "coordinator/api/api_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_projection.h"
#include "coordinator/expr/expr_schema.h"
#include "proto/model/item.h"

bool api_expression_take_error(enum status status, const struct expr_error *found, struct api_error *error)
{
	if (status == ST_OK)
		return true;
	if (expr_error_is_set(found))
		api_error_set(error, API_ERROR_VALIDATION, "%s", found->text);
	else
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
	return false;
}

/* --- what may come together --- */

bool api_expression_check_mixed(const struct api_expression_input *input,
				const struct expr_parameter *expressions, uint32_t expression_count,
				const struct expr_parameter *others, uint32_t other_count,
				struct api_error *error)
{
	struct expr_error found;
	enum status status;

	expr_error_init(&found);
	status = expr_mixed_check(expressions, expression_count, others, other_count, input->names.is_set,
				  input->values.data != NULL, &found);
	return api_expression_take_error(status, &found, error);
}

/* --- keys --- */

uint32_t api_expression_keys(const struct table_schema *schema, const struct table_schema *other,
			     struct expr_key_attribute keys_out[LIMIT_KEY_ATTRIBUTE_COUNT])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < table_schema_key_count(schema); i++) {
		const struct key_attribute *attribute = &schema->attributes[i];
		struct slice name = key_attribute_name(attribute);

		if (other == NULL || table_schema_find(other, name) == NULL)
			keys_out[count++] = (struct expr_key_attribute){ name, attribute->type };
	}
	return count;
}

static enum status check_scalars(const ProtobufCBinaryData *paths, size_t path_count,
				 const struct table_schema *schema, bool is_index, struct expr_error *error)
{
	struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t count = api_expression_keys(schema, NULL, keys);

	return expr_schema_check_scalars(paths, path_count, keys, count, is_index, error);
}

/* Key attributes have no inside: first the table's, then those of its indexes. */
static bool check_paths(const ProtobufCBinaryData *paths, size_t path_count,
			const struct table_schema *schema, const struct table_indexes *indexes,
			struct api_error *error)
{
	struct expr_error found;
	enum status status;

	expr_error_init(&found);
	status = check_scalars(paths, path_count, schema, false, &found);
	for (uint32_t i = 0; status == ST_OK && indexes != NULL && i < indexes->count; i++)
		status = check_scalars(paths, path_count, &indexes->list[i].schema, true, &found);
	return api_expression_take_error(status, &found, error);
}

bool api_expression_check_projection(const struct api_expressions *expressions,
				     const struct table_schema *schema, const struct table_indexes *indexes,
				     struct api_error *error)
{
	const Cleave__ExprProjection *projection = expressions->projection;

	return projection == NULL ||
	       check_paths(projection->paths, projection->n_paths, schema, indexes, error);
}

bool api_expression_check_filter(const struct api_expressions *expressions, const struct table_schema *schema,
				 const struct table_indexes *indexes, struct api_error *error)
{
	const Cleave__ExprCondition *filter = expressions->filter;

	return filter == NULL || check_paths(filter->paths, filter->n_paths, schema, indexes, error);
}

bool api_expression_check_filter_keys(const struct api_expressions *expressions,
				      const struct table_schema *schema, struct api_error *error)
{
	struct expr_key_attribute keys[LIMIT_KEY_ATTRIBUTE_COUNT];
	struct expr_error found;
	enum status status;

	if (expressions->filter == NULL)
		return true;
	expr_error_init(&found);
	status = expr_schema_check_filter(expressions->filter, keys, api_expression_keys(schema, NULL, keys),
					  expressions->is_legacy_filter, &found);
	return api_expression_take_error(status, &found, error);
}

/* --- placeholders --- */

static enum status bind_names(const struct json_list *names, struct arena *arena,
			      struct expr_binding_map *map_out)
{
	const struct json_string_entry *entries = names->elements;
	struct expr_binding *bindings = arena_alloc(arena, names->count * sizeof(*bindings) + 1);

	if (bindings == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < names->count; i++)
		bindings[i] = (struct expr_binding){ entries[i].key, entries[i].value };
	*map_out = (struct expr_binding_map){ names->is_set, names->count, bindings };
	return ST_OK;
}

static enum status bind_values(struct slice values, struct arena *arena, struct expr_binding_map *map_out)
{
	uint32_t count = values.data == NULL ? 0 : item_count(values);
	struct expr_binding *bindings = arena_alloc(arena, count * sizeof(*bindings) + 1);
	struct item_attribute attribute;
	struct item_iter iter;

	if (bindings == NULL)
		return ST_NO_MEMORY;
	item_iter_init(&iter, values);
	for (uint32_t i = 0; i < count && item_next_attribute(&iter, &attribute); i++)
		bindings[i] = (struct expr_binding){ attribute.name, attribute.value.encoded };
	*map_out = (struct expr_binding_map){ values.data != NULL, count, bindings };
	return ST_OK;
}

enum status api_expression_bind(const struct json_list *names, struct slice values, struct arena *arena,
				struct expr_bind *bind, struct expr_error *error)
{
	struct expr_binding_map name_map;
	struct expr_binding_map value_map;
	enum status status = bind_names(names, arena, &name_map);

	if (status == ST_OK)
		status = bind_values(values, arena, &value_map);
	return status == ST_OK ? expr_bind_init(bind, arena, name_map, value_map, error) : status;
}

/* --- programs --- */

static enum status compile_texts(const struct api_expression_input *input, struct arena *arena,
				 struct expr_error *error, struct api_expressions *out)
{
	Cleave__ExprCondition *key_condition = NULL;
	Cleave__ExprCondition *filter = NULL;
	Cleave__ExprProjection *projection = NULL;
	struct expr_bind bind;
	enum status status = api_expression_bind(&input->names, input->values, arena, &bind, error);

	if (status == ST_OK && input->key_condition.data != NULL)
		status = expr_condition_parse(&bind, EXPR_KEY_CONDITION, input->key_condition,
					      &key_condition);
	if (status == ST_OK && input->filter.data != NULL)
		status = expr_condition_parse(&bind, EXPR_FILTER, input->filter, &filter);
	if (status == ST_OK && input->projection.data != NULL)
		status = expr_projection_parse(&bind, input->projection, &projection);
	if (status == ST_OK)
		status = expr_bind_finish(&bind);
	if (status == ST_OK && key_condition != NULL)
		status = expr_key_read(key_condition, &out->key_terms, error);
	if (filter != NULL)
		out->filter = filter;
	if (projection != NULL)
		out->projection = projection;
	return status;
}

static enum status compile_filter_conditions(const struct api_expression_input *input, struct arena *arena,
					     struct expr_error *error, struct api_expressions *out)
{
	struct expr_legacy_conditions conditions;
	Cleave__ExprCondition *filter = NULL;
	enum status status = api_condition_convert(&input->filter_conditions, arena, &conditions);

	conditions.is_or = slice_equal(input->conditional_operator, slice_of_string("OR"));
	if (status == ST_OK)
		status = expr_legacy_filter(arena, &conditions, &filter, error);
	out->filter = filter;
	out->is_legacy_filter = true;
	return status;
}

static enum status compile_key_conditions(const struct api_expression_input *input, struct arena *arena,
					  struct expr_error *error, struct api_expressions *out)
{
	struct expr_legacy_conditions conditions;
	enum status status = api_condition_convert(&input->key_conditions, arena, &conditions);

	if (status != ST_OK)
		return status;
	return expr_legacy_key_conditions(&conditions, &out->key_terms, error);
}

bool api_expression_compile_names(const struct api_expression_input *input, struct arena *arena,
				  struct api_expressions *out, struct api_error *error)
{
	const struct json_list *names = &input->attributes_to_get;
	Cleave__ExprProjection *projection = NULL;
	struct expr_error found;
	enum status status;

	if (!names->is_set)
		return true;
	expr_error_init(&found);
	status = expr_projection_of_names(arena, names->elements, names->count, &projection, &found);
	out->projection = projection;
	return api_expression_take_error(status, &found, error);
}

bool api_expression_compile_old_filter(const struct api_expression_input *input, struct arena *arena,
				       struct api_expressions *out, struct api_error *error)
{
	enum status status = ST_OK;
	struct expr_error found;

	expr_error_init(&found);
	if (input->conditional_operator.data != NULL)
		status = expr_legacy_check_operator(input->filter_conditions.count, &found);
	if (status == ST_OK && input->filter_conditions.is_set)
		status = compile_filter_conditions(input, arena, &found, out);
	return api_expression_take_error(status, &found, error);
}

bool api_expression_compile_rest(const struct api_expression_input *input, struct arena *arena,
				 struct api_expressions *out, struct api_error *error)
{
	struct expr_error found;
	enum status status;

	expr_error_init(&found);
	status = compile_texts(input, arena, &found, out);
	if (status == ST_OK && input->key_conditions.is_set)
		status = compile_key_conditions(input, arena, &found, out);
	return api_expression_take_error(status, &found, error);
}

bool api_expression_compile(const struct api_expression_input *input, struct arena *arena,
			    struct api_expressions *out, struct api_error *error)
{
	*out = (struct api_expressions){ .filter = NULL };
	return api_expression_compile_names(input, arena, out, error) &&
	       api_expression_compile_old_filter(input, arena, out, error) &&
	       api_expression_compile_rest(input, arena, out, error);
}

/* --- faults --- */

/* Values of which one is wrong are not there as an item: read the request once more. */
struct raw_values {
	struct json_list values;
};

struct raw_value_entry {
	struct slice key;
	struct slice value;
};

static const struct json_type value_map_type = JSON_MAP_OF(&json_type_value);
static const struct json_field value_fields[] = {
	JSON_FIELD(struct raw_values, "ExpressionAttributeValues", &value_map_type, values),
};
static const struct json_type values_type = JSON_STRUCT("Object", struct raw_values, value_fields);

static enum status check_placeholders(const struct json_list *names, const struct json_list *values,
				      struct arena *arena, struct expr_error *error)
{
	const struct raw_value_entry *entries = values->elements;
	struct expr_binding *bindings = arena_alloc(arena, values->count * sizeof(*bindings) + 1);
	struct expr_binding_map name_map;
	struct expr_bind bind;
	enum status status = bind_names(names, arena, &name_map);

	if (status != ST_OK || bindings == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < values->count; i++)
		bindings[i] = (struct expr_binding){ entries[i].key, slice_of(NULL, 0) };
	return expr_bind_init(&bind, arena, name_map,
			      (struct expr_binding_map){ true, values->count, bindings }, error);
}

bool api_expression_check_values(const struct json_fault *faults, const struct json_list *names,
				 struct slice body, struct arena *arena, struct api_error *error)
{
	const struct json_fault *fault = api_input_fault(faults, "ExpressionAttributeValues");
	const struct json_fault *again;
	struct raw_values raw;
	struct expr_error found;
	enum status status;

	if (fault == NULL)
		return true;
	if (!api_input_parse(&values_type, &raw, body, arena, &again, error))
		return false;
	expr_error_init(&found);
	status = check_placeholders(names, &raw.values, arena, &found);
	if (api_expression_take_error(status, &found, error))
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_VALUES_INVALID, fault->message,
			      fault->attribute);
	return false;
}
