#include "coordinator/api/api_query_target.h"

#include <stdio.h>

#include "coordinator/api/api_message.h"
#include "coordinator/expr/expr_projection.h"
#include "proto/wire/expr_code.h"

/* --- which --- */

void api_query_target_of_table(const struct table_info *table, struct api_query_target *target_out)
{
	target_out->table_id = table->table_id;
	target_out->token_seed = table->token_seed;
	table_schema_copy(&target_out->table_schema, &table->schema);
	target_out->has_index = false;
	target_out->indexes = table->indexes;
}

static bool refuse_name(struct api_error *error, const char *format, struct slice name)
{
	api_error_set(error, API_ERROR_VALIDATION, format, (int)name.size, (const char *)name.data);
	return false;
}

/* A global index is read once it holds what the table holds. */
static bool is_readable(const struct table_index *index)
{
	return table_index_is_local(index) || index->state == INDEX_ACTIVE || index->state == INDEX_UPDATING;
}

static bool find_index(const struct table_index *index, struct slice name, const struct catalog_state *state,
		       struct api_query_target *target, struct api_error *error)
{
	const struct table_info *derived = NULL;

	if (index == NULL || index->state == INDEX_DELETING)
		return refuse_name(error, API_MESSAGE_INDEX_UNKNOWN, name);
	if (!is_readable(index))
		return refuse_name(error, API_MESSAGE_INDEX_BACKFILLING, name);
	target->has_index = true;
	table_index_copy(&target->index, index);
	if (table_index_is_local(index))
		return true;
	derived = catalog_state_table(state, index->table_id);
	if (derived == NULL)
		return refuse_name(error, API_MESSAGE_INDEX_UNKNOWN, name);
	target->table_id = derived->table_id;
	target->token_seed = derived->token_seed;
	return true;
}

bool api_query_target_find(const struct api_query_input *input, const struct table_info *table,
			   const struct catalog_state *state, struct api_query_target *target_out,
			   struct api_error *error)
{
	api_query_target_of_table(table, target_out);
	if (input->index_name.data == NULL)
		return true;
	return find_index(table_indexes_find(table->indexes, input->index_name), input->index_name, state,
			  target_out, error);
}

const struct table_schema *api_query_target_schema(const struct api_query_target *target)
{
	return target->has_index ? &target->index.schema : &target->table_schema;
}

struct index_owner api_query_target_owner(const struct api_query_target *target)
{
	CHECK(target->has_index);
	return (struct index_owner){
		.table_id = target->table_id,
		.token_seed = target->token_seed,
		.schema = &target->table_schema,
		.index = &target->index,
	};
}

/* --- what of it --- */

bool api_query_target_check_consistency(const struct api_query_target *target,
					const struct api_query_input *input, struct api_error *error)
{
	if (!input->is_consistent || !api_query_target_is_global(target))
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_INDEX_CONSISTENT);
	return false;
}

bool api_query_target_check_select(const struct api_query_target *target, const struct api_query_input *input,
				   struct api_error *error)
{
	if (!input->wants_whole_items || !api_query_target_is_global(target) ||
	    target->index.projection == INDEX_PROJECTS_ALL)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_SELECT, target->index.name);
	return false;
}

/* The attribute that a document path begins with. */
static struct slice head_of(ProtobufCBinaryData path)
{
	struct expr_path_element element = { slice_of(NULL, 0), 0 };
	struct slice rest = slice_of(path.data, path.len);

	(void)expr_path_next(&rest, &element);
	return element.name;
}

static bool lacks(const struct api_query_target *target, struct slice name)
{
	struct index_owner owner = api_query_target_owner(target);

	return !table_index_projects(&owner, name);
}

static bool lacks_any(const struct api_query_target *target, const ProtobufCBinaryData *paths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (lacks(target, head_of(paths[i])))
			return true;
	}
	return false;
}

static bool is_first(const ProtobufCBinaryData *paths, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (slice_equal(head_of(paths[i]), head_of(paths[index])))
			return false;
	}
	return true;
}

/* Those that the index lacks, each once: "a, b", cut to fit. */
static void print_lacking(const struct api_query_target *target, const ProtobufCBinaryData *paths,
			  size_t path_count, char *out, size_t out_size)
{
	size_t size = 0;

	out[0] = '\0';
	for (size_t i = 0; i < path_count && size < out_size; i++) {
		struct slice name = head_of(paths[i]);

		if (!lacks(target, name) || !is_first(paths, i))
			continue;
		size += (size_t)snprintf(out + size, out_size - size, "%s%.*s", size == 0 ? "" : ", ",
					 (int)name.size, (const char *)name.data);
	}
}

