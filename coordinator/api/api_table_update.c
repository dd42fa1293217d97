#include "coordinator/api/api_table_update.h"

#include <stdio.h>

#include "coordinator/api/api_message.h"

/* One update under way. */
struct applying {
	const struct api_table_input *input;
	struct table_info *table;
	struct table_indexes *indexes; /* a copy of the table's, with other units; NULL: none */
	bool is_on_demand;             /* afterwards */
	struct api_error *error;
};

static bool fail(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

/* --- units --- */

/* index: NULL for the table itself. */
static bool refuse_unchanged(const struct table_info *table, const struct table_index *index,
			     struct api_error *error)
{
	const char *kind = index == NULL ? "table" : "index";
	long long read_units = (long long)(index == NULL ? table->read_units : index->read_units);
	long long write_units = (long long)(index == NULL ? table->write_units : index->write_units);

	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UNITS_UNCHANGED,
		      index == NULL ? "table" : "index ", index == NULL ? "" : index->name, kind, read_units,
		      read_units, kind, write_units, write_units);
	return false;
}

static bool apply_units(struct applying *applying)
{
	const struct api_table_input *input = applying->input;
	struct table_info *table = applying->table;

	if (applying->is_on_demand && input->has_units)
		return fail(applying->error, API_MESSAGE_UNITS_WITH_ON_DEMAND);
	if (!table->is_on_demand && input->has_units && input->read_units == table->read_units &&
	    input->write_units == table->write_units)
		return refuse_unchanged(table, NULL, applying->error);
	if (applying->is_on_demand != table->is_on_demand || input->has_units) {
		table->read_units = input->read_units;
		table->write_units = input->write_units;
	}
	return true;
}

static bool apply_maximum(struct applying *applying)
{
	const struct api_table_input *input = applying->input;
	const char *name = input->read_maximum.is_set    ? "MaxReadRequestUnits"
			   : input->write_maximum.is_set ? "MaxWriteRequestUnits"
							 : NULL;

	if (name == NULL)
		return true;
	if (!applying->is_on_demand) {
		api_error_set(applying->error, API_ERROR_VALIDATION, API_MESSAGE_ON_DEMAND_WITH_UNITS, name);
		return false;
	}
	if (input->read_maximum.is_set)
		applying->table->read_units = input->read_maximum.units;
	if (input->write_maximum.is_set)
		applying->table->write_units = input->write_maximum.units;
	return true;
}

/* --- indexes --- */

