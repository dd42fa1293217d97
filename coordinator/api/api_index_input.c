#include "coordinator/api/api_index_input.h"

#include "coordinator/api/api_key_input.h"
#include "coordinator/api/api_message.h"

/* AWS's own bound for nonsense; the limit per table is another matter. */
#define UNITS_SANE_MAX INT64_C(1000000000000)

/* The indexes of a table while they are being checked. */
struct building {
	const struct raw_table *raw;
	bool is_on_demand;
	struct arena *arena;
	struct table_indexes *indexes;
	uint32_t projected_count;
	struct api_error *error;
};

static bool fail(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

static bool equals(struct slice text, const char *word)
{
	return slice_equal(text, slice_of_string(word));
}

/* --- units --- */

/* Nonsense is told before what is only too much. */
static bool check_bound(int64_t units, const char *kind, struct slice name, struct api_error *error)
{
	if (units > UNITS_SANE_MAX && name.data == NULL)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UNITS_OUT_OF_BOUNDS, (long long)units,
			      kind);
	else if (units > UNITS_SANE_MAX)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UNITS_OUT_OF_BOUNDS_INDEX,
			      (long long)units, kind, (int)name.size, (const char *)name.data);
	return error->type == API_OK;
}

bool api_index_input_check_units(const struct raw_units *units, struct slice name, struct api_error *error)
{
	if (!check_bound(units->read.value, "ReadCapacityUnits", name, error) ||
	    !check_bound(units->write.value, "WriteCapacityUnits", name, error))
		return false;
	if (units->read.value > LIMIT_TABLE_CAPACITY_UNITS || units->write.value > LIMIT_TABLE_CAPACITY_UNITS)
		api_error_set(error, API_ERROR_LIMIT_EXCEEDED, API_MESSAGE_UNITS_LIMIT,
			      LIMIT_TABLE_CAPACITY_UNITS);
	return error->type == API_OK;
}

bool api_index_input_is_sane(const struct api_index_units *units)
{
	return units->read_units <= (uint64_t)UNITS_SANE_MAX &&
	       units->write_units <= (uint64_t)UNITS_SANE_MAX;
}

/* --- projections --- */

static bool check_projection(const struct raw_projection *projection, struct api_error *error)
{
	const struct slice *names = projection->attributes.elements;
	bool includes = equals(projection->type, "INCLUDE");

	if (projection->type.data == NULL)
		return fail(error, API_MESSAGE_PROJECTION_UNKNOWN);
	if (projection->attributes.is_set && !includes)
		return API_REFUSE(error, API_MESSAGE_PROJECTION_NAMES, projection->type);
	if (!projection->attributes.is_set && includes)
		return fail(error, API_MESSAGE_PROJECTION_NO_NAMES);
	for (uint32_t i = 1; i < projection->attributes.count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (slice_equal(names[i], names[k]))
				return API_REFUSE(error, API_MESSAGE_PROJECTION_TWICE, names[i]);
		}
	}
	return true;
}

static bool fill_projection(const struct raw_projection *projection, struct table_index *index,
			    struct api_error *error)
{
	const struct slice *names = projection->attributes.elements;

	index->projection = equals(projection->type, "ALL")       ? INDEX_PROJECTS_ALL
			    : equals(projection->type, "INCLUDE") ? INDEX_PROJECTS_SOME
								  : INDEX_PROJECTS_KEYS;
	index->attributes = names;
	index->attribute_count = projection->attributes.count;
	for (uint32_t i = 0; i < index->attribute_count; i++) {
		if (names[i].data == NULL || names[i].size > LIMIT_KEY_NAME_SIZE_BYTES)
			return fail(error, API_MESSAGE_KEY_NAME);
	}
	return true;
}

/* --- definitions --- */

static bool check_global_units(const struct raw_index *raw, bool is_on_demand, struct api_error *error)
{
	if (is_on_demand && raw->has_units)
		return API_REFUSE(error, API_MESSAGE_INDEX_UNITS_ON_DEMAND, raw->name);
	if (!is_on_demand && !raw->has_units)
		return API_REFUSE(error, API_MESSAGE_INDEX_UNITS_MISSING, raw->name);
	return api_index_input_check_units(&raw->units, raw->name, error);
}

static bool check_supported(const struct raw_index *raw, struct api_error *error)
{
	const char *name = raw->has_on_demand_units ? "OnDemandThroughput of an index"
			   : raw->has_warm_units    ? "WarmThroughput of an index"
						    : NULL;

	if (name != NULL)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_NOT_SUPPORTED, name);
	return name == NULL;
}

