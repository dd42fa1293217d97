#include "coordinator/api/api_collection.h"

#include "coordinator/json/json_item_write.h"
#include "proto/model/capacity.h"
#include "proto/model/item.h"

#define BYTES_PER_GB (1024ull * 1024 * 1024)

bool api_collection_is_measured(const struct table_indexes *indexes)
{
	uint32_t cursor = 0;

	return table_indexes_next(indexes, true, &cursor) != NULL;
}

static void write_gb(struct json_writer *writer, uint64_t gb)
{
	char text[CAPACITY_TEXT_SIZE_MAX];
	size_t size = capacity_print(2 * gb, text);

	json_writer_raw(writer, slice_of(text, size));
}

enum status api_collection_write(struct json_writer *writer, struct slice partition_key_name,
				 struct slice item, uint64_t size_bytes)
{
	struct item_value value;
	enum status status;

	if (!item_find(item, partition_key_name, &value))
		return ST_CORRUPT;
	json_writer_object_start(writer);
	json_writer_key(writer, "ItemCollectionKey");
	json_writer_object_start(writer);
	json_writer_name(writer, partition_key_name);
	json_writer_begin_value(writer);
	status = json_item_write_value(writer->out, &value);
	json_writer_object_end(writer);
	json_writer_key(writer, "SizeEstimateRangeGB");
	json_writer_list_start(writer);
	write_gb(writer, size_bytes / BYTES_PER_GB);
	write_gb(writer, size_bytes / BYTES_PER_GB + 1);
	json_writer_list_end(writer);
	json_writer_object_end(writer);
	return status;
}
