#include "coordinator/api/api_query_range.h"

#include "coordinator/api/api_message.h"
#include "proto/model/row_key.h"

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

/* The row key that a start key names. */
static bool scan_start_key(const struct api_query_input *input, const struct table_info *table,
			   struct arena *arena, struct slice *row_key_out, struct api_error *error)
{
	struct row_key_error key_error = { .fault = ROW_KEY_OK };
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	struct buf scratch;
	enum status status;

	buf_init(&scratch, LIMIT_ROW_KEY_SIZE_BYTES);
	status = row_key_from_key(&scratch, table->table_id, table->token_seed, &table->schema,
				  input->start_key, &key_error);
	if (status == ST_INVALID) {
		buf_close(&scratch);
		row_key_error_print(&key_error, message, sizeof(message));
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_START_KEY_INVALID ": %s", message);
		return false;
	}
	return keep(&scratch, arena, row_key_out, error);
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

bool api_query_range_of_scan(const struct api_query_input *input, const struct table_info *table,
			     struct arena *arena, struct api_query_range *range_out, struct api_error *error)
{
	struct api_query_range range;
	struct slice row_key;

	if (!segment_bound(input->segment, input->segment_count, table->table_id, arena, &range.start,
			   error) ||
	    !segment_bound(input->segment + 1, input->segment_count, table->table_id, arena, &range.end,
			   error))
		return false;
	if (input->start_key.data != NULL) {
		if (!scan_start_key(input, table, arena, &row_key, error))
			return false;
		if (!holds(&range, row_key)) {
			api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_START_KEY_SEGMENT,
				      input->segment_count, input->segment);
			return false;
		}
		if (!begin_after(row_key, arena, &range.start, error))
			return false;
	}
	*range_out = range;
	return true;
}