/* A local index has the table's partition key, and a sort key. */
static bool check_local_keys(const struct building *building, const struct raw_index *raw)
{
	const struct raw_pair *keys = raw->keys.elements;
	struct slice table_key = ((const struct raw_pair *)building->raw->keys.elements)->name;

	if (raw->keys.count < 2)
		return API_REFUSE(building->error, API_MESSAGE_INDEX_SORT_KEY, raw->name);
	if (slice_equal(keys[0].name, table_key))
		return true;
	api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_PARTITION_KEY,
		      (int)raw->name.size, (const char *)raw->name.data, (int)keys[0].name.size,
		      (const char *)keys[0].name.data, (int)table_key.size, (const char *)table_key.data);
	return false;
}

static bool fill_index(const struct json_list *definitions, const struct raw_index *raw,
		       struct table_index *index, struct api_error *error)
{
	*index = (struct table_index){ .state = INDEX_CREATING,
				       .read_units = (uint64_t)raw->units.read.value,
				       .write_units = (uint64_t)raw->units.write.value };
	memcpy(index->name, raw->name.data, raw->name.size); /* its length was checked */
	return api_key_input_schema(definitions, &raw->keys, &index->schema, error) &&
	       fill_projection(&raw->projection, index, error);
}

static bool add_index(struct building *building, const struct raw_index *raw, uint32_t local_number)
{
	struct table_indexes *indexes = building->indexes;
	const struct json_list *definitions = &building->raw->definitions;
	struct api_error *error = building->error;

	if (!(local_number != 0 ? api_key_input_check(definitions, &raw->keys, error)
				: api_key_input_check_global(definitions, &raw->keys, error)) ||
	    (local_number != 0 && !check_local_keys(building, raw)) ||
	    !check_projection(&raw->projection, error) || !check_supported(raw, error) ||
	    (local_number == 0 && !check_global_units(raw, building->is_on_demand, error)))
		return false;
	if (table_indexes_find(indexes, raw->name) != NULL)
		return API_REFUSE(error, API_MESSAGE_INDEX_TWICE, raw->name);
	building->projected_count += raw->projection.attributes.count;
	if (indexes->count == TABLE_INDEXES_MAX) /* there are too many of one kind: told at its end */
		return true;
	if (!fill_index(definitions, raw, &indexes->list[indexes->count], error))
		return false;
	indexes->list[indexes->count++].local_number = (uint8_t)local_number;
	return true;
}

static bool add_local(struct building *building)
{
	const struct json_list *list = &building->raw->local_indexes;
	const struct raw_index *raw = list->elements;

	if (!list->is_set)
		return true;
	if (list->count == 0) {
		api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_INDEXES_EMPTY,
			      "LocalSecondaryIndexes");
		return false;
	}
	if (building->raw->keys.count < 2)
		return fail(building->error, API_MESSAGE_INDEX_TABLE_KEY);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!add_index(building, &raw[i], i + 1))
			return false;
	}
	if (list->count > LIMIT_LOCAL_INDEX_COUNT)
		api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_LOCAL_LIMIT,
			      LIMIT_LOCAL_INDEX_COUNT);
	return list->count <= LIMIT_LOCAL_INDEX_COUNT;
}

static bool add_global(struct building *building)
{
	const struct json_list *list = &building->raw->global_indexes;
	const struct raw_index *raw = list->elements;

	if (!list->is_set)
		return true;
	if (list->count == 0) {
		api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_INDEXES_EMPTY,
			      "GlobalSecondaryIndexes");
		return false;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		if (!add_index(building, &raw[i], 0))
			return false;
	}
	if (list->count > LIMIT_GLOBAL_INDEX_COUNT)
		api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_GLOBAL_LIMIT,
			      LIMIT_GLOBAL_INDEX_COUNT);
	return list->count <= LIMIT_GLOBAL_INDEX_COUNT;
}

/* --- what is defined is used --- */

static bool is_key(const struct building *building, struct slice name)
{
	const struct raw_pair *keys = building->raw->keys.elements;

	for (uint32_t i = 0; i < building->raw->keys.count; i++) {
		if (slice_equal(keys[i].name, name))
			return true;
	}
	for (uint32_t i = 0; i < building->indexes->count; i++) {
		if (table_schema_find(&building->indexes->list[i].schema, name) != NULL)
			return true;
	}
	return false;
}

