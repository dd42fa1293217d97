#include "coordinator/api/api_arn.h"

#include <stdio.h>

#include "proto/model/table_schema.h"

enum { PARTS_BEFORE_RESOURCE = 5, TEXT_SIZE_MAX = 2 * LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 256 };

static const char table_prefix[] = "table/";
static const char index_prefix[] = "/index/";

static bool starts_with(struct slice text, const char *prefix)
{
	size_t size = strlen(prefix);

	return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static struct slice without(struct slice text, size_t size)
{
	return slice_of(text.data + size, text.size - size);
}

static size_t size_until(struct slice text, uint8_t byte)
{
	const uint8_t *end = text.size == 0 ? NULL : memchr(text.data, byte, text.size);

	return end == NULL ? text.size : (size_t)(end - text.data);
}

/* Take what is before the first colon, and the colon; all of it if there is none. */
static struct slice take_part(struct slice *text)
{
	struct slice part = slice_of(text->data, size_until(*text, ':'));

	*text = without(*text, part.size < text->size ? part.size + 1 : part.size);
	return part;
}

bool api_arn_is_one(struct slice text)
{
	return starts_with(text, "arn:");
}

bool api_arn_parse(struct slice text, struct api_arn *arn_out)
{
	struct slice parts[PARTS_BEFORE_RESOURCE];
	struct slice rest = text;

	if (!api_arn_is_one(text))
		return false;
	for (size_t i = 0; i < PARTS_BEFORE_RESOURCE; i++)
		parts[i] = take_part(&rest);
	if (!starts_with(parts[1], "aws") || !slice_equal(parts[2], slice_of_string("dynamodb")) ||
	    parts[3].size == 0 || parts[4].size == 0 || !starts_with(rest, table_prefix))
		return false;
	rest = without(rest, sizeof(table_prefix) - 1);
	*arn_out = (struct api_arn){ .region = parts[3], .account = parts[4] };
	arn_out->table = slice_of(rest.data, size_until(rest, '/'));
	rest = without(rest, arn_out->table.size);
	if (rest.size > 0) {
		if (!starts_with(rest, index_prefix))
			return false;
		arn_out->index = without(rest, sizeof(index_prefix) - 1);
		if (!table_schema_name_is_valid(arn_out->index))
			return false;
	}
	return table_schema_name_is_valid(arn_out->table);
}

bool api_arn_names_table(struct slice text)
{
	struct api_arn arn;

	return api_arn_parse(text, &arn) && arn.index.size == 0;
}

void api_arn_write_table(struct json_writer *writer, const char *member, const char *region,
			 const char *table)
{
	char text[TEXT_SIZE_MAX];

	(void)snprintf(text, sizeof(text), "arn:aws:dynamodb:%s:" API_ARN_ACCOUNT ":table/%s", region, table);
	json_writer_member_text(writer, member, text);
}

void api_arn_write_index(struct json_writer *writer, const char *member, const char *region,
			 const char *table, const char *index)
{
	char text[TEXT_SIZE_MAX];

	(void)snprintf(text, sizeof(text), "arn:aws:dynamodb:%s:" API_ARN_ACCOUNT ":table/%s/index/%s",
		       region, table, index);
	json_writer_member_text(writer, member, text);
}
