/* The errors of the API: their names on the wire, their HTTP codes, and one error at work.
 *
 * A request that fails fills in a struct api_error once (the first one stays) and hands it to
 * api_error_write().
 *
 * Threads  pure functions.
 * Memory   plain data.  A message over the limit is cut.
 * Errors   api_error_write() appends to a buf and leaves its status.
 * Source   "Error handling", AWS's documentation; prefixes as clients have captured them.
 */
#ifndef COORDINATOR_API_API_ERROR_H
#define COORDINATOR_API_API_ERROR_H

#include "coordinator/json/json_token.h"
#include "proto/base/bytes.h"

enum api_error_type {
	API_OK,
	API_ERROR_VALIDATION,
	API_ERROR_SERIALIZATION,
	API_ERROR_UNKNOWN_OPERATION,
	API_ERROR_RESOURCE_NOT_FOUND,
	API_ERROR_RESOURCE_IN_USE,
	API_ERROR_LIMIT_EXCEEDED,
	API_ERROR_CONDITIONAL_CHECK_FAILED,
	API_ERROR_COLLECTION_SIZE,
	API_ERROR_ACCESS_DENIED,
	API_ERROR_INTERNAL,
	API_ERROR_TYPE_COUNT,
};

struct api_error {
	enum api_error_type type;
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES]; /* NUL-terminated */
};

void api_error_init(struct api_error *error);
/* Unless there is one already. */
void api_error_set(struct api_error *error, enum api_error_type type, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* A ValidationException whose format has one text in it, "%.*s"; the value is false. */
#define API_REFUSE(error, format, text)                                                                      \
	(api_error_set((error), API_ERROR_VALIDATION, format, (int)(text).size, (const char *)(text).data),  \
	 false)
/* What json_read() found. */
void api_error_from_json(struct api_error *error, const struct json_error *json);

int api_error_http_code(enum api_error_type type);
/* "ValidationException", for metrics and logs. */
const char *api_error_name(enum api_error_type type);

/* {"__type":"...","message":"..."} */
void api_error_write(const struct api_error *error, struct buf *out);
/* With the item that a condition failed on; an empty one is left out.  ST_CORRUPT: it is none. */
enum status api_error_write_item(const struct api_error *error, struct slice item,
				 struct buf *out) MUST_CHECK;
/* The same for a type that another part names, e.g. sigv4_error_type(). */
void api_error_write_named(const char *type, struct slice message, struct buf *out);

#endif
