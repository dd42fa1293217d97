#include "coordinator/api/api_legacy.h"

#include "coordinator/api/api_type.h"

struct raw_expected {
	struct slice comparison;
	struct json_list values; /* of encoded values */
	struct slice value;      /* encoded */
	enum json_bool exists;
};

struct raw_expected_entry {
	struct slice key;
	struct raw_expected value;
};

struct raw_update {
	struct slice action;
	struct slice value; /* encoded */
};

struct raw_update_entry {
	struct slice key;
	struct raw_update value;
};

_Static_assert(offsetof(struct raw_expected_entry, value) == sizeof(struct slice),
	       "as JSON_KIND_MAP lays it out");
_Static_assert(offsetof(struct raw_update_entry, value) == sizeof(struct slice),
	       "as JSON_KIND_MAP lays it out");

static const struct json_type value_list_type = JSON_LIST_OF(&json_type_value);
static const struct json_field expected_fields[] = {
	JSON_FIELD(struct raw_expected, "ComparisonOperator", &api_type_comparison, comparison),
	JSON_FIELD(struct raw_expected, "AttributeValueList", &value_list_type, values),
	JSON_FIELD(struct raw_expected, "Value", &json_type_value, value),
	JSON_FIELD(struct raw_expected, "Exists", &json_type_bool, exists),
};
static const struct json_type expected_type = JSON_STRUCT("ExpectedAttributeValue", struct raw_expected,
							  expected_fields);
const struct json_type api_legacy_expected_type = JSON_MAP_OF(&expected_type);

static const char *const action_names[] = { "ADD", "PUT", "DELETE", NULL };
static const struct json_values action_values = { action_names, "[ADD, PUT, DELETE]" };
static const struct json_rule action_rule = { .values = &action_values };
static const struct json_type action_type = API_TYPE_STRING(&action_rule);
static const struct json_field update_fields[] = {
	JSON_FIELD(struct raw_update, "Action", &action_type, action),
	JSON_FIELD(struct raw_update, "Value", &json_type_value, value),
};
static const struct json_type update_type = JSON_STRUCT("AttributeValueUpdate", struct raw_update,
							update_fields);
const struct json_type api_legacy_updates_type = JSON_MAP_OF(&update_type);

enum status api_legacy_convert_expected(const struct json_list *map, struct arena *arena,
					struct expr_legacy_conditions *out)
{
	const struct raw_expected_entry *entries = map->elements;
	struct expr_legacy_condition *conditions = arena_alloc_zeroed(arena,
								      map->count * sizeof(*conditions) + 1);

	if (conditions == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < map->count; i++) {
		const struct raw_expected *raw = &entries[i].value;

		conditions[i].name = entries[i].key;
		conditions[i].comparison = expr_legacy_comparison(raw->comparison);
		conditions[i].has_list = raw->values.is_set;
		conditions[i].value_count = raw->values.count;
		conditions[i].values = raw->values.elements;
		conditions[i].value = raw->value;
		conditions[i].has_exists = raw->exists != JSON_UNSET;
		conditions[i].exists = raw->exists == JSON_TRUE;
	}
	*out = (struct expr_legacy_conditions){ .conditions = conditions, .count = map->count };
	return ST_OK;
}

/* What is absent is a PUT. */
static enum expr_legacy_action_kind kind_of(struct slice action)
{
	if (slice_equal(action, slice_of_string("ADD")))
		return EXPR_LEGACY_ADD;
	return slice_equal(action, slice_of_string("DELETE")) ? EXPR_LEGACY_DELETE : EXPR_LEGACY_PUT;
}

enum status api_legacy_convert_updates(const struct json_list *map, struct arena *arena,
				       const struct expr_legacy_action **actions_out)
{
	const struct raw_update_entry *entries = map->elements;
	struct expr_legacy_action *actions = arena_alloc_zeroed(arena, map->count * sizeof(*actions) + 1);

	if (actions == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < map->count; i++) {
		actions[i].name = entries[i].key;
		actions[i].kind = kind_of(entries[i].value.action);
		actions[i].value = entries[i].value.value;
	}
	*actions_out = actions;
	return ST_OK;
}
