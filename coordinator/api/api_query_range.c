#include "coordinator/api/api_query_range.h"

#include "coordinator/api/api_message.h"
#include "coordinator/api/api_start_key.h"

static bool fail_internal(struct api_error *error)
{
	api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
	return false;
}

/* Copy a bound that is complete into the arena, and forget the scratch. */
static bool keep(struct buf *scratch, struct arena *arena, struct slice *bound_out, struct api_error *error)
{
	size_t size = scratch->size;
	const uint8_t *copy = scratch->status == ST_OK ? arena_copy(arena, buf_slice(scratch)) : NULL;

	buf_close(scratch);
	if (copy == NULL)
		return fail_internal(error);
	*bound_out = slice_of(copy, size);
	return true;
}

/* --- scan --- */

/* The first token of a segment: index * 2^64 / count, rounded up, so that segments meet and
 * nothing is left between; false for the end of the last one. */
static bool segment_token(uint32_t index, uint32_t count, uint64_t *token_out)
{
	unsigned __int128 scaled = ((unsigned __int128)index << 64) + count - 1;

	if (index == count)
		return false;
	*token_out = (uint64_t)(scaled / count);
	return true;
}

static bool segment_bound(uint32_t index, uint32_t count, uint32_t table_id, struct arena *arena,
			  struct slice *bound_out, struct api_error *error)
{
	struct buf scratch;
	uint64_t token;

	buf_init(&scratch, LIMIT_ROW_KEY_SIZE_BYTES);
	if (segment_token(index, count, &token))
		row_key_token_start(&scratch, table_id, token);
	else
		row_key_table_start(&scratch, table_id + 1);
	return keep(&scratch, arena, bound_out, error);
}

static bool holds(const struct api_query_range *range, struct slice row_key)
{
	return slice_compare(row_key, range->start) >= 0 && slice_compare(row_key, range->end) < 0;
}

/* The first key behind a row key. */
static bool begin_after(struct slice row_key, struct arena *arena, struct slice *start_out,
			struct api_error *error)
{
	const uint8_t *copy = arena_copy(arena, row_key); /* its NUL makes it the next key */

	if (copy == NULL)
		return fail_internal(error);
	*start_out = slice_of(copy, row_key.size + 1);
	return true;
}

/* Go on behind the start key, which lies in the segment. */
static bool skip_to_start_key(const struct api_query_input *input, const struct api_query_target *target,
			      struct arena *arena, struct api_query_range *range, struct api_error *error)
{
	struct slice row_key;

	if (!api_start_key_to_row(target, input->start_key, arena, &row_key, error))
		return false;
	if (!holds(range, row_key)) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_START_KEY_SEGMENT,
			      input->segment_count, input->segment);
		return false;
	}
	return begin_after(row_key, arena, &range->start, error);
}

/* What is said of it before Select. */
static bool check_scan_start(const struct api_query_target *target, struct slice key, struct api_error *error)
{
	const struct table_schema *schema = &target->index.schema;

	if (key.data == NULL)
		return true;
	if (!api_start_key_check_count(target, API_SCAN, key, error))
		return false;
	return !target->has_index ||
	       api_start_key_check_attributes(schema, 0, table_schema_key_count(schema), key, error);
}

bool api_query_range_of_scan(const struct api_query_input *input, const struct api_query_target *target,
			     struct arena *arena, struct api_query_range *range_out, struct api_error *error)
{
	struct api_query_range range;

	if (!check_scan_start(target, input->start_key, error) ||
	    !api_query_target_check_select(target, input, error) ||
	    !segment_bound(input->segment, input->segment_count, target->table_id, arena, &range.start,
			   error) ||
	    !segment_bound(input->segment + 1, input->segment_count, target->table_id, arena, &range.end,
			   error))
		return false;
	if (input->start_key.data != NULL && !skip_to_start_key(input, target, arena, &range, error))
		return false;
	*range_out = range;
	return true;
}

/* --- query --- */

/* The values of a key condition are held to what a key may be, as those of an item are. */
static bool check_value(const struct table_schema *schema, const struct key_attribute *attribute,
			const struct item_value *value, struct api_error *error)
{
	struct row_key_error key_error = { .fault = ROW_KEY_OK };
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];

	if (row_key_check_value(schema, attribute, value->payload, &key_error) == ST_OK)
		return true;
	row_key_error_print(&key_error, message, sizeof(message));
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

/* Start key and condition, the partition key before the sort key, as the service looks at them. */
static bool match(const struct api_query_input *input, const struct table_schema *schema,
		  struct expr_key_query *query_out, struct api_error *error)
{
	const struct expr_key_terms *terms = &input->expressions.key_terms;
	bool has_start_key = input->start_key.data != NULL;
	struct expr_error found;
	struct expr_key key;
	enum status status;

