#include "coordinator/api/api_condition.h"

#include "coordinator/api/api_type.h"

struct raw_condition {
	struct slice comparison;
	struct json_list values; /* of encoded values */
};

struct raw_entry {
	struct slice key;
	struct raw_condition value;
};

static const struct json_type value_list_type = JSON_LIST_OF(&json_type_value);
static const struct json_field condition_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_condition, "ComparisonOperator", &api_type_comparison, comparison),
	JSON_FIELD(struct raw_condition, "AttributeValueList", &value_list_type, values),
};
static const struct json_type condition_type = JSON_STRUCT("Condition", struct raw_condition,
							   condition_fields);
const struct json_type api_condition_map_type = JSON_MAP_OF(&condition_type);

_Static_assert(offsetof(struct raw_entry, value) == sizeof(struct slice), "as JSON_KIND_MAP lays it out");

enum status api_condition_convert(const struct json_list *map, struct arena *arena,
				  struct expr_legacy_conditions *out)
{
	const struct raw_entry *entries = map->elements;
	struct expr_legacy_condition *conditions = arena_alloc_zeroed(arena,
								      map->count * sizeof(*conditions) + 1);

	if (conditions == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < map->count; i++) {
		const struct raw_condition *raw = &entries[i].value;

		conditions[i].name = entries[i].key;
		conditions[i].comparison = expr_legacy_comparison(raw->comparison);
		conditions[i].has_list = raw->values.is_set;
		conditions[i].value_count = raw->values.count;
		conditions[i].values = raw->values.elements;
	}
	*out = (struct expr_legacy_conditions){ .conditions = conditions, .count = map->count };
	return ST_OK;
}
