#include "coordinator/api/api_capacity.h"

#include "coordinator/api/api_check.h"
#include "coordinator/api/api_type.h"
#include "proto/model/capacity.h"

static const enum api_capacity meanings[] = { API_CAPACITY_INDEXES, API_CAPACITY_TOTAL, API_CAPACITY_NONE };

enum api_capacity api_capacity_parse(struct slice value)
{
	int index = api_enum_index(&api_values_capacity, value);

	return index < 0 ? API_CAPACITY_NONE : meanings[index];
}

static void write_units(struct json_writer *writer, uint64_t half_units)
{
	char text[CAPACITY_TEXT_SIZE_MAX];
	size_t size = capacity_print(half_units, text);

	json_writer_member_raw(writer, "CapacityUnits", slice_of(text, size));
}

/* "Table", or an index's name: its units. */
static void write_arm(struct json_writer *writer, struct slice name, uint64_t half_units)
{
	json_writer_name(writer, name);
	json_writer_object_start(writer);
	write_units(writer, half_units);
	json_writer_object_end(writer);
}

static void write_arms(struct json_writer *writer, const struct api_capacity_use *use, bool is_local)
{
	bool is_open = false;

	for (uint32_t i = 0; i < use->arm_count; i++) {
		const struct api_capacity_arm *arm = &use->arms[i];

		if (arm->is_local != is_local)
			continue;
		if (!is_open) {
			json_writer_key(writer,
					is_local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
			json_writer_object_start(writer);
			is_open = true;
		}
		write_arm(writer, arm->index_name, arm->half_units);
	}
	if (is_open)
		json_writer_object_end(writer);
}

void api_capacity_write_use(struct json_writer *writer, enum api_capacity capacity,
			    const struct api_capacity_use *use)
{
	uint64_t half_units = use->half_units;

	CHECK(capacity != API_CAPACITY_NONE);
	for (uint32_t i = 0; i < use->arm_count; i++)
		half_units += use->arms[i].half_units;
	json_writer_object_start(writer);
	json_writer_member_string(writer, "TableName", use->table_name);
	write_units(writer, half_units);
	if (capacity == API_CAPACITY_INDEXES) {
		write_arm(writer, slice_of_string("Table"), use->half_units);
		write_arms(writer, use, true);
		write_arms(writer, use, false);
	}
	json_writer_object_end(writer);
}

void api_capacity_write_use_member(struct json_writer *writer, enum api_capacity capacity,
				   const struct api_capacity_use *use)
{
	if (capacity == API_CAPACITY_NONE)
		return;
	json_writer_key(writer, "ConsumedCapacity");
	api_capacity_write_use(writer, capacity, use);
}

void api_capacity_write(struct json_writer *writer, enum api_capacity capacity, struct slice table_name,
			uint64_t half_units)
{
	struct api_capacity_use use = { .table_name = table_name, .half_units = half_units };

	api_capacity_write_use(writer, capacity, &use);
}

void api_capacity_write_member(struct json_writer *writer, enum api_capacity capacity,
			       struct slice table_name, uint64_t half_units)
{
	struct api_capacity_use use = { .table_name = table_name, .half_units = half_units };

	api_capacity_write_use_member(writer, capacity, &use);
}