/* Units of indexes come and go with those of the table. */
static bool copy_indexes(struct applying *applying, struct arena *arena)
{
	const struct table_indexes *indexes = applying->table->indexes;
	void *room;

	if (indexes == NULL)
		return true;
	room = arena_alloc(arena, table_indexes_size(indexes));
	if (room == NULL) {
		api_error_set(applying->error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	applying->indexes = table_indexes_copy(indexes, room);
	applying->table->indexes = applying->indexes;
	for (uint32_t i = 0; i < indexes->count && applying->is_on_demand; i++) {
		applying->indexes->list[i].read_units = 0;
		applying->indexes->list[i].write_units = 0;
	}
	return true;
}

static struct table_index *find_index(const struct applying *applying, struct slice name)
{
	for (uint32_t i = 0; applying->indexes != NULL && i < applying->indexes->count; i++) {
		if (slice_equal(slice_of_string(applying->indexes->list[i].name), name))
			return &applying->indexes->list[i];
	}
	return NULL;
}

/* The global index of that name; NULL with the error set. */
static struct table_index *find_global(const struct applying *applying, struct slice name, const char *verb)
{
	struct table_index *index = find_index(applying, name);

	if (index == NULL) {
		api_error_set(applying->error, API_ERROR_RESOURCE_NOT_FOUND, "%s", API_MESSAGE_NOT_FOUND);
		return NULL;
	}
	if (!table_index_is_local(index))
		return index;
	api_error_set(applying->error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_NOT_GLOBAL, verb,
		      (int)name.size, (const char *)name.data);
	return NULL;
}

static bool apply_index_units(struct applying *applying, const struct api_index_units *units)
{
	struct raw_units bounds = { { true, (int64_t)units->read_units },
				    { true, (int64_t)units->write_units } };
	struct table_index *index;

	if (applying->is_on_demand)
		return API_REFUSE(applying->error, API_MESSAGE_INDEX_UNITS_UPDATE, units->name);
	index = find_global(applying, units->name, "update");
	if (index == NULL || !api_index_input_check_units(&bounds, units->name, applying->error))
		return false;
	if (index->read_units == units->read_units && index->write_units == units->write_units)
		return refuse_unchanged(applying->table, index, applying->error);
	index->read_units = units->read_units;
	index->write_units = units->write_units;
	return true;
}

/* A table that becomes provisioned names units for each global index. */
static bool check_all_have_units(const struct applying *applying)
{
	char names[LIMIT_ERROR_MESSAGE_SIZE_BYTES] = "";
	size_t size = 0;

	for (uint32_t i = 0; applying->indexes != NULL && i < applying->indexes->count; i++) {
		const struct table_index *index = &applying->indexes->list[i];

		if (table_index_is_local(index) || index->read_units != 0 || size + 1 >= sizeof(names))
			continue;
		(void)snprintf(names + size, sizeof(names) - size, "%s%s", size == 0 ? "" : ",",
			       index->name); /* cut to fit */
		size = strlen(names);
	}
	if (applying->is_on_demand || size == 0)
		return true;
	api_error_set(applying->error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_UNITS_NEEDED, names);
	return false;
}

/* A key attribute of the new index that another key has too must be of the same type there. */
static bool check_type(const struct applying *applying, const struct key_attribute *attribute)
{
	struct slice name = key_attribute_name(attribute);
	const struct key_attribute *other = table_schema_find(&applying->table->schema, name);

	for (uint32_t i = 0; other == NULL && applying->indexes != NULL && i < applying->indexes->count; i++)
		other = table_schema_find(&applying->indexes->list[i].schema, name);
	return other == NULL || other->type == attribute->type ||
	       API_REFUSE(applying->error, API_MESSAGE_INDEX_REDEFINED, name);
}

static bool check_types(const struct applying *applying, const struct table_schema *schema)
{
	for (uint32_t i = 0; i < table_schema_key_count(schema); i++) {
		if (!check_type(applying, &schema->attributes[i]))
			return false;
	}
	return true;
}

static bool check_limits(const struct applying *applying, const struct table_index *created)
{
	uint32_t global_count = 0;
	uint32_t attribute_count = created->attribute_count;

	for (uint32_t i = 0; applying->indexes != NULL && i < applying->indexes->count; i++) {
		global_count += table_index_is_local(&applying->indexes->list[i]) ? 0 : 1;
		attribute_count += applying->indexes->list[i].attribute_count;
	}
	if (global_count >= LIMIT_GLOBAL_INDEX_COUNT)
		api_error_set(applying->error, API_ERROR_LIMIT_EXCEEDED, API_MESSAGE_INDEX_GLOBAL_LIMIT,
			      LIMIT_GLOBAL_INDEX_COUNT);
	else if (attribute_count > LIMIT_PROJECTED_ATTRIBUTE_COUNT)
		api_error_set(applying->error, API_ERROR_VALIDATION, API_MESSAGE_PROJECTION_LIMIT,
			      LIMIT_PROJECTED_ATTRIBUTE_COUNT);
	return applying->error->type == API_OK;
}

static bool check_create(const struct applying *applying)
{
	const struct table_index *created = applying->input->index_updates.create;
	struct slice name = slice_of_string(created->name);
	bool has_units = applying->input->index_updates.create_has_units;

	if (find_index(applying, name) != NULL)
		return fail(applying->error, API_MESSAGE_INDEX_EXISTS);
	if (applying->is_on_demand && has_units)
		return API_REFUSE(applying->error, API_MESSAGE_INDEX_UNITS_UPDATE, name);
	if (!applying->is_on_demand && !has_units)
		return API_REFUSE(applying->error, API_MESSAGE_INDEX_UNITS_MISSING, name);
	return check_types(applying, &created->schema) && check_limits(applying, created);
}

static bool has_excessive_units(const struct api_index_updates *updates)
{
	for (uint32_t i = 0; i < updates->units_count; i++) {
		if (!api_index_input_is_sane(&updates->units[i]))
			return true;
	}
	return false;
}

static bool apply_indexes(struct applying *applying)
{
	const struct api_index_updates *updates = &applying->input->index_updates;

	if (updates->create_count + updates->delete_count > 1) {
		api_error_set(applying->error, API_ERROR_LIMIT_EXCEEDED, "%s", API_MESSAGE_INDEX_ONE_ONLINE);
		return false;
	}
	if (has_excessive_units(updates))
		return fail(applying->error, API_MESSAGE_INDEX_UPDATE_UNITS);
	if (updates->create_count + updates->delete_count > 0 &&
	    (applying->input->has_units || updates->units_count > 0))
		return fail(applying->error, API_MESSAGE_INDEX_UPDATE_IOPS);
	for (uint32_t i = 0; i < updates->units_count; i++) {
		if (!apply_index_units(applying, &updates->units[i]))
			return false;
	}
	if (!check_all_have_units(applying))
		return false;
	if (updates->delete_count > 0 && find_global(applying, updates->delete_name, "delete") == NULL)
		return false;
	return updates->create_count == 0 || check_create(applying);
}

/* --- settings --- */

static bool is_same_key(const struct table_info *table, struct slice key)
{
	return key.data == NULL || slice_equal(key, slice_of_string(table->kms_key));
}

static bool apply_encryption(struct applying *applying)
{
	const struct api_table_input *input = applying->input;
	struct table_info *table = applying->table;

	if (input->encryption == JSON_UNSET)
		return true;
	if (input->encryption == JSON_FALSE && !table->is_encrypted)
		return fail(applying->error, API_MESSAGE_ENCRYPTED_BY_DEFAULT);
	if (input->encryption == JSON_TRUE && table->is_encrypted &&
	    is_same_key(table, input->encryption_key))
		return fail(applying->error, API_MESSAGE_ENCRYPTED_BY_KEY);
	table->is_encrypted = input->encryption == JSON_TRUE;
	memset(table->kms_key, 0, sizeof(table->kms_key));
	if (table->is_encrypted && input->encryption_key.size > 0)
		memcpy(table->kms_key, input->encryption_key.data, input->encryption_key.size);
	return true;
}

static void apply_rest(struct applying *applying)
{
	const struct api_table_input *input = applying->input;
	struct table_info *table = applying->table;

	table->is_on_demand = applying->is_on_demand;
	if (input->deletion_protection != JSON_UNSET)
		table->deletion_protection = input->deletion_protection == JSON_TRUE;
	if (input->table_class.data != NULL)
		(void)snprintf(table->table_class, sizeof(table->table_class), "%.*s",
			       (int)input->table_class.size, (const char *)input->table_class.data);
}

bool api_table_update_apply(const struct api_table_input *input, struct arena *arena,
			    struct table_info *table, struct api_error *error)
{
	struct applying applying = {
		.input = input,
		.table = table,
		.is_on_demand = input->has_billing_mode ? input->is_on_demand : table->is_on_demand,
		.error = error,
	};

	if (input->stream_off) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_STREAM_NONE, table->name);
		return false;
	}
	if (!copy_indexes(&applying, arena) || !apply_units(&applying) || !apply_maximum(&applying) ||
	    !apply_indexes(&applying) || !apply_encryption(&applying))
		return false;
	apply_rest(&applying);
	return true;
}
