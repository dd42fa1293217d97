#include "storage/item/item_batch.h"

#include "storage/encoding/stored_item.h"

enum { HEAD_SIZE = 8 }; /* of a row in the result */

void item_batch_init(struct item_batch *batch)
{
	*batch = (struct item_batch){ .keys = NULL };
	buf_init(&batch->rows, ITEM_SCAN_ROWS_SIZE_MAX);
}

void item_batch_close(struct item_batch *batch)
{
	buf_close(&batch->rows);
}

/* Behind its head, whose size becomes that of what is left. */
static enum status add_projected(struct item_batch *batch, struct slice item)
{
	size_t offset = batch->rows.size;
	enum status status = eval_project(batch->projection, item, &batch->rows);

	if (status != ST_OK)
		return status;
	if (batch->rows.status == ST_OK)
		put_u32_be(batch->rows.data + offset - HEAD_SIZE, (uint32_t)(batch->rows.size - offset));
	return batch->rows.status;
}

static enum status add_row(struct item_batch *batch, struct slice value, uint64_t *size_bytes)
{
	struct stored_item stored;
	enum status status = stored_item_read(value, &stored);

	if (status != ST_OK)
		return status;
	*size_bytes += stored.size_bytes;
	buf_put_u32_be(&batch->rows, (uint32_t)stored.item.size);
	buf_put_u32_be(&batch->rows, stored.size_bytes);
	if (batch->projection != NULL)
		return add_projected(batch, stored.item);
	buf_append_slice(&batch->rows, stored.item);
	return batch->rows.status;
}

static void add_nothing(struct item_batch *batch)
{
	buf_put_u32_be(&batch->rows, 0);
	buf_put_u32_be(&batch->rows, 0);
}

static enum status add_key(struct item_batch *batch, struct engine *engine, struct slice key,
			   uint64_t *size_bytes)
{
	struct engine_value value = { .engine = NULL };
	enum status status = engine_get(engine, FAMILY_ITEMS, key, ENGINE_READ_MAY_BLOCK, &value);

	if (status == ST_NOT_FOUND) {
		add_nothing(batch);
		return batch->rows.status;
	}
	if (status != ST_OK)
		return status;
	status = add_row(batch, value.slice, size_bytes);
	engine_value_release(&value);
	return status;
}

enum status item_batch_run(struct item_batch *batch, struct engine *engine)
{
	uint64_t size_bytes = 0;
	enum status status = ST_OK;

	CHECK(batch->key_count > 0 && batch->size_bytes_max > 0);
	while (status == ST_OK && batch->answered_count < batch->key_count &&
	       size_bytes < batch->size_bytes_max && batch->rows.size < ITEM_SCAN_ENCODED_BYTES) {
		status = add_key(batch, engine, batch->keys[batch->answered_count], &size_bytes);
		batch->answered_count++;
	}
	return status;
}
