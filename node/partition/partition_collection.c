#include "node/partition/partition_collection.h"

#include "node/partition/partition_verdict.h"
#include "proto/wire/proto_borrow.h"
#include "storage/encoding/stored_item.h"
#include "storage/index/local_row.h"

static enum status make_key(struct partition_write *write)
{
	struct slice collection;
	struct buf key;
	uint8_t *copy;

	if (local_row_collection(write->row_key, &write->partition->indexes.schema, &collection) != ST_OK)
		return ST_INVALID;
	buf_init(&key, LIMIT_ROW_KEY_SIZE_BYTES);
	local_row_size_key(&key, collection);
	copy = key.status == ST_OK ? arena_copy(&write->index_arena, buf_slice(&key)) : NULL;
	if (copy != NULL)
		write->collection_key = slice_of(copy, key.size);
	buf_close(&key);
	return copy == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status take_stored(struct slice value, uint64_t *size_bytes_out)
{
	struct stored_item stored;
	enum status status = stored_item_read(value, &stored);

	return status == ST_OK ? local_row_take_size(stored.item, size_bytes_out) : status;
}

/* As the write finds it: pending first, else applied. */
static enum status read_size(const struct partition_write *write, uint64_t *size_bytes_out)
{
	const struct partition *partition = write->partition;
	struct partition_overlay_image pending;
	struct engine_value value;
	enum status status;

	*size_bytes_out = 0;
	if (partition_overlay_find(&partition->overlay, write->collection_key, &pending))
		return local_row_take_size(pending.item, size_bytes_out);
	status = engine_get(partition->env->engine, FAMILY_LOCAL_INDEXES, write->collection_key,
			    partition_write_read_mode(write), &value);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	status = take_stored(value.slice, size_bytes_out);
	engine_value_release(&value);
	return status;
}

/* An empty collection has no row. */
static enum status put_size(struct partition_write *write)
{
	Cleave__LocalIndexRow *row = arena_alloc(&write->index_arena, sizeof(*row));
	uint8_t *value = arena_alloc(&write->index_arena, LOCAL_ROW_SIZE_VALUE);

	if (row == NULL || value == NULL)
		return ST_NO_MEMORY;
	local_row_put_size(value, write->collection_size_bytes);
	write->collection_value = slice_of(value, LOCAL_ROW_SIZE_VALUE);
	cleave__local_index_row__init(row);
	row->row_key = proto_borrow_bytes(write->collection_key);
	row->is_delete = write->collection_size_bytes == 0;
	if (!row->is_delete)
		row->item = (ProtobufCBinaryData){ LOCAL_ROW_SIZE_VALUE, value };
	write->local_rows[write->local_row_count++] = row;
	write->local_rows_size_bytes += write->collection_key.size;
	write->changes_collection = true;
	return ST_OK;
}

static void refuse(struct partition_write *write)
{
	partition_verdict_refuse(write, ST_REFUSED);
	write->is_collection_full = true;
	write->local_row_count = 0;
	write->local_rows_size_bytes = 0;
	write->index_unit_count = 0;
}

static bool has_local_index(const struct table_indexes *set)
{
	uint32_t cursor = 0;

	return table_indexes_next(set, true, &cursor) != NULL;
}

enum status partition_collection_grow(struct partition_write *write, int64_t growth_bytes)
{
	uint64_t size_bytes_max = write->partition->env->collection_size_bytes_max;
	uint64_t size_bytes;
	enum status status;

	if (!has_local_index(write->partition->indexes.set) ||
	    (growth_bytes == 0 && !write->needs_collection_size))
		return ST_OK;
	status = make_key(write);
	if (status == ST_OK)
		status = read_size(write, &size_bytes);
	if (status != ST_OK)
		return status;
	if (size_bytes_max == 0)
		size_bytes_max = LIMIT_COLLECTION_SIZE_BYTES;
	if (growth_bytes > 0 && size_bytes + (uint64_t)growth_bytes > size_bytes_max) {
		refuse(write);
		return ST_OK;
	}
	if (growth_bytes < 0 && size_bytes < (uint64_t)-growth_bytes)
		return ST_CORRUPT;
	write->collection_size_bytes = size_bytes + (uint64_t)growth_bytes;
	return growth_bytes == 0 ? ST_OK : put_size(write);
}
