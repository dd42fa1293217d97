#include "coordinator/json/json_token.h"

#include <stdio.h>

/* What the service's Java says of a generic type inside another. */
#define PARAMETERIZED                                                                                        \
	"class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "        \
	"java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class " \
	"are in module java.base of loader 'bootstrap')"
#define MODEL_PACKAGE "com.amazonaws.dynamodb.v20120810."

void json_error_init(struct json_error *error)
{
	error->kind = JSON_ERROR_NONE;
	error->message[0] = '\0';
	error->attribute[0] = '\0';
	error->faults = NULL;
}

void json_error_set_list(struct json_error *error, enum json_error_kind kind, const char *format,
			 va_list args)
{
	/* Types are checked before values: what is wrong with the JSON goes first. */
	if (error->kind == JSON_ERROR_SERIALIZATION || error->kind == kind)
		return;
	json_error_init(error);
	error->kind = kind;
	(void)vsnprintf(error->message, sizeof(error->message), format, args);
}

void json_error_set(struct json_error *error, enum json_error_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_error_set_list(error, kind, format, args);
	va_end(args);
}

static const char *token_name(const struct json_token *token)
{
	switch (token->kind) {
	case JSON_TOKEN_NULL:
		return "NULL_VALUE";
	case JSON_TOKEN_TRUE:
		return "TRUE_VALUE";
	case JSON_TOKEN_FALSE:
		return "FALSE_VALUE";
	case JSON_TOKEN_NUMBER:
		for (size_t i = 0; i < token->text.size; i++) {
			if (memchr(".eE", token->text.data[i], 3) != NULL)
				return "DECIMAL_VALUE";
		}
		return "NUMBER_VALUE";
	default:
		return "STRING_VALUE";
	}
}

static void scalar_mismatch(struct json_error *error, const struct json_token *token, const char *name)
{
	if (token->kind == JSON_TOKEN_LIST_START)
		json_error_set(error, JSON_ERROR_SERIALIZATION,
			       "Unrecognized collection type class java.lang.%s", name);
	else
		json_error_set(error, JSON_ERROR_SERIALIZATION, "%s cannot be converted to %s",
			       token_name(token), name);
}

static void blob_mismatch(struct json_error *error, const struct json_token *token)
{
	json_error_set(error, JSON_ERROR_SERIALIZATION, "%s",
		       token->kind == JSON_TOKEN_LIST_START
			       ? "Unrecognized collection type class java.nio.ByteBuffer"
			       : "only base-64-encoded strings are convertible to bytes");
}

static void map_mismatch(struct json_error *error, const struct json_token *token, const char *java_name)
{
	const char *package = strchr(java_name, '.') == NULL ? MODEL_PACKAGE : "";

	if (token->kind == JSON_TOKEN_LIST_START)
		json_error_set(error, JSON_ERROR_SERIALIZATION,
			       "Unrecognized collection type java.util.Map<java.lang.String, %s%s>", package,
			       java_name);
	else
		json_error_set(error, JSON_ERROR_SERIALIZATION, "Unexpected field type");
}

static void struct_mismatch(struct json_error *error, const struct json_token *token, const char *java_name,
			    const char *otherwise)
{
	if (token->kind == JSON_TOKEN_LIST_START)
		json_error_set(error, JSON_ERROR_SERIALIZATION, "Unrecognized collection type class %s%s",
			       MODEL_PACKAGE, java_name);
	else
		json_error_set(error, JSON_ERROR_SERIALIZATION, "%s", otherwise);
}

void json_token_mismatch(struct json_error *error, const struct json_token *token,
			 enum json_expected expected, const char *java_name)
{
	if (token->kind == JSON_TOKEN_MAP_START) {
		json_error_set(error, JSON_ERROR_SERIALIZATION,
			       "Start of structure or map found where not expected");
		return;
	}
	switch (expected) {
	case JSON_EXPECTED_STRING:
		scalar_mismatch(error, token, "String");
		return;
	case JSON_EXPECTED_BOOLEAN:
		if (token->kind == JSON_TOKEN_STRING)
			json_error_set(error, JSON_ERROR_SERIALIZATION,
				       "Unexpected token received from parser");
		else
			scalar_mismatch(error, token, "Boolean");
		return;
	case JSON_EXPECTED_INTEGER:
		scalar_mismatch(error, token, "Integer");
		return;
	case JSON_EXPECTED_LONG:
		scalar_mismatch(error, token, "Long");
		return;
	case JSON_EXPECTED_BLOB:
		blob_mismatch(error, token);
		return;
	case JSON_EXPECTED_LIST:
		json_error_set(error, JSON_ERROR_SERIALIZATION, "Unexpected field type");
		return;
	case JSON_EXPECTED_MAP:
		map_mismatch(error, token, java_name);
		return;
	case JSON_EXPECTED_ELEMENT_LIST:
		json_error_set(error, JSON_ERROR_SERIALIZATION, "%s", PARAMETERIZED);
		return;
	case JSON_EXPECTED_ELEMENT_MAP:
		if (token->kind == JSON_TOKEN_LIST_START)
			map_mismatch(error, token, java_name);
		else
			json_error_set(error, JSON_ERROR_SERIALIZATION, "%s", PARAMETERIZED);
		return;
	case JSON_EXPECTED_STRUCT:
		struct_mismatch(error, token, java_name, "Unexpected field type");
		return;
	case JSON_EXPECTED_ELEMENT_STRUCT:
		struct_mismatch(error, token, java_name, "Unexpected value type in payload");
		return;
	}
}

bool json_token_to_bool(const struct json_token *token, bool *value_out)
{
	bool is_string = token->kind == JSON_TOKEN_STRING;
	bool is_true = token->kind == JSON_TOKEN_TRUE ||
		       (is_string && (slice_equal(token->text, slice_of_string("true")) ||
				      slice_equal(token->text, slice_of_string("yes"))));
	bool is_false = token->kind == JSON_TOKEN_FALSE ||
			(is_string && (slice_equal(token->text, slice_of_string("false")) ||
				       slice_equal(token->text, slice_of_string("no"))));

	if (!is_true && !is_false)
		return false;
	*value_out = is_true;
	return true;
}
