#include "node/catalog/catalog_rows.h"

#include "proto/catalog/catalog_info.h"

enum {
	FORMAT_VERSION = 1,
	KEY_SIZE = 8 + 1 + 8,
	ROW_SIZE_MAX = 256 * 1024, /* a table's, with all names and tags as long as may be, has less */
};

static struct slice key_of(uint8_t out[KEY_SIZE], enum catalog_row_kind kind, uint64_t id)
{
	put_u64_be(out, CATALOG_GROUP_ID);
	out[8] = (uint8_t)kind;
	put_u64_be(out + 9, id);
	return slice_of(out, KEY_SIZE);
}

enum status catalog_rows_put(struct engine *engine, struct engine_batch *batch, enum catalog_row_kind kind,
			     uint64_t id, const ProtobufCMessage *record)
{
	uint8_t key[KEY_SIZE];
	struct buf value;
	uint8_t *room;
	enum status status;

	buf_init(&value, ROW_SIZE_MAX);
	buf_put_u8(&value, FORMAT_VERSION);
	room = buf_extend(&value, protobuf_c_message_get_packed_size(record));
	if (room != NULL) {
		(void)protobuf_c_message_pack(record, room);
		engine_batch_put(engine, batch, FAMILY_META, key_of(key, kind, id), buf_slice(&value));
	}
	status = value.status;
	buf_close(&value);
	return status;
}

void catalog_rows_delete(struct engine *engine, struct engine_batch *batch, enum catalog_row_kind kind,
			 uint64_t id)
{
	uint8_t key[KEY_SIZE];

	engine_batch_delete(engine, batch, FAMILY_META, key_of(key, kind, id));
}

static enum status visit(const struct engine *engine, const struct engine_iter *iter, catalog_rows_cb cb,
			 void *context)
{
	struct slice key = engine_iter_key(engine, iter);
	struct slice value = engine_iter_value(engine, iter);

	if (key.size != KEY_SIZE || value.size == 0)
		return ST_CORRUPT;
	if (value.data[0] != FORMAT_VERSION)
		return ST_VERSION;
	return cb(context, (enum catalog_row_kind)key.data[8], get_u64_be(key.data + 9),
		  slice_of(value.data + 1, value.size - 1));
}

enum status catalog_rows_scan(struct engine *engine, catalog_rows_cb cb, void *context)
{
	uint8_t start[CATALOG_ROWS_BOUND_SIZE];
	uint8_t end[CATALOG_ROWS_BOUND_SIZE];
	struct engine_iter *iter;
	enum status status = ST_OK;

	catalog_rows_bounds(start, end);
	iter = engine_iter_create(engine, FAMILY_META, slice_of(start, sizeof(start)),
				  slice_of(end, sizeof(end)), NULL, ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine_iter_seek_first(engine, iter); status == ST_OK && engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		status = visit(engine, iter, cb, context);
	if (status == ST_OK)
		status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	return status;
}

void catalog_rows_bounds(uint8_t start_out[CATALOG_ROWS_BOUND_SIZE], uint8_t end_out[CATALOG_ROWS_BOUND_SIZE])
{
	put_u64_be(start_out, CATALOG_GROUP_ID);
	put_u64_be(end_out, CATALOG_GROUP_ID + 1);
}
