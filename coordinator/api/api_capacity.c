#include "coordinator/api/api_capacity.h"

#include "proto/model/capacity.h"

static const char *const values[] = { "INDEXES", "TOTAL", "NONE", NULL };
static const enum api_capacity meanings[] = { API_CAPACITY_INDEXES, API_CAPACITY_TOTAL, API_CAPACITY_NONE };
static const struct api_enum value_enum = { values, "[INDEXES, TOTAL, NONE]" };

void api_capacity_check(struct api_check *check, struct slice value)
{
	api_check_enum(check, "returnConsumedCapacity", value, &value_enum);
}

enum api_capacity api_capacity_parse(struct slice value)
{
	int index = api_enum_index(&value_enum, value);

	return index < 0 ? API_CAPACITY_NONE : meanings[index];
}

static void write_units(struct json_writer *writer, uint64_t half_units)
{
	char text[CAPACITY_TEXT_SIZE_MAX];
	size_t size = capacity_print(half_units, text);

	json_writer_member_raw(writer, "CapacityUnits", slice_of(text, size));
}

void api_capacity_write(struct json_writer *writer, enum api_capacity capacity, struct slice table_name,
			uint64_t half_units)
{
	CHECK(capacity != API_CAPACITY_NONE);
	json_writer_object_start(writer);
	json_writer_member_string(writer, "TableName", table_name);
	write_units(writer, half_units);
	if (capacity == API_CAPACITY_INDEXES) {
		json_writer_key(writer, "Table");
		json_writer_object_start(writer);
		write_units(writer, half_units);
		json_writer_object_end(writer);
	}
	json_writer_object_end(writer);
}

void api_capacity_write_member(struct json_writer *writer, enum api_capacity capacity,
			       struct slice table_name, uint64_t half_units)
{
	if (capacity == API_CAPACITY_NONE)
		return;
	json_writer_key(writer, "ConsumedCapacity");
	api_capacity_write(writer, capacity, table_name, half_units);
}
