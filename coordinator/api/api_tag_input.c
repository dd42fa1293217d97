#include "coordinator/api/api_tag_input.h"

#include "coordinator/api/api_arn.h"
#include "coordinator/api/api_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_table_raw.h"
#include "proto/catalog/tag_info.h"
#include "proto/wire/proto_borrow.h"

struct raw_input {
	struct slice resource;
	struct json_list tags; /* of struct raw_pair */
	struct json_list keys; /* of struct slice */
	struct slice next_token;
};

#define RESOURCE_FIELD JSON_FIELD(struct raw_input, "ResourceArn", &json_type_string, resource)

static const struct json_field tag_fields[] = {
	RESOURCE_FIELD,
	JSON_FIELD(struct raw_input, "Tags", &api_table_raw_tags, tags),
};
static const struct json_field untag_fields[] = {
	RESOURCE_FIELD,
	JSON_FIELD(struct raw_input, "TagKeys", &json_type_string_list, keys),
};
static const struct json_field list_fields[] = {
	RESOURCE_FIELD,
	JSON_FIELD(struct raw_input, "NextToken", &json_type_string, next_token),
};
static const struct json_type input_types[] = {
	[API_TAG] = JSON_STRUCT("TagResourceInput", struct raw_input, tag_fields),
	[API_UNTAG] = JSON_STRUCT("UntagResourceInput", struct raw_input, untag_fields),
	[API_TAG_LIST] = JSON_STRUCT("ListTagsOfResourceInput", struct raw_input, list_fields),
};
static const char *const operation_names[] = {
	[API_TAG] = "TagResource", [API_UNTAG] = "UntagResource", [API_TAG_LIST] = "ListTagsOfResource"
};

/* --- the resource --- */

/* Has it the form of a resource's name at all?  Five parts that end in colons, then a/b. */
static bool is_resource(struct slice text)
{
	size_t part_size = 0;
	int parts = 0;

	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];

		if (parts == 5 && byte == '/')
			return part_size > 0 && i + 1 < text.size;
		part_size++;
		if (parts < 5 && byte == ':' && part_size > 1) {
			parts++;
			part_size = 0;
		}
	}
	return false;
}

static bool check_resource(enum api_tag_kind kind, struct slice resource, struct api_error *error)
{
	struct slice shown = resource.size == 0 ? slice_of_string("*") : resource;

	if (resource.data == NULL) {
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_ARN_MISSING);
		return false;
	}
	if (is_resource(resource))
		return true;
	api_error_set(error, API_ERROR_ACCESS_DENIED, API_MESSAGE_ARN_DENIED, API_ARN_ACCOUNT,
		      operation_names[kind], (int)shown.size, (const char *)shown.data);
	return false;
}

static bool check_table(struct slice resource, struct api_error *error)
{
	struct api_arn arn;

	if (!api_arn_parse(resource, &arn))
		return API_REFUSE(error, API_MESSAGE_ARN_INVALID, resource);
	return arn.index.size == 0 || API_REFUSE(error, API_MESSAGE_ARN_NO_TABLE, resource);
}

/* --- tags --- */

static bool starts_with_aws(struct slice key)
{
	return key.size >= 4 && memcmp(key.data, "aws:", 4) == 0;
}

static bool check_key(struct slice key, struct api_error *error)
{
	struct slice shown = key.data == NULL ? slice_of_string("null") : key;

	if (key.size == 0 || api_check_utf16_size(key) > LIMIT_TAG_KEY_SIZE)
		return API_REFUSE(error, API_MESSAGE_TAG_KEY, shown);
	return !starts_with_aws(key) || API_REFUSE(error, API_MESSAGE_TAG_RESERVED, key);
}

static bool check_tag(const struct raw_pair *tag, struct api_error *error)
{
	struct slice shown = tag->value.data == NULL ? slice_of_string("null") : tag->value;

	if (!check_key(tag->name, error))
		return false;
	return (tag->value.data != NULL && api_check_utf16_size(tag->value) <= LIMIT_TAG_VALUE_SIZE) ||
	       API_REFUSE(error, API_MESSAGE_TAG_VALUE, shown);
}

