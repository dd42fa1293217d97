#include "node/partition/partition_index_rows.h"

#include "node/partition/partition_collection.h"
#include "storage/index/index_plan.h"
#include "storage/index/local_row.h"

/* --- may it be in the indexes? --- */

static char *copy_name(struct partition_write *write, const char *name)
{
	return (char *)arena_copy(&write->index_arena, slice_of_string(name));
}

static enum status refuse_key(struct partition_write *write, const struct table_index_error *error)
{
	Cleave__RefusedIndexKey *refused = arena_alloc(&write->index_arena, sizeof(*refused));

	if (refused == NULL)
		return ST_NO_MEMORY;
	cleave__refused_index_key__init(refused);
	refused->index_name = copy_name(write, error->index->name);
	refused->attribute_name = copy_name(write, error->key.attribute->name);
	refused->fault = error->key.fault;
	refused->actual_type = error->key.actual;
	refused->expected_type = error->key.attribute->type;
	refused->size_bytes = (uint32_t)error->size_bytes;
	if (refused->index_name == NULL || refused->attribute_name == NULL)
		return ST_NO_MEMORY;
	write->refused_index_key = refused;
	partition_verdict_refuse(write, ST_REFUSED);
	return ST_OK;
}

/* An update may leave as it is what it does not touch, a put brings all anew. */
static enum status check_keys(struct partition_write *write, const struct table_indexes *set,
			      const struct partition_old_image *old)
{
	struct slice before = write->kind == PARTITION_UPDATE ? old->item : slice_of(NULL, 0);
	struct table_index_error error;

	if (table_indexes_check_item(set, before, write->image, &error) == ST_OK)
		return ST_OK;
	return refuse_key(write, &error);
}

/* --- units --- */

static enum status add_units(struct partition_write *write, const struct table_index *index, uint32_t units)
{
	Cleave__IndexWriteUnits *added = arena_alloc(&write->index_arena, sizeof(*added));

	if (added == NULL)
		return ST_NO_MEMORY;
	cleave__index_write_units__init(added);
	added->index_name = copy_name(write, index->name);
	added->units = units;
	added->is_local = table_index_is_local(index);
	write->index_units[write->index_unit_count++] = added;
	return added->index_name == NULL ? ST_NO_MEMORY : ST_OK;
}

/* --- rows of local indexes --- */

static bool copy_bytes(struct partition_write *write, struct slice bytes, ProtobufCBinaryData *out)
{
	*out = (ProtobufCBinaryData){ bytes.size, arena_copy(&write->index_arena, bytes) };
	write->local_rows_size_bytes += bytes.size;
	return out->data != NULL;
}

/* Does the row lie with the item?  It does not if the item's attributes are not those of its key. */
static bool is_beside_item(const struct partition_write *write, struct slice key)
{
	struct local_row row;

	return local_row_read(key, &write->partition->indexes.schema, &row) == ST_OK &&
	       row.collection.size <= write->row_key.size &&
	       memcmp(row.collection.data, write->row_key.data, row.collection.size) == 0 &&
	       partition_covers(write->partition, key);
}

/* A row with the key that the plan gives it; but its head is the item's own: the token's seed is
 * not known here, and not needed. */
static enum status add_row(struct partition_write *write, struct slice key, Cleave__LocalIndexRow **row_out)
{
	Cleave__LocalIndexRow *row = arena_alloc(&write->index_arena, sizeof(*row));

	if (row == NULL)
		return ST_NO_MEMORY;
	cleave__local_index_row__init(row);
	if (!copy_bytes(write, key, &row->row_key))
		return ST_NO_MEMORY;
	memcpy(row->row_key.data, write->row_key.data, LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	if (!is_beside_item(write, slice_of(row->row_key.data, row->row_key.len)))
		return ST_INVALID;
	write->local_rows[write->local_row_count++] = row;
	*row_out = row;
	return ST_OK;
}

static enum status add_local_rows(struct partition_write *write, const struct index_plan *plan)
{
	Cleave__LocalIndexRow *row;
	enum status status = ST_OK;

	if (plan->has_delete) {
		status = add_row(write, plan->delete_key, &row);
		if (status != ST_OK)
			return status;
		row->is_delete = true;
	}
	if (plan->has_put)
		status = add_row(write, plan->put_key, &row);
	if (status != ST_OK || !plan->has_put)
		return status;
	row->is_whole_item = plan->is_whole_item;
	row->size_bytes = plan->item_size_bytes;
	return plan->is_whole_item || copy_bytes(write, plan->item, &row->item) ? ST_OK : ST_NO_MEMORY;
}

/* --- all of them --- */

static enum status make_for(struct partition_write *write, const struct table_index *index,
			    const struct partition_old_image *old, struct index_plan *plan,
			    int64_t *growth_bytes)
{
	const struct partition_indexes *indexes = &write->partition->indexes;
	struct index_owner owner = { write->partition->table_id, 0, &indexes->schema, index };
	enum status status;

	/* Rows of global indexes are made from the log of changes; here only their price is asked. */
	if (!table_index_is_local(index) && !write->needs_old)
		return ST_OK;
	status = index_plan_make(plan, &owner, old->item, write->image);
	if (status == ST_OK && table_index_is_local(index))
		*growth_bytes += (int64_t)(plan->has_put ? plan->item_size_bytes : 0) - plan->old_size_bytes;
	if (status == ST_OK && table_index_is_local(index))
		status = add_local_rows(write, plan);
	if (status == ST_OK && write->needs_old && plan->write_units > 0)
		status = add_units(write, index, plan->write_units);
	return status;
}

static enum status make_all(struct partition_write *write, const struct table_indexes *set,
			    const struct partition_old_image *old)
{
	struct arena *arena = &write->index_arena;
	enum status status = ST_OK;
	int64_t growth_bytes = (int64_t)write->new_size_bytes - (int64_t)write->old_size_bytes;
	struct index_plan plan;

	write->index_units = arena_alloc(arena, set->count * sizeof(struct Cleave__IndexWriteUnits *));
	write->local_rows = arena_alloc(arena, (2 * set->count + 1) * sizeof(struct Cleave__LocalIndexRow *));
	if (write->index_units == NULL || write->local_rows == NULL)
		return ST_NO_MEMORY;
	index_plan_init(&plan);
	for (uint32_t i = 0; status == ST_OK && i < set->count; i++)
		status = make_for(write, &set->list[i], old, &plan, &growth_bytes);
	index_plan_close(&plan);
	return status == ST_OK ? partition_collection_grow(write, growth_bytes) : status;
}

enum status partition_index_rows_make(struct partition_write *write, const struct partition_old_image *old)
{
	const struct table_indexes *set = write->partition->indexes.set;
	enum status status = ST_OK;

	write->refused_index_key = NULL;
	write->index_unit_count = 0;
	write->local_row_count = 0;
	write->local_rows_size_bytes = 0;
	write->is_collection_full = false;
	write->collection_key = slice_of(NULL, 0);
	write->changes_collection = false;
	if (set == NULL)
		return ST_OK;
	arena_reset(&write->index_arena);
	if (!write->changes)
		return partition_collection_grow(write, 0);
	if (write->row_key.size < LIMIT_ROW_KEY_HEAD_SIZE_BYTES)
		return ST_INVALID;
	if (write->kind != PARTITION_DELETE)
		status = check_keys(write, set, old);
	if (status == ST_OK && write->verdict == ST_OK)
		status = make_all(write, set, old);
	return status;
}
