#include "storage/item/item_scan.h"

#include "storage/encoding/stored_item.h"

void item_scan_init(struct item_scan *scan)
{
	*scan = (struct item_scan){ .family = FAMILY_ITEMS };
	buf_init(&scan->rows, ITEM_SCAN_ROWS_SIZE_MAX);
	buf_init(&scan->last_key, LIMIT_ROW_KEY_SIZE_BYTES);
}

void item_scan_close(struct item_scan *scan)
{
	buf_close(&scan->rows);
	buf_close(&scan->last_key);
}

static bool has_room(const struct item_scan *scan)
{
	return scan->evaluated_count < scan->row_count_max && scan->evaluated_count < ITEM_SCAN_ROWS_MAX &&
	       scan->evaluated_size_bytes < scan->size_bytes_max && scan->rows.size < ITEM_SCAN_ENCODED_BYTES;
}

/* Its size comes first, and is known last. */
static enum status add_projected(struct item_scan *scan, struct slice item)
{
	size_t offset = scan->rows.size;
	enum status status;

	buf_put_u32_be(&scan->rows, 0);
	status = eval_project(scan->projection, item, &scan->rows);
	if (status != ST_OK)
		return status;
	if (scan->rows.status == ST_OK)
		put_u32_be(scan->rows.data + offset, (uint32_t)(scan->rows.size - offset - sizeof(uint32_t)));
	return scan->rows.status;
}

static enum status add_match(struct item_scan *scan, struct slice item)
{
	scan->matched_count++;
	if (scan->counts_only)
		return ST_OK;
	if (scan->projection != NULL)
		return add_projected(scan, item);
	buf_put_u32_be(&scan->rows, (uint32_t)item.size);
	buf_append_slice(&scan->rows, item);
	return scan->rows.status;
}

static enum status evaluate(struct item_scan *scan, struct slice value)
{
	struct stored_item stored;
	enum status status = stored_item_read(value, &stored);
	bool is_match = true;

	if (status != ST_OK)
		return status;
	scan->evaluated_count++;
	scan->evaluated_size_bytes += stored.size_bytes;
	if (scan->filter != NULL)
		status = eval_condition(scan->filter, stored.item, &is_match);
	return status == ST_OK && is_match ? add_match(scan, stored.item) : status;
}

/* The iterator stands on the first row, if there is one. */
static enum status walk(struct item_scan *scan, const struct engine *engine, struct engine_iter *iter)
{
	enum status status = ST_OK;

	while (status == ST_OK && engine_iter_valid(engine, iter)) {
		status = evaluate(scan, engine_iter_value(engine, iter));
		if (status == ST_OK && !has_room(scan)) {
			buf_append_slice(&scan->last_key, engine_iter_key(engine, iter));
			return scan->last_key.status;
		}
		if (status != ST_OK)
			break;
		if (scan->is_backward)
			engine_iter_prev(engine, iter);
		else
			engine_iter_next(engine, iter);
	}
	scan->is_at_end = true;
	return status == ST_OK ? engine_iter_status(engine, iter) : status;
}

enum status item_scan_run(struct item_scan *scan, struct engine *engine)
{
	struct engine_iter *iter;
	enum status status;

	CHECK(scan->row_count_max > 0 && scan->size_bytes_max > 0);
	iter = engine_iter_create(engine, scan->family, scan->start, scan->end, NULL, ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	if (scan->is_backward)
		engine_iter_seek_last(engine, iter);
	else
		engine_iter_seek_first(engine, iter);
	status = walk(scan, engine, iter);
	engine_iter_destroy(engine, iter);
	return status;
}
