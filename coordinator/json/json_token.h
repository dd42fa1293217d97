/* What a JSON text is made of, and what DynamoDB answers to a token of the wrong kind.
 *
 * Threads  pure functions.
 * Memory   a token's text is valid until the next token.
 * Errors   struct json_error; the first one stays.
 * Source   messages: captures of the service's answers, as public test suites have them.
 */
#ifndef COORDINATOR_JSON_JSON_TOKEN_H
#define COORDINATOR_JSON_JSON_TOKEN_H

#include <stdarg.h>

#include "proto/base/bytes.h"
#include "proto/model/limits.h"

enum json_error_kind {
	JSON_ERROR_NONE,
	JSON_ERROR_SERIALIZATION, /* SerializationException; an empty message is left out of the answer */
	JSON_ERROR_VALIDATION,    /* ValidationException */
};

/* The first value of a parameter that breaks a rule; in the arena of the reader. */
struct json_fault {
	const struct json_fault *next; /* in the order of the text */
	const char *parameter;         /* "ExpressionAttributeValues" */
	const char *message;
	const char *attribute; /* the name of the value in its map, cut to fit; "" if it is in none */
};

struct json_error {
	enum json_error_kind kind;
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];  /* NUL-terminated, cut to fit */
	char attribute[LIMIT_KEY_NAME_SIZE_BYTES + 1]; /* JSON_ERROR_VALIDATION: as in json_fault */
	const struct json_fault *faults;               /* of json_read() */
};

enum json_token_kind {
	JSON_TOKEN_NULL,
	JSON_TOKEN_TRUE,
	JSON_TOKEN_FALSE,
	JSON_TOKEN_NUMBER,
	JSON_TOKEN_STRING,
	JSON_TOKEN_MAP_START,
	JSON_TOKEN_KEY,
	JSON_TOKEN_MAP_END,
	JSON_TOKEN_LIST_START,
	JSON_TOKEN_LIST_END,
};

struct json_token {
	enum json_token_kind kind;
	struct slice text; /* NUMBER as written, STRING and KEY unescaped */
};

/* What the API's model wants at a place. */
enum json_expected {
	JSON_EXPECTED_STRING,
	JSON_EXPECTED_BOOLEAN,
	JSON_EXPECTED_INTEGER,
	JSON_EXPECTED_LONG,
	JSON_EXPECTED_BLOB,
	JSON_EXPECTED_LIST,
	JSON_EXPECTED_MAP,
	JSON_EXPECTED_ELEMENT_LIST, /* a list or map as an element of another */
	JSON_EXPECTED_ELEMENT_MAP,
	JSON_EXPECTED_STRUCT,         /* as a parameter */
	JSON_EXPECTED_ELEMENT_STRUCT, /* as an element of a list or map */
};

void json_error_init(struct json_error *error);
/* Unless there is one already; but JSON_ERROR_SERIALIZATION replaces JSON_ERROR_VALIDATION. */
void json_error_set(struct json_error *error, enum json_error_kind kind, const char *format, ...)
	PRINTF_LIKE(3, 4);
void json_error_set_list(struct json_error *error, enum json_error_kind kind, const char *format,
			 va_list args) PRINTF_LIKE(3, 0);
/* The answer to a token that is not what was expected.  java_name: of a struct's class or a
 * map's values ("AttributeValue", "java.lang.String"), else NULL. */
void json_token_mismatch(struct json_error *error, const struct json_token *token,
			 enum json_expected expected, const char *java_name);
/* A boolean, also one in a string; false if the token is none. */
bool json_token_to_bool(const struct json_token *token, bool *value_out);

#endif
