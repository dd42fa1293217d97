#include "node/server/write_check.h"

#include "proto/model/item_check.h"
#include "proto/model/row_key.h"
#include "proto/wire/expr_code.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_project.h"

/* A byte of an encoded item counts as about one, and as far less than this: most items are too
 * small to be measured. */
enum { COUNTED_PER_BYTE_MAX = 16 };

static bool is_too_big(struct slice item)
{
	return item.size > LIMIT_ITEM_SIZE_BYTES / COUNTED_PER_BYTE_MAX &&
	       item_size_bytes(item) > LIMIT_ITEM_SIZE_BYTES;
}

static enum status check_item(struct slice item)
{
	enum status status = item_check(item);

	if (status == ST_NO_MEMORY)
		return status;
	return status == ST_OK && !is_too_big(item) ? ST_OK : ST_INVALID;
}

static enum status check_key_of_item(struct slice row_key, struct slice item, const struct table_info *table,
				     struct buf *scratch)
{
	struct row_key_error error;
	enum status status;

	buf_reset(scratch);
	status = row_key_from_item(scratch, table->table_id, table->token_seed, &table->schema, item, &error);
	if (status == ST_NO_MEMORY)
		return status;
	return status == ST_OK && slice_equal(row_key, buf_slice(scratch)) ? ST_OK : ST_INVALID;
}

static enum status check_key(struct slice row_key, const struct table_info *table)
{
	struct row_key_parts parts;

	if (row_key_split(row_key, &table->schema, &parts) != ST_OK || parts.table_id != table->table_id ||
	    parts.token != row_key_token(parts.partition_key, table->token_seed))
		return ST_INVALID;
	return ST_OK;
}

/* No action of an update may touch an attribute of the key: its row would be another. */
static enum status check_update_leaves_key(const Cleave__ExprUpdate *update, const struct table_info *table)
{
	const struct table_schema *schema = &table->schema;
	struct eval_projection touched;
	struct arena arena;
	enum status status;

	arena_init(&arena, LIMIT_SUBSTITUTIONS_SIZE_BYTES);
	status = eval_project_init_updated(&touched, update, &arena);
	for (uint32_t i = 0; status == ST_OK && i < touched.count; i++) {
		struct slice path = touched.paths[i];
		struct expr_path_element element;

		if (!expr_path_next(&path, &element) || table_schema_find(schema, element.name) != NULL)
			status = ST_INVALID;
	}
	arena_close(&arena);
	return status;
}

static enum status check_programs(const Cleave__WriteItemRequest *message, const struct table_info *table)
{
	if (message->condition != NULL && eval_check_condition(message->condition) != ST_OK)
		return ST_INVALID;
	if (message->update == NULL)
		return ST_OK;
	if (eval_check_update(message->update) != ST_OK)
		return ST_INVALID;
	return table == NULL ? ST_OK : check_update_leaves_key(message->update, table);
}

/* The row key is the one that the attributes of a key have. */
static enum status check_key_of_update(struct slice row_key, struct slice key, const struct table_info *table,
				       struct buf *scratch)
{
	struct row_key_error error;
	enum status status;

	buf_reset(scratch);
	status = row_key_from_key(scratch, table->table_id, table->token_seed, &table->schema, key, &error);
	if (status == ST_NO_MEMORY)
		return status;
	return status == ST_OK && slice_equal(row_key, buf_slice(scratch)) ? ST_OK : ST_INVALID;
}

enum status write_check(const Cleave__WriteItemRequest *message, const struct table_info *table,
			struct buf *scratch)
{
	struct slice row_key = slice_of(message->row_key.data, message->row_key.len);
	struct slice item = slice_of(message->item.data, message->item.len);
	enum status status;

	if (table != NULL && !table_info_is_named(table))
		return ST_INVALID; /* rows of an index come from its table's partitions alone */
	status = check_programs(message, table);
	if (status != ST_OK)
		return status;
	if (message->kind == CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE)
		return table == NULL ? ST_OK : check_key(row_key, table);
	status = check_item(item);
	if (status != ST_OK || table == NULL)
		return status;
	if (message->kind == CLEAVE__WRITE_ITEM_REQUEST__KIND__UPDATE)
		return check_key_of_update(row_key, item, table, scratch);
	return check_key_of_item(row_key, item, table, scratch);
}
