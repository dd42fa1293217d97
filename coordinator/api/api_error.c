#include "coordinator/api/api_error.h"

#include <stdio.h>

#include "coordinator/json/json_item_write.h"
#include "coordinator/json/json_writer.h"
#include "proto/model/item_check.h"

#define MODELLED "com.amazonaws.dynamodb.v20120810#"
#define SERVICE  "com.amazon.coral.service#"
#define VALIDATE "com.amazon.coral.validate#"

struct row {
	const char *prefix;
	const char *name;
	const char *message_name;
	int http_code;
};

static const struct row rows[API_ERROR_TYPE_COUNT] = {
	[API_OK] = { "", "OK", "message", 200 },
	[API_ERROR_VALIDATION] = { VALIDATE, "ValidationException", "message", 400 },
	[API_ERROR_SERIALIZATION] = { SERVICE, "SerializationException", "Message", 400 },
	[API_ERROR_UNKNOWN_OPERATION] = { SERVICE, "UnknownOperationException", "message", 400 },
	[API_ERROR_RESOURCE_NOT_FOUND] = { MODELLED, "ResourceNotFoundException", "message", 400 },
	[API_ERROR_RESOURCE_IN_USE] = { MODELLED, "ResourceInUseException", "message", 400 },
	[API_ERROR_LIMIT_EXCEEDED] = { MODELLED, "LimitExceededException", "message", 400 },
	[API_ERROR_CONDITIONAL_CHECK_FAILED] = { MODELLED, "ConditionalCheckFailedException", "message",
						 400 },
	[API_ERROR_COLLECTION_SIZE] = { MODELLED, "ItemCollectionSizeLimitExceededException", "message",
					400 },
	[API_ERROR_ACCESS_DENIED] = { SERVICE, "AccessDeniedException", "Message", 400 },
	[API_ERROR_INTERNAL] = { MODELLED, "InternalServerError", "message", 500 },
};

static const struct row *row_of(enum api_error_type type)
{
	CHECK(type < API_ERROR_TYPE_COUNT);
	return &rows[type];
}

void api_error_init(struct api_error *error)
{
	error->type = API_OK;
	error->message[0] = '\0';
}

/* A text that was cut inside a character loses the rest of it. */
static void trim_character(char *text)
{
	size_t end = strlen(text);
	size_t start = end;

	while (start > 0 && end - start < 4 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || ((uint8_t)text[start - 1] & 0x80) == 0)
		return;
	start--;
	if (!item_check_utf8(slice_of(text + start, end - start)))
		text[start] = '\0';
}

void api_error_set(struct api_error *error, enum api_error_type type, const char *format, ...)
{
	va_list args;

	if (error->type != API_OK)
		return;
	error->type = type;
	va_start(args, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, args); /* cut to fit */
	va_end(args);
	trim_character(error->message);
}

void api_error_from_json(struct api_error *error, const struct json_error *json)
{
	enum api_error_type type = json->kind == JSON_ERROR_SERIALIZATION ? API_ERROR_SERIALIZATION
									  : API_ERROR_VALIDATION;

	if (json->kind != JSON_ERROR_NONE)
		api_error_set(error, type, "%s", json->message);
}

int api_error_http_code(enum api_error_type type)
{
	return row_of(type)->http_code;
}

const char *api_error_name(enum api_error_type type)
{
	return row_of(type)->name;
}

/* item: left out if it is empty. */
static enum status write_body(struct buf *out, const char *prefix, const char *name, const char *message_name,
			      struct slice message, struct slice item)
{
	enum status status = ST_OK;
	struct json_writer writer;
	struct buf type;

	buf_init(&type, LIMIT_ERROR_MESSAGE_SIZE_BYTES);
	buf_append_string(&type, prefix);
	buf_append_string(&type, name);
	json_writer_init(&writer, out);
	json_writer_object_start(&writer);
	json_writer_member_string(&writer, "__type", buf_slice(&type));
	if (message.size > 0)
		json_writer_member_string(&writer, message_name, message);
	if (item.size > 0) {
		json_writer_key(&writer, "Item");
		json_writer_begin_value(&writer);
		status = json_item_write(out, item);
	}
	json_writer_object_end(&writer);
	buf_close(&type);
	return status;
}

static enum status write_error(struct buf *out, const struct api_error *error, struct slice item)
{
	const struct row *row = row_of(error->type);

	return write_body(out, row->prefix, row->name, row->message_name, slice_of_string(error->message),
			  item);
}

enum status api_error_write_item(const struct api_error *error, struct slice item, struct buf *out)
{
	return write_error(out, error, item);
}

void api_error_write(const struct api_error *error, struct buf *out)
{
	(void)write_error(out, error, slice_of(NULL, 0)); /* no item: no error but out's own */
}

void api_error_write_named(const char *type, struct slice message, struct buf *out)
{
	(void)write_body(out, "", type, "message", message, slice_of(NULL, 0)); /* as above */
}
