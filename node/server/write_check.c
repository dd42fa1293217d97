#include "node/server/write_check.h"

#include "proto/model/item_check.h"
#include "proto/model/row_key.h"

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

enum status write_check(const Cleave__WriteItemRequest *message, const struct table_info *table,
			struct buf *scratch)
{
	struct slice row_key = slice_of(message->row_key.data, message->row_key.len);
	struct slice item = slice_of(message->item.data, message->item.len);
	enum status status;

	if (message->kind == CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE)
		return table == NULL ? ST_OK : check_key(row_key, table);
	status = check_item(item);
	if (status != ST_OK || table == NULL)
		return status;
	return check_key_of_item(row_key, item, table, scratch);
}