static bool check_definitions_used(const struct building *building)
{
	const struct json_list *definitions = &building->raw->definitions;
	const struct raw_pair *pairs = definitions->elements;
	struct raw_pair *used = arena_alloc(building->arena, (definitions->count + 1) * sizeof(*used));
	char given_text[API_KEY_LIST_SIZE_MAX];
	char used_text[API_KEY_LIST_SIZE_MAX];
	uint32_t used_count = 0;

	if (used == NULL) {
		api_error_set(building->error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	for (uint32_t i = 0; i < definitions->count; i++) {
		if (is_key(building, pairs[i].name))
			used[used_count++] = pairs[i];
	}
	if (used_count == definitions->count)
		return true;
	api_key_input_print(pairs, definitions->count, given_text);
	api_key_input_print(used, used_count, used_text);
	api_error_set(building->error, API_ERROR_VALIDATION, API_MESSAGE_DEFINITIONS_UNUSED, given_text,
		      used_text);
	return false;
}

bool api_index_input_create(const struct raw_table *raw, bool is_on_demand, struct arena *arena,
			    const struct table_indexes **indexes_out, struct api_error *error)
{
	struct building building = {
		.raw = raw, .is_on_demand = is_on_demand, .arena = arena, .error = error
	};

	*indexes_out = NULL;
	if (!raw->local_indexes.is_set && !raw->global_indexes.is_set)
		return true;
	building.indexes = arena_alloc_zeroed(
		arena, sizeof(*building.indexes) + TABLE_INDEXES_MAX * sizeof(building.indexes->list[0]));
	if (building.indexes == NULL) {
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	if (!add_local(&building) || !add_global(&building) || !check_definitions_used(&building))
		return false;
	if (building.projected_count > LIMIT_PROJECTED_ATTRIBUTE_COUNT) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_PROJECTION_LIMIT,
			      LIMIT_PROJECTED_ATTRIBUTE_COUNT);
		return false;
	}
	*indexes_out = building.indexes;
	return true;
}

/* --- updates --- */

/* The one action of an update; NULL with the error set if there is none, or more than one. */
static const struct raw_index *action_of(const struct raw_index_update *update, struct api_error *error)
{
	int count = update->has_update + update->has_create + update->has_delete;

	if (count == 0)
		(void)fail(error, API_MESSAGE_INDEX_UPDATE_EMPTY);
	if (count > 1)
		(void)fail(error, API_MESSAGE_INDEX_UPDATE_MANY);
	if (count != 1)
		return NULL;
	return update->has_update ? &update->update : update->has_create ? &update->create : &update->delete;
}

static bool check_names(const struct raw_index_update *updates, uint32_t count, struct api_error *error)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct raw_index *action = action_of(&updates[i], error);

		if (action == NULL)
			return false;
		for (uint32_t k = 0; k < i; k++) {
			if (slice_equal(action_of(&updates[k], error)->name, action->name))
				return API_REFUSE(error, API_MESSAGE_INDEX_UPDATE_TWICE, action->name);
		}
		if (!check_supported(action, error))
			return false;
	}
	return true;
}

static bool take_create(const struct raw_table *raw, const struct raw_index *create,
			struct table_index *index, struct api_error *error)
{
	if (!raw->definitions.is_set)
		return API_REFUSE(error, API_MESSAGE_INDEX_UNDEFINED, create->name);
	return api_key_input_check_global(&raw->definitions, &create->keys, error) &&
	       check_projection(&create->projection, error) &&
	       (!create->has_units || api_index_input_check_units(&create->units, create->name, error)) &&
	       fill_index(&raw->definitions, create, index, error);
}

bool api_index_input_update(const struct raw_table *raw, struct arena *arena,
			    struct api_index_updates *updates_out, struct api_error *error)
{
	const struct raw_index_update *updates = raw->index_updates.elements;
	uint32_t count = raw->index_updates.count;
	struct api_index_units *units = arena_alloc(arena, (count + 1) * sizeof(*units));
	struct table_index *create = arena_alloc(arena, sizeof(*create));

	*updates_out = (struct api_index_updates){ .units = units };
	if (units == NULL || create == NULL) {
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	if (!check_names(updates, count, error))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct raw_index *action = action_of(&updates[i], error);

		if (updates[i].has_delete) {
			updates_out->delete_count++;
			updates_out->delete_name = action->name;
		} else if (updates[i].has_create) {
			if (!take_create(raw, action, create, error))
				return false;
			updates_out->create_count++;
			updates_out->create = create;
			updates_out->create_has_units = action->has_units;
		} else if (action->has_units) {
			units[updates_out->units_count++] = (struct api_index_units){
				action->name, (uint64_t)action->units.read.value,
				(uint64_t)action->units.write.value
			};
		}
	}
	return true;
}
