#include "storage/index/local_row.h"

enum status local_row_read(struct slice row_key, const struct table_schema *schema, struct local_row *row_out)
{
	struct slice rest = row_key;
	struct slice part;
	uint32_t table_id;
	uint64_t token;
	enum status status = row_key_head(row_key, &table_id, &token);

	if (status != ST_OK)
		return status;
	rest = slice_of(row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
			row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	status = row_key_take_part(&rest, schema, &schema->partition_key, &part);
	if (status != ST_OK)
		return status;
	if (rest.size == 0)
		return ST_CORRUPT;
	row_out->collection = slice_of(row_key.data, row_key.size - rest.size);
	row_out->local_number = rest.data[0];
	return ST_OK;
}

enum status local_row_base_key(struct buf *out, const struct local_row *row,
			       const struct table_schema *schema, struct slice entry)
{
	struct item_value value;

	if (!schema->has_sort_key || !item_find(entry, key_attribute_name(&schema->sort_key), &value) ||
	    value.type != schema->sort_key.type)
		return ST_CORRUPT;
	buf_append_slice(out, row->collection);
	row_key_append_part(out, value.type, value.payload);
	return out->status;
}
