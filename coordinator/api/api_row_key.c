#include "coordinator/api/api_row_key.h"

#include "proto/model/row_key.h"

typedef enum status (*row_key_maker)(struct buf *out, uint32_t table_id, uint64_t token_seed,
				     const struct table_schema *schema, struct slice item,
				     struct row_key_error *error);

/* Built in a buffer that all requests share, kept in the request's arena. */
static bool make(struct api_request *request, const struct table_info *table, row_key_maker maker,
		 struct slice item, struct slice *row_key_out)
{
	struct buf *scratch = &request->api->row_key;
	struct row_key_error key_error = { .fault = ROW_KEY_OK };
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	enum status status;

	buf_reset(scratch);
	status = maker(scratch, table->table_id, table->token_seed, &table->schema, item, &key_error);
	if (status == ST_INVALID) {
		row_key_error_print(&key_error, message, sizeof(message));
		api_error_set(&request->error, API_ERROR_VALIDATION, "%s", message);
	}
	if (status != ST_OK)
		return false;
	*row_key_out = slice_of(arena_copy(request->arena, buf_slice(scratch)), scratch->size);
	return row_key_out->data != NULL;
}

bool api_row_key_of_item(struct api_request *request, const struct table_info *table, struct slice item,
			 struct slice *row_key_out)
{
	return make(request, table, row_key_from_item, item, row_key_out);
}

static enum status from_batch_item(struct buf *out, uint32_t table_id, uint64_t token_seed,
				   const struct table_schema *schema, struct slice item,
				   struct row_key_error *error)
{
	enum status status = row_key_from_item(out, table_id, token_seed, schema, item, error);

	if (status == ST_INVALID && (error->fault == ROW_KEY_MISSING || error->fault == ROW_KEY_TYPE))
		error->fault = ROW_KEY_SCHEMA;
	return status;
}

bool api_row_key_of_batch_item(struct api_request *request, const struct table_info *table, struct slice item,
			       struct slice *row_key_out)
{
	return make(request, table, from_batch_item, item, row_key_out);
}

bool api_row_key_of_key(struct api_request *request, const struct table_info *table, struct slice key,
			struct slice *row_key_out)
{
	return make(request, table, row_key_from_key, key, row_key_out);
}
