#include "proto/model/table_index.h"

#include <stdalign.h>
#include <stddef.h>

void table_index_copy(struct table_index *index_out, const struct table_index *index)
{
	memcpy(index_out, index, offsetof(struct table_index, schema));
	table_schema_copy(&index_out->schema, &index->schema);
}

/* --- sets of indexes --- */

const struct table_index *table_indexes_find(const struct table_indexes *indexes, struct slice name)
{
	for (uint32_t i = 0; indexes != NULL && i < indexes->count; i++) {
		if (slice_equal(slice_of_string(indexes->list[i].name), name))
			return &indexes->list[i];
	}
	return NULL;
}

const struct table_index *table_indexes_next(const struct table_indexes *indexes, bool is_local,
					     uint32_t *cursor)
{
	while (indexes != NULL && *cursor < indexes->count) {
		const struct table_index *index = &indexes->list[(*cursor)++];

		if (table_index_is_local(index) == is_local)
			return index;
	}
	return NULL;
}

static size_t list_size(const struct table_indexes *indexes)
{
	return sizeof(*indexes) + indexes->count * sizeof(indexes->list[0]);
}

size_t table_indexes_size(const struct table_indexes *indexes)
{
	size_t size = list_size(indexes);

	for (uint32_t i = 0; i < indexes->count; i++) {
		const struct table_index *index = &indexes->list[i];

		size += index->attribute_count * sizeof(struct slice);
		for (uint32_t k = 0; k < index->attribute_count; k++)
			size += index->attributes[k].size;
	}
	return size;
}

struct table_indexes *table_indexes_copy(const struct table_indexes *indexes, void *room)
{
	struct table_indexes *copy = room;
	struct slice *slices;
	uint8_t *bytes;
	size_t slice_count = 0;

	_Static_assert(alignof(struct table_index) >= alignof(struct slice), "names follow the list");
	memcpy(copy, indexes, list_size(indexes));
	for (uint32_t i = 0; i < indexes->count; i++)
		slice_count += indexes->list[i].attribute_count;
	slices = (struct slice *)(void *)((uint8_t *)room + list_size(indexes));
	bytes = (uint8_t *)(slices + slice_count);
	for (uint32_t i = 0; i < copy->count; i++) {
		struct table_index *index = &copy->list[i];

		for (uint32_t k = 0; k < index->attribute_count; k++) {
			struct slice name = index->attributes[k];

			if (name.size > 0)
				memcpy(bytes, name.data, name.size);
			slices[k] = slice_of(bytes, name.size);
			bytes += name.size;
		}
		index->attributes = slices;
		slices += index->attribute_count;
	}
	return copy;
}

bool table_index_projects(const struct index_owner *owner, struct slice name)
{
	const struct table_index *index = owner->index;

	if (index->projection == INDEX_PROJECTS_ALL || table_schema_find(owner->schema, name) != NULL ||
	    table_schema_find(&index->schema, name) != NULL)
		return true;
	for (uint32_t i = 0; i < index->attribute_count; i++) {
		if (slice_equal(index->attributes[i], name))
			return true;
	}
	return false;
}

/* --- row keys --- */

static enum status check_attribute(const struct table_schema *schema, const struct key_attribute *attribute,
				   struct slice item, struct row_key_error *error)
{
	struct item_value value;

	if (!item_find(item, key_attribute_name(attribute), &value))
		return ST_OK;
	if (value.type != attribute->type) {
		*error = (struct row_key_error){ ROW_KEY_TYPE, attribute, value.type };
		return ST_INVALID;
	}
	return row_key_check_value(schema, attribute, value.payload, error);
}

enum status table_index_check_item(const struct table_index *index, struct slice item,
				   struct row_key_error *error)
{
	const struct table_schema *schema = &index->schema;
	enum status status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && i < table_schema_key_count(schema); i++)
		status = check_attribute(schema, &schema->attributes[i], item, error);
	return status;
}