static bool refuse_lacking(const struct api_query_target *target, const char *format,
			   const ProtobufCBinaryData *paths, size_t path_count, struct api_error *error)
{
	char names[LIMIT_ERROR_MESSAGE_SIZE_BYTES];

	print_lacking(target, paths, path_count, names, sizeof(names));
	api_error_set(error, API_ERROR_VALIDATION, format, target->index.name, names);
	return false;
}

bool api_query_target_check_attributes(const struct api_query_target *target,
				       const struct api_query_input *input, bool is_query,
				       struct api_error *error)
{
	const Cleave__ExprProjection *projection = input->expressions.projection;
	const Cleave__ExprCondition *filter = input->expressions.filter;

	if (!api_query_target_is_global(target))
		return true;
	if (projection != NULL && lacks_any(target, projection->paths, projection->n_paths))
		return refuse_lacking(target, API_MESSAGE_INDEX_ATTRIBUTES, projection->paths,
				      projection->n_paths, error);
	/* A Scan's filter finds such attributes missing. */
	if (is_query && filter != NULL && lacks_any(target, filter->paths, filter->n_paths))
		return refuse_lacking(target, API_MESSAGE_INDEX_FILTER, filter->paths, filter->n_paths,
				      error);
	return true;
}

/* --- whole items beside a local index --- */

static bool needs_items(const struct api_query_target *target, const struct api_query_input *input)
{
	const Cleave__ExprProjection *projection = input->expressions.projection;
	const Cleave__ExprCondition *filter = input->expressions.filter;

	if (!target->has_index || !table_index_is_local(&target->index) ||
	    target->index.projection == INDEX_PROJECTS_ALL)
		return false;
	return input->wants_whole_items ||
	       (projection != NULL && lacks_any(target, projection->paths, projection->n_paths)) ||
	       (filter != NULL && lacks_any(target, filter->paths, filter->n_paths));
}

static uint32_t add_name(struct slice *names, uint32_t count, struct slice name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (slice_equal(names[i], name))
			return count;
	}
	names[count] = name;
	return count + 1;
}

static uint32_t add_keys(struct slice *names, uint32_t count, const struct table_schema *schema)
{
	for (uint32_t i = 0; i < table_schema_key_count(schema); i++)
		count = add_name(names, count, key_attribute_name(&schema->attributes[i]));
	return count;
}

/* What the index projects, of whole items that were fetched for their filter alone. */
static bool project_as_index(const struct api_query_target *target, struct arena *arena,
			     Cleave__ExprProjection **projection_out, struct api_error *error)
{
	enum { KEY_COUNT_MAX = 2 * LIMIT_KEY_ATTRIBUTE_COUNT };
	const struct table_index *index = &target->index;
	uint32_t attribute_count = index->projection == INDEX_PROJECTS_SOME ? index->attribute_count : 0;
	struct slice *names = arena_alloc(arena, (KEY_COUNT_MAX + attribute_count) * sizeof(*names));
	struct expr_error found;
	uint32_t count;

	expr_error_init(&found);
	if (names == NULL)
		return api_expression_take_error(ST_NO_MEMORY, &found, error);
	count = add_keys(names, 0, &target->table_schema);
	count = add_keys(names, count, &index->schema);
	for (uint32_t i = 0; i < attribute_count; i++)
		count = add_name(names, count, index->attributes[i]);
	return api_expression_take_error(
		expr_projection_of_names(arena, names, count, projection_out, &found), &found, error);
}

bool api_query_target_selection(const struct api_query_target *target, const struct api_query_input *input,
				struct arena *arena, struct api_query_selection *selection_out,
				struct api_error *error)
{
	struct api_query_selection selection = { .projection = input->expressions.projection };
	Cleave__ExprProjection *projection = NULL;

	selection.fetches_items = needs_items(target, input);
	if (selection.fetches_items && selection.projection == NULL && !input->wants_whole_items) {
		if (!project_as_index(target, arena, &projection, error))
			return false;
		selection.projection = projection;
	}
	*selection_out = selection;
	return true;
}

/* --- where a page ended --- */

enum status api_query_target_to_key(const struct api_query_target *target, struct slice row_key,
				    struct buf *out)
{
	struct index_owner owner;

	if (!target->has_index)
		return row_key_to_key(out, row_key, &target->table_schema);
	owner = api_query_target_owner(target);
	return table_index_to_key(out, &owner, row_key);
}