	(void)api_expression_keys(schema, NULL, key.attributes);
	key.partition_count = schema->partition_count;
	key.sort_count = schema->sort_count;
	if (has_start_key &&
	    !api_start_key_check_attributes(schema, 0, schema->partition_count, input->start_key, error))
		return false;
	status = expr_key_match_partition(terms, &key, query_out, &found);
	if (!api_expression_take_error(status, &found, error))
		return false;
	if (has_start_key &&
	    !api_start_key_check_attributes(schema, schema->partition_count, table_schema_key_count(schema),
					    input->start_key, error))
		return false;
	status = expr_key_match_sort(terms, &key, query_out, &found);
	return api_expression_take_error(status, &found, error);
}

static bool check_values(const struct expr_key_query *query, const struct table_schema *schema,
			 struct api_error *error)
{
	const struct key_attribute *sort = schema->attributes + schema->partition_count;

	for (uint32_t i = 0; i < schema->partition_count; i++) {
		if (!check_value(schema, &schema->attributes[i], &query->partition[i], error))
			return false;
	}
	for (uint32_t i = 0; i < query->equal_count; i++) {
		if (!check_value(schema, &sort[i], &query->equal[i], error))
			return false;
	}
	for (uint32_t i = 0; i < query->sort_count; i++) {
		if (!check_value(schema, &sort[query->equal_count], &query->sort[i], error))
			return false;
	}
	return true;
}

/* The first of the keys that begin with prefix and a value, or with is_after the first behind them: other
 * parts may follow. */
