#include "proto/catalog/index_info.h"

#include "proto/wire/proto_borrow.h"

/* --- decoding --- */

static enum status decode_attributes(const Cleave__IndexRecord *record, struct arena *arena,
				     struct table_index *index)
{
	struct slice *names;

	if (record->n_attributes > LIMIT_PROJECTED_ATTRIBUTE_COUNT ||
	    (record->n_attributes > 0) != (index->projection == INDEX_PROJECTS_SOME))
		return ST_CORRUPT;
	names = arena_alloc(arena, (record->n_attributes + 1) * sizeof(*names));
	if (names == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < record->n_attributes; i++) {
		struct slice name = slice_of(record->attributes[i].data, record->attributes[i].len);
		uint8_t *copy = arena_copy(arena, name);

		if (name.size == 0 || name.size > LIMIT_KEY_NAME_SIZE_BYTES)
			return ST_CORRUPT;
		if (copy == NULL)
			return ST_NO_MEMORY;
		names[i] = slice_of(copy, name.size);
	}
	index->attributes = names;
	index->attribute_count = (uint32_t)record->n_attributes;
	return ST_OK;
}

struct table_next_units index_info_decode_units(const Cleave__Throughput *record)
{
	struct table_next_units units = { .is_set = record != NULL };

	if (record != NULL) {
		units.read_units = record->read_units;
		units.write_units = record->write_units;
	}
	return units;
}

enum status index_info_decode(const Cleave__IndexRecord *record, struct arena *arena,
			      struct table_index *index_out)
{
	struct table_index index = {
		.table_id = record->table_id,
		.projection = (enum index_projection)record->projection,
		.state = (enum index_state)record->state,
		.is_backfilling = record->is_backfilling,
		.read_units = record->read_units,
		.write_units = record->write_units,
		.next_units = index_info_decode_units(record->next_units),
	};
	enum status status;

	if (!table_schema_name_is_valid(slice_of_string(record->name)) ||
	    record->local_number > LIMIT_LOCAL_INDEX_COUNT || record->projection < 0 ||
	    record->projection > CLEAVE__INDEX_RECORD__PROJECTION__INCLUDE || record->state < 0 ||
	    record->state > CLEAVE__INDEX_RECORD__STATE__DELETING)
		return ST_CORRUPT;
	memcpy(index.name, record->name, strlen(record->name) + 1);
	index.local_number = (uint8_t)record->local_number;
	status = table_schema_decode(record->schema, &index.schema);
	if (status == ST_OK && table_index_is_local(&index) &&
	    (!table_schema_is_simple(&index.schema) || index.schema.sort_count == 0))
		status = ST_CORRUPT;
	if (status == ST_OK)
		status = decode_attributes(record, arena, &index);
	if (status == ST_OK)
		*index_out = index;
	return status;
}

/* Of each kind no more than a table may have, and names as many as all its indexes may project. */
static bool are_within_limits(const struct table_indexes *indexes)
{
	uint32_t local_count = 0;
	uint32_t attribute_count = 0;

	for (uint32_t i = 0; i < indexes->count; i++) {
		local_count += table_index_is_local(&indexes->list[i]);
		attribute_count += indexes->list[i].attribute_count;
	}
	return local_count <= LIMIT_LOCAL_INDEX_COUNT &&
	       indexes->count - local_count <= LIMIT_GLOBAL_INDEX_COUNT &&
	       attribute_count <= LIMIT_PROJECTED_ATTRIBUTE_COUNT;
}

enum status index_info_decode_all(const Cleave__TableRecord *record, struct arena *arena,
				  const struct table_indexes **indexes_out)
{
	struct table_indexes *indexes;

	*indexes_out = NULL;
	if (record->n_indexes == 0)
		return ST_OK;
	if (record->n_indexes > TABLE_INDEXES_MAX)
		return ST_CORRUPT;
	indexes = arena_alloc(arena, sizeof(*indexes) + record->n_indexes * sizeof(indexes->list[0]));
	if (indexes == NULL)
		return ST_NO_MEMORY;
	indexes->count = 0;
	for (size_t i = 0; i < record->n_indexes; i++) {
		enum status status = index_info_decode(record->indexes[i], arena, &indexes->list[i]);

		if (status == ST_OK &&
		    table_indexes_find(indexes, slice_of_string(record->indexes[i]->name)) != NULL)
			status = ST_CORRUPT;
		if (status != ST_OK)
			return status;
		indexes->count++;
	}
	if (!are_within_limits(indexes))
		return ST_CORRUPT;
	*indexes_out = indexes;
	return ST_OK;
}

/* --- encoding --- */

static bool encode_attributes(const struct table_index *index, Cleave__IndexRecord *record,
			      struct arena *arena)
{
	record->attributes = arena_alloc(arena, (index->attribute_count + 1) * sizeof(*record->attributes));
	if (record->attributes == NULL)
		return false;
	for (uint32_t i = 0; i < index->attribute_count; i++) {
		uint8_t *copy = arena_copy(arena, index->attributes[i]);

		if (copy == NULL)
			return false;
		record->attributes[record->n_attributes++] = (ProtobufCBinaryData){ index->attributes[i].size,
										    copy };
	}
	return true;
}

bool index_info_encode_units(const struct table_next_units *units, Cleave__Throughput **record_out,
			     struct arena *arena)
{
	Cleave__Throughput *record;

	*record_out = NULL;
	if (!units->is_set)
		return true;
	record = arena_alloc(arena, sizeof(*record));
	if (record == NULL)
		return false;
	cleave__throughput__init(record);
	record->read_units = units->read_units;
	record->write_units = units->write_units;
	*record_out = record;
	return true;
}

Cleave__IndexRecord *index_info_encode(const struct table_index *index, struct arena *arena)
{
	Cleave__IndexRecord *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__index_record__init(record);
	record->name = proto_borrow_text(index->name);
	record->local_number = index->local_number;
	record->table_id = index->table_id;
	record->schema = table_schema_encode(&index->schema, arena);
	record->projection = (Cleave__IndexRecord__Projection)index->projection;
	record->state = (Cleave__IndexRecord__State)index->state;
	record->is_backfilling = index->is_backfilling;
	record->read_units = index->read_units;
	record->write_units = index->write_units;
	if (!index_info_encode_units(&index->next_units, &record->next_units, arena))
		return NULL;
	return record->schema != NULL && encode_attributes(index, record, arena) ? record : NULL;
}

bool index_info_encode_all(const struct table_indexes *indexes, Cleave__TableRecord *record,
			   struct arena *arena)
{
	record->indexes = arena_alloc(arena, (indexes->count + 1) * sizeof(*record->indexes));
	if (record->indexes == NULL)
		return false;
	for (uint32_t i = 0; i < indexes->count; i++) {
		Cleave__IndexRecord *index = index_info_encode(&indexes->list[i], arena);

		if (index == NULL)
			return false;
		record->indexes[record->n_indexes++] = index;
	}
	return true;
}