static bool is_as_before(const struct key_attribute *attribute, struct slice old_item,
			 const struct item_value *value)
{
	struct item_value old;

	return old_item.size > 0 && item_find(old_item, key_attribute_name(attribute), &old) &&
	       slice_equal(old.encoded, value->encoded);
}

/* Is a fault of this index told rather than the one found so far? */
static bool comes_first(const struct table_index_error *found, enum row_key_fault fault,
			const struct table_index *index)
{
	if (found->index == NULL || found->key.fault != fault)
		return found->index == NULL || fault < found->key.fault;
	return strcmp(index->name, found->index->name) < 0;
}

static void check_for_index(const struct table_index *index, const struct key_attribute *attribute,
			    struct slice old_item, struct slice item, struct table_index_error *found)
{
	struct row_key_error fault;
	struct item_value value;

	if (check_attribute(&index->schema, attribute, item, &fault) == ST_OK ||
	    !item_find(item, key_attribute_name(attribute), &value) ||
	    is_as_before(attribute, old_item, &value) || !comes_first(found, fault.fault, index))
		return;
	*found = (struct table_index_error){ index, fault, value.payload.size };
}

enum status table_indexes_check_item(const struct table_indexes *indexes, struct slice old_item,
				     struct slice item, struct table_index_error *error)
{
	_Static_assert(ROW_KEY_TYPE < ROW_KEY_EMPTY && ROW_KEY_EMPTY < ROW_KEY_PARTITION_TOO_BIG &&
			       ROW_KEY_EMPTY < ROW_KEY_SORT_TOO_BIG,
		       "faults in the order in which they are told");
	*error = (struct table_index_error){ .index = NULL };
	for (uint32_t i = 0; indexes != NULL && i < indexes->count; i++) {
		const struct table_index *index = &indexes->list[i];

		for (uint32_t k = 0; k < table_schema_key_count(&index->schema); k++)
			check_for_index(index, &index->schema.attributes[k], old_item, item, error);
	}
	return error->index == NULL ? ST_OK : ST_INVALID;
}

/* ST_NOT_FOUND: the item does not have the attribute as it must be. */
static enum status find_attribute(const struct table_schema *schema, const struct key_attribute *attribute,
				  struct slice item, struct slice *payload_out)
{
	struct row_key_error ignored;
	struct item_value value;

	if (!item_find(item, key_attribute_name(attribute), &value) || value.type != attribute->type ||
	    row_key_check_value(schema, attribute, value.payload, &ignored) != ST_OK)
		return ST_NOT_FOUND;
	*payload_out = value.payload;
	return ST_OK;
}

/* The parts of the attributes from first on. */
static enum status append_attributes(struct buf *out, const struct table_schema *schema, uint32_t first,
				     struct slice item)
{
	for (uint32_t i = first; i < table_schema_key_count(schema); i++) {
		const struct key_attribute *attribute = &schema->attributes[i];
		struct slice payload;
		enum status status = find_attribute(schema, attribute, item, &payload);

		if (status != ST_OK)
			return status;
		row_key_append_part(out, attribute->type, payload);
	}
	return out->status;
}

enum status table_index_partition_start(struct buf *out, const struct index_owner *owner,
					const struct slice *partition_key)
{
	const struct table_index *index = owner->index;
	bool is_local = table_index_is_local(index);
	enum status status = row_key_partition_start(out, is_local ? owner->table_id : index->table_id,
						     owner->token_seed, &index->schema, partition_key);

	if (status == ST_OK && is_local)
		buf_put_u8(out, index->local_number);
	return status == ST_OK ? out->status : status;
}

