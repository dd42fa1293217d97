#include "storage/index/local_row.h"

enum { SIZE_NUMBER = 0 };

/* What follows the collection goes into *rest_out. */
static enum status split(struct slice row_key, const struct table_schema *schema,
			 struct slice *collection_out, struct slice *rest_out)
{
	struct slice part;
	uint32_t table_id;
	uint64_t token;
	enum status status = row_key_head(row_key, &table_id, &token);

	if (status != ST_OK)
		return status;
	*rest_out = slice_of(row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
			     row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	status = row_key_take_partition(rest_out, schema, &part);
	if (status == ST_OK)
		*collection_out = slice_of(row_key.data, row_key.size - rest_out->size);
	return status;
}

enum status local_row_read(struct slice row_key, const struct table_schema *schema, struct local_row *row_out)
{
	struct slice rest;
	enum status status = split(row_key, schema, &row_out->collection, &rest);

	if (status != ST_OK)
		return status;
	if (rest.size == 0)
		return ST_CORRUPT;
	row_out->local_number = rest.data[0];
	return ST_OK;
}

enum status local_row_collection(struct slice row_key, const struct table_schema *schema,
				 struct slice *collection_out)
{
	struct slice rest;

	return split(row_key, schema, collection_out, &rest);
}

void local_row_size_key(struct buf *out, struct slice collection)
{
	buf_append_slice(out, collection);
	buf_put_u8(out, SIZE_NUMBER);
}

void local_row_put_size(uint8_t value_out[LOCAL_ROW_SIZE_VALUE], uint64_t size_bytes)
{
	put_u64_be(value_out, size_bytes);
}

enum status local_row_take_size(struct slice value, uint64_t *size_bytes_out)
{
	if (value.size != LOCAL_ROW_SIZE_VALUE)
		return ST_CORRUPT;
	*size_bytes_out = get_u64_be(value.data);
	return ST_OK;
}

enum status local_row_base_key(struct buf *out, const struct local_row *row,
			       const struct table_schema *schema, struct slice entry)
{
	const struct key_attribute *sort_key = table_schema_sort_key(schema);
	struct item_value value;

	if (sort_key == NULL || !item_find(entry, key_attribute_name(sort_key), &value) ||
	    value.type != sort_key->type)
		return ST_CORRUPT;
	buf_append_slice(out, row->collection);
	row_key_append_part(out, value.type, value.payload);
	return out->status;
}