static bool check_tags(const struct json_list *tags, struct api_error *error)
{
	const struct raw_pair *pairs = tags->elements;

	if (tags->count > LIMIT_TAG_COUNT) {
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TAGS_LIMIT);
		return false;
	}
	for (uint32_t i = 0; i < tags->count; i++) {
		if (!check_tag(&pairs[i], error))
			return false;
		for (uint32_t k = 0; k < i; k++) {
			if (slice_equal(pairs[i].name, pairs[k].name))
				return API_REFUSE(error, API_MESSAGE_TAG_TWICE, pairs[i].name);
		}
	}
	return true;
}

static Cleave__TagSet *make_set(const struct json_list *tags, struct arena *arena, struct api_error *error)
{
	const struct raw_pair *pairs = tags->elements;
	Cleave__TagSet *set = arena_alloc(arena, sizeof(*set));
	Cleave__Tag *elements = arena_alloc(arena, (tags->count + 1) * sizeof(*elements));
	Cleave__Tag **pointers = arena_alloc(arena, (tags->count + 1) * sizeof(Cleave__Tag *));

	if (set == NULL || elements == NULL || pointers == NULL) {
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return NULL;
	}
	cleave__tag_set__init(set);
	set->tags = pointers;
	set->n_tags = tags->count;
	for (uint32_t i = 0; i < tags->count; i++) {
		cleave__tag__init(&elements[i]);
		elements[i].key = proto_borrow_bytes(pairs[i].name);
		elements[i].value = proto_borrow_bytes(pairs[i].value);
		pointers[i] = &elements[i];
	}
	return set;
}

bool api_tag_input_pack(const struct json_list *tags, struct arena *arena, struct slice *packed_out,
			struct api_error *error)
{
	const Cleave__TagSet *set;

	*packed_out = slice_of("", 0);
	if (tags->count == 0)
		return true;
	if (!check_tags(tags, error))
		return false;
	set = make_set(tags, arena, error);
	if (set == NULL)
		return false;
	*packed_out = tag_info_pack(set, arena);
	if (packed_out->data == NULL)
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
	return packed_out->data != NULL;
}

/* --- the operations --- */

static bool check_given(enum api_tag_kind kind, const struct raw_input *raw, struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	if (kind == API_TAG)
		api_check_required(&check, API_PATH("Tags"), raw->tags.is_set);
	if (kind == API_UNTAG)
		api_check_required(&check, API_PATH("TagKeys"), raw->keys.is_set);
	return api_check_passed(&check, error);
}

static bool check_some(enum api_tag_kind kind, const struct raw_input *raw, struct api_error *error)
{
	if (kind == API_TAG && raw->tags.count == 0)
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TAGS_MISSING);
	if (kind == API_UNTAG && raw->keys.count == 0)
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TAG_KEYS_MISSING);
	/* All tags fit into one answer: no token was ever given out. */
	if (raw->next_token.data != NULL)
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_NEXT_TOKEN);
	return error->type == API_OK;
}

static bool check_keys(const struct json_list *keys, struct api_error *error)
{
	const struct slice *elements = keys->elements;

	for (uint32_t i = 0; i < keys->count; i++) {
		if (!check_key(elements[i], error))
			return false;
	}
	return true;
}

bool api_tag_input_read(enum api_tag_kind kind, struct slice body, struct arena *arena,
			struct api_tag_input *input_out, struct api_error *error)
{
	const struct json_fault *faults;
	struct raw_input raw;

	if (!api_input_parse(&input_types[kind], &raw, body, arena, &faults, error) ||
	    !check_resource(kind, raw.resource, error) || !check_given(kind, &raw, error) ||
	    !check_table(raw.resource, error) || !check_some(kind, &raw, error) ||
	    !check_tags(&raw.tags, error) || !check_keys(&raw.keys, error))
		return false;
	*input_out = (struct api_tag_input){ .resource = raw.resource,
					     .remove = raw.keys.elements,
					     .remove_count = raw.keys.count };
	if (kind == API_TAG)
		input_out->put = make_set(&raw.tags, arena, error);
	return kind != API_TAG || input_out->put != NULL;
}