static void append_sort_bound(struct buf *out, struct slice prefix, const struct item_value *value,
			      bool is_after)
{
	struct buf beginning;

	buf_init(&beginning, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_append_slice(&beginning, prefix);
	row_key_append_part(&beginning, value->type, value->payload);
	if (beginning.status != ST_OK)
		out->status = beginning.status;
	else if (is_after)
		row_key_append_after(out, buf_slice(&beginning));
	else
		buf_append_slice(out, buf_slice(&beginning));
	buf_close(&beginning);
}

/* All rows that begin with what out holds: out becomes the start, end the end. */
static void bound_beginning(struct buf *start, struct buf *end)
{
	if (start->status == ST_OK)
		row_key_append_after(end, buf_slice(start));
}

/* Both bounds within the rows whose keys begin with prefix, behind which the last attribute comes that has a
 * condition. */
static void append_bounds(const struct expr_key_query *query, struct slice prefix, struct buf *start,
			  struct buf *end)
{
	const struct item_value *sort = query->sort;
	bool has_start = query->sort_op != EXPR_KEY_NONE && query->sort_op != EXPR_KEY_LT &&
			 query->sort_op != EXPR_KEY_LE;
	bool has_end = query->sort_op == EXPR_KEY_EQ || query->sort_op == EXPR_KEY_LT ||
		       query->sort_op == EXPR_KEY_LE || query->sort_op == EXPR_KEY_BETWEEN;

	if (query->sort_op == EXPR_KEY_BEGINS_WITH) {
		buf_append_slice(start, prefix);
		row_key_append_beginning(start, sort[0].payload);
		bound_beginning(start, end);
		return;
	}
	if (has_start)
		append_sort_bound(start, prefix, &sort[0], query->sort_op == EXPR_KEY_GT);
	else
		buf_append_slice(start, prefix);
	if (has_end)
		append_sort_bound(end, prefix, &sort[query->sort_count - 1], query->sort_op != EXPR_KEY_LT);
	else
		row_key_append_after(end, prefix);
}

static enum status append_partition(const struct api_query_target *target, const struct expr_key_query *query,
				    struct buf *out)
{
	const struct table_schema *schema = api_query_target_schema(target);
	struct slice partition_key[LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT];
	struct index_owner owner;

	for (uint32_t i = 0; i < schema->partition_count; i++)
		partition_key[i] = query->partition[i].payload;
	if (!target->has_index)
		return row_key_partition_start(out, target->table_id, target->token_seed, schema,
					       partition_key);
	owner = api_query_target_owner(target);
	return table_index_partition_start(out, &owner, partition_key);
}

/* What all rows share that the query asks for, and the beginning of it that is the partition key's. */
static bool make_prefixes(const struct expr_key_query *query, const struct api_query_target *target,
			  struct arena *arena, struct slice *prefix_out, struct slice *partition_out,
			  struct api_error *error)
{
	size_t partition_size;
	struct buf prefix;

	buf_init(&prefix, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	if (append_partition(target, query, &prefix) != ST_OK) {
		buf_close(&prefix);
		return fail_internal(error);
	}
	partition_size = prefix.size;
	for (uint32_t i = 0; i < query->equal_count; i++)
		row_key_append_part(&prefix, query->equal[i].type, query->equal[i].payload);
	if (!keep(&prefix, arena, prefix_out, error))
		return false;
	*partition_out = slice_of(prefix_out->data, partition_size);
	return true;
}

/* The rows that the key condition asks for, and those of its partition key alone. */
static bool make_query_range(const struct expr_key_query *query, const struct api_query_target *target,
			     struct arena *arena, struct api_query_range *range_out,
			     struct slice *partition_out, struct api_error *error)
{
	struct slice prefix;
	struct buf start;
	struct buf end;
	bool is_made;

	if (!make_prefixes(query, target, arena, &prefix, partition_out, error))
		return false;
	buf_init(&start, LIMIT_INDEX_ROW_KEY_SIZE_BYTES + 1);
	buf_init(&end, LIMIT_INDEX_ROW_KEY_SIZE_BYTES + 1);
	append_bounds(query, prefix, &start, &end);
	is_made = keep(&start, arena, &range_out->start, error);
	is_made = keep(&end, arena, &range_out->end, error) && is_made;
	if (is_made && slice_compare(range_out->start, range_out->end) > 0)
		range_out->end = range_out->start; /* nothing is between */
	return is_made;
}

static bool begins_with(struct slice bytes, struct slice prefix)
{
	return bytes.size >= prefix.size && memcmp(bytes.data, prefix.data, prefix.size) == 0;
}

/* What it says of a start key that is no row of the query's.  It looks at the condition on the
 * sort key first, whatever the partition key. */
static const char *start_key_place_fault(const struct expr_key_query *query,
					 const struct api_query_range *range, struct slice prefix,
					 struct slice row_key, struct slice as_if)
{
	if (query->sort_op == EXPR_KEY_NONE)
		return begins_with(row_key, prefix) ? NULL : API_MESSAGE_START_KEY_OUTSIDE;
	if (!holds(range, as_if))
		return API_MESSAGE_START_KEY_PREDICATE;
	return begins_with(row_key, prefix) ? NULL : API_MESSAGE_START_KEY_RESTART;
}

/* The row key's place among the rows of another partition key, whose row keys begin with prefix. */
static bool move_row_key(const struct api_query_target *target, struct slice row_key, struct slice prefix,
			 struct arena *arena, struct slice *moved_out, struct api_error *error)
{
	const struct table_schema *schema = api_query_target_schema(target);
	struct slice rest = slice_of(row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
				     row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	bool has_number = target->has_index && table_index_is_local(&target->index);
	struct slice ignored;
	struct buf scratch;

	if (row_key_take_partition(&rest, schema, &ignored) != ST_OK)
		return fail_internal(error);
	if (has_number) /* the prefix has it too */
		rest = slice_of(rest.data + 1, rest.size - 1);
	buf_init(&scratch, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_append_slice(&scratch, prefix);
	buf_append_slice(&scratch, rest);
	return keep(&scratch, arena, moved_out, error);
}

/* Go on behind the start key, in the direction of the query. */
static bool move_to_start_key(const struct api_query_input *input, const struct expr_key_query *query,
			      const struct api_query_target *target, struct slice prefix, struct arena *arena,
			      struct api_query_range *range, struct api_error *error)
{
	const char *fault;
	struct slice row_key;
	struct slice as_if;

	if (!api_start_key_to_row(target, input->start_key, arena, &row_key, error) ||
	    !move_row_key(target, row_key, prefix, arena, &as_if, error))
		return false;
	fault = start_key_place_fault(query, range, prefix, row_key, as_if);
	if (fault != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, "%s", fault);
		return false;
	}
	if (!input->is_backward)
		return begin_after(row_key, arena, &range->start, error);
	range->end = row_key;
	return true;
}

bool api_query_range_of_query(const struct api_query_input *input, const struct api_query_target *target,
			      struct arena *arena, struct api_query_range *range_out, struct api_error *error)
{
	const struct table_schema *schema = api_query_target_schema(target);
	bool has_start_key = input->start_key.data != NULL;
	struct api_query_range range;
	struct expr_key_query query;
	struct slice prefix = { NULL, 0 };

	if (has_start_key && !api_start_key_check_count(target, API_QUERY, input->start_key, error))
		return false;
	if (!match(input, schema, &query, error) || !check_values(&query, schema, error) ||
	    !make_query_range(&query, target, arena, &range, &prefix, error))
		return false;
	if (has_start_key && !move_to_start_key(input, &query, target, prefix, arena, &range, error))
		return false;
	*range_out = range;
	return true;
}