enum status table_index_row_key(struct buf *out, const struct index_owner *owner, struct slice item)
{
	const struct table_schema *schema = &owner->index->schema;
	struct slice partition_key[LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT];
	enum status status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && i < schema->partition_count; i++)
		status = find_attribute(schema, &schema->attributes[i], item, &partition_key[i]);
	if (status == ST_OK)
		status = table_index_partition_start(out, owner, partition_key);
	if (status == ST_OK)
		status = append_attributes(out, schema, schema->partition_count, item);
	if (status == ST_OK) /* a local index has the table's partition key already */
		status = append_attributes(out, owner->schema, table_index_is_local(owner->index) ? 1 : 0,
					   item);
	return status;
}

uint32_t table_index_key_count(const struct index_owner *owner)
{
	const struct table_schema *index_schema = &owner->index->schema;
	uint32_t count = table_schema_key_count(owner->schema);

	for (uint32_t i = 0; i < table_schema_key_count(index_schema); i++)
		count += table_schema_find(owner->schema, key_attribute_name(&index_schema->attributes[i])) ==
			 NULL;
	return count;
}

enum status table_index_start_key(struct buf *out, const struct index_owner *owner, struct slice key,
				  struct row_key_error *error)
{
	enum status status = table_index_check_item(owner->index, key, error);

	*error = (struct row_key_error){ ROW_KEY_SCHEMA, NULL, 0 };
	if (status != ST_OK || item_count(key) != table_index_key_count(owner))
		return ST_INVALID;
	status = table_index_row_key(out, owner, key);
	return status == ST_NOT_FOUND ? ST_INVALID : status;
}

static enum status put_part(struct item_builder *builder, const struct table_schema *schema,
			    const struct key_attribute *attribute, const struct table_schema *other,
			    struct slice *rest)
{
	struct slice part;
	enum status status = row_key_take_part(rest, schema, attribute, &part);

	/* Of an attribute in both keys the table's is told. */
	if (status != ST_OK ||
	    (other != NULL && table_schema_find(other, key_attribute_name(attribute)) != NULL))
		return status;
	return row_key_put_part(builder, attribute, part);
}

/* Those of the attributes from first to before end. */
static enum status put_parts(struct item_builder *builder, const struct table_schema *schema, uint32_t first,
			     uint32_t end, const struct table_schema *other, struct slice *rest)
{
	enum status status = ST_OK;

	for (uint32_t i = first; status == ST_OK && i < end; i++)
		status = put_part(builder, schema, &schema->attributes[i], other, rest);
	return status;
}

static enum status put_rest(struct item_builder *builder, const struct index_owner *owner, struct slice *rest)
{
	const struct table_schema *schema = owner->schema;
	const struct table_schema *index_schema = &owner->index->schema;
	enum status status = put_parts(builder, index_schema, index_schema->partition_count,
				       table_schema_key_count(index_schema), schema, rest);

	if (status == ST_OK)
		status = put_parts(builder, schema, table_index_is_local(owner->index) ? 1 : 0,
				   table_schema_key_count(schema), NULL, rest);
	return status == ST_OK && rest->size != 0 ? ST_CORRUPT : status;
}

enum status table_index_to_key(struct buf *out, const struct index_owner *owner, struct slice row_key)
{
	const struct table_schema *index_schema = &owner->index->schema;
	bool is_local = table_index_is_local(owner->index);
	struct item_builder builder;
	struct slice rest = slice_of(row_key.data, row_key.size);
	uint32_t table_id;
	uint64_t token;
	enum status status = row_key_head(row_key, &table_id, &token);

	if (status != ST_OK)
		return status;
	rest = slice_of(row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
			row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	item_builder_init(&builder, out);
	/* A local index has the table's own partition key. */
	status = put_parts(&builder, index_schema, 0, index_schema->partition_count,
			   is_local ? NULL : owner->schema, &rest);
	if (status == ST_OK && is_local) {
		if (rest.size == 0 || rest.data[0] != owner->index->local_number)
			return ST_CORRUPT;
		rest = slice_of(rest.data + 1, rest.size - 1);
	}
	if (status == ST_OK)
		status = put_rest(&builder, owner, &rest);
	return status == ST_OK ? item_builder_finish(&builder) : status;
}
