#include "storage/item/item_scan.h"

#include "proto/model/capacity.h"
#include "storage/encoding/stored_item.h"
#include "storage/index/local_row.h"
#include "storage/item/item_page_size.h"

void item_scan_init(struct item_scan *scan)
{
	*scan = (struct item_scan){ .family = FAMILY_ITEMS };
	buf_init(&scan->rows, ITEM_SCAN_ROWS_SIZE_MAX);
	buf_init(&scan->last_key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_init(&scan->key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
}

void item_scan_close(struct item_scan *scan)
{
	buf_close(&scan->rows);
	buf_close(&scan->last_key);
	buf_close(&scan->key);
}

static bool has_room(const struct item_scan *scan)
{
	return scan->evaluated_count < scan->row_count_max && scan->evaluated_count < ITEM_SCAN_ROWS_MAX &&
	       scan->passed_count < ITEM_SCAN_PASSED_MAX && scan->page_size_bytes < scan->size_bytes_max &&
	       scan->rows.size < ITEM_SCAN_ENCODED_BYTES;
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

/* --- rows of local indexes --- */

static enum status seek(struct item_scan *scan)
{
	if (scan->key.status != ST_OK)
		return scan->key.status;
	engine_iter_seek(scan->engine, scan->iter, buf_slice(&scan->key));
	/* Backward, to the row before that key; there is one at or after it, where we come from. */
	if (scan->is_backward && engine_iter_valid(scan->engine, scan->iter))
		engine_iter_prev(scan->engine, scan->iter);
	return ST_OK;
}

/* Beyond the rows of other indexes: to this index in the same collection if it is still to come,
 * else to the collection after. */
static enum status seek_past(struct item_scan *scan, const struct local_row *row)
{
	bool is_to_come = scan->is_backward ? row->local_number > scan->local_number
					    : row->local_number < scan->local_number;

	scan->passed_in_a_row = 0;
	buf_reset(&scan->key);
	buf_append_slice(&scan->key, row->collection);
	if (is_to_come)
		buf_put_u8(&scan->key, (uint8_t)(scan->local_number + scan->is_backward));
	else if (!scan->is_backward)
		buf_put_u8(&scan->key, UINT8_MAX); /* no index has so high a number */
	return seek(scan);
}

/* The whole item of an entry. */
static enum status fetch(struct item_scan *scan, const struct local_row *row, struct slice *item)
{
	struct stored_item stored;
	enum status status;
	uint64_t units;

	buf_reset(&scan->key);
	status = local_row_base_key(&scan->key, row, scan->schema, *item);
	if (status != ST_OK)
		return status;
	engine_iter_seek(scan->engine, scan->base, buf_slice(&scan->key));
	if (!engine_iter_valid(scan->engine, scan->base)) {
		status = engine_iter_status(scan->engine, scan->base);
		return status == ST_OK ? ST_CORRUPT : status;
	}
	if (!slice_equal(engine_iter_key(scan->engine, scan->base), buf_slice(&scan->key)))
		return ST_CORRUPT; /* both rows are written by one batch */
	status = stored_item_read(engine_iter_value(scan->engine, scan->base), &stored);
	if (status != ST_OK)
		return status;
	units = capacity_read_half_units(stored.size_bytes, CAPACITY_READ_EVENTUAL);
	scan->fetched_units += units;
	scan->page_size_bytes += units * LIMIT_READ_UNIT_SIZE_BYTES;
	*item = stored.item;
	return ST_OK;
}

/* --- the walk --- */

static enum status evaluate(struct item_scan *scan, const struct local_row *row)
{
	struct stored_item stored;
	enum status status = stored_item_read(engine_iter_value(scan->engine, scan->iter), &stored);
	bool is_match = true;

	if (status != ST_OK)
		return status;
	scan->evaluated_count++;
	scan->evaluated_size_bytes += stored.size_bytes;
	scan->page_size_bytes += scan->counts_page_sizes
					 ? item_page_size_bytes(stored.item, scan->sort_key_name)
					 : stored.size_bytes;
	if (scan->fetches_items)
		status = fetch(scan, row, &stored.item);
	if (status == ST_OK && scan->filter != NULL)
		status = eval_condition(scan->filter, stored.item, &is_match);
	return status == ST_OK && is_match ? add_match(scan, stored.item) : status;
}

/* The row under the iterator. */
static enum status visit(struct item_scan *scan, struct local_row *row_out)
{
	enum status status = ST_OK;

	*row_out = (struct local_row){ .local_number = 0 };
	if (scan->local_number != 0)
		status = local_row_read(engine_iter_key(scan->engine, scan->iter), scan->schema, row_out);
	if (status != ST_OK)
		return status;
	if (row_out->local_number == scan->local_number) {
		scan->passed_in_a_row = 0;
		return evaluate(scan, row_out);
	}
	scan->passed_count++;
	scan->passed_in_a_row++;
	return ST_OK;
}

static enum status move_on(struct item_scan *scan, const struct local_row *row)
{
	if (scan->passed_in_a_row >= ITEM_SCAN_SEEK_AFTER)
		return seek_past(scan, row);
	if (scan->is_backward)
		engine_iter_prev(scan->engine, scan->iter);
	else
		engine_iter_next(scan->engine, scan->iter);
	return ST_OK;
}

/* The iterator stands on the first row, if there is one. */
static enum status walk(struct item_scan *scan)
{
	struct local_row row;
	enum status status = ST_OK;

	while (status == ST_OK && engine_iter_valid(scan->engine, scan->iter)) {
		status = visit(scan, &row);
		if (status == ST_OK && !has_room(scan)) {
			buf_append_slice(&scan->last_key, engine_iter_key(scan->engine, scan->iter));
			return scan->last_key.status;
		}
		if (status == ST_OK)
			status = move_on(scan, &row);
	}
	scan->is_at_end = true;
	return status == ST_OK ? engine_iter_status(scan->engine, scan->iter) : status;
}

/* Entries and items of the same moment. */
static enum status open_iters(struct item_scan *scan, struct engine *engine,
			      const struct engine_snapshot *snapshot)
{
	/* No row of an item is before the head of its entry's. */
	size_t head_size = scan->start.size < LIMIT_ROW_KEY_HEAD_SIZE_BYTES ? scan->start.size
									    : LIMIT_ROW_KEY_HEAD_SIZE_BYTES;

	scan->iter = engine_iter_create(engine, scan->family, scan->start, scan->end, snapshot,
					ENGINE_READ_MAY_BLOCK);
	if (scan->iter == NULL)
		return ST_NO_MEMORY;
	if (!scan->fetches_items)
		return ST_OK;
	scan->base = engine_iter_create(engine, FAMILY_ITEMS, slice_of(scan->start.data, head_size),
					slice_of(NULL, 0), snapshot, ENGINE_READ_MAY_BLOCK);
	return scan->base == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status item_scan_run(struct item_scan *scan, struct engine *engine)
{
	struct engine_snapshot *snapshot = NULL;
	enum status status;

	CHECK(scan->row_count_max > 0 && scan->size_bytes_max > 0);
	CHECK((scan->local_number != 0) == (scan->family == FAMILY_LOCAL_INDEXES));
	CHECK(!scan->fetches_items || scan->local_number != 0);
	scan->engine = engine;
	if (scan->fetches_items) {
		snapshot = engine_snapshot_create(engine);
		if (snapshot == NULL)
			return ST_NO_MEMORY;
	}
	status = open_iters(scan, engine, snapshot);
	if (status == ST_OK && scan->is_backward)
		engine_iter_seek_last(engine, scan->iter);
	else if (status == ST_OK)
		engine_iter_seek_first(engine, scan->iter);
	if (status == ST_OK)
		status = walk(scan);
	engine_iter_destroy(engine, scan->iter);
	engine_iter_destroy(engine, scan->base);
	engine_snapshot_release(engine, snapshot);
	scan->iter = NULL;
	scan->base = NULL;
	return status;
}
