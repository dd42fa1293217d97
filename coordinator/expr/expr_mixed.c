#include "coordinator/expr/expr_mixed.h"

#include "coordinator/expr/expr_message.h"

enum { LIST_SIZE = 256 };

static bool is_set(const struct expr_parameter *parameters, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(parameters[i].name, name) == 0)
			return parameters[i].is_set;
	}
	return false;
}

/* The names of those that are set, but for one; all of them if is_all. */
static uint32_t list_names(const struct expr_parameter *parameters, uint32_t count, const char *left_out,
			   const char *separator, bool is_all, char out[LIST_SIZE])
{
	uint32_t listed = 0;
	struct buf text;

	buf_init(&text, LIST_SIZE);
	for (uint32_t i = 0; i < count; i++) {
		if ((!parameters[i].is_set && !is_all) || strcmp(parameters[i].name, left_out) == 0)
			continue;
		buf_append_string(&text, listed++ == 0 ? "" : separator);
		buf_append_string(&text, parameters[i].name);
	}
	buf_put_u8(&text, 0);
	CHECK(text.status == ST_OK); /* the API has few parameters, with short names */
	memcpy(out, text.data, text.size);
	buf_close(&text);
	return listed;
}

static void check_both(const struct expr_parameter *expressions, uint32_t expression_count,
		       const struct expr_parameter *others, uint32_t other_count, struct expr_error *error)
{
	const char *left_out = is_set(expressions, expression_count, "KeyConditionExpression")
				       ? ""
				       : "KeyConditions";
	char new_names[LIST_SIZE];
	char old_names[LIST_SIZE];

	if (list_names(expressions, expression_count, "", ", ", false, new_names) > 0 &&
	    list_names(others, other_count, left_out, ", ", false, old_names) > 0)
		expr_error_set(error, EXPR_MESSAGE_MIXED, old_names, new_names);
}

/* A projection has no values. */
static void check_values(const struct expr_parameter *expressions, uint32_t count, struct expr_error *error)
{
	static const char projection[] = "ProjectionExpression";
	char names[LIST_SIZE];
	uint32_t total;

	if (list_names(expressions, count, projection, "", false, names) > 0)
		return;
	total = list_names(expressions, count, projection, " and ", true, names);
	if (total > 0)
		expr_error_set(error, EXPR_MESSAGE_VALUES_ALONE, names, total > 1 ? "are" : "is");
}

enum status expr_mixed_check(const struct expr_parameter *expressions, uint32_t expression_count,
			     const struct expr_parameter *others, uint32_t other_count, bool has_names,
			     bool has_values, struct expr_error *error)
{
	char ignored[LIST_SIZE];

	expr_error_init(error);
	check_both(expressions, expression_count, others, other_count, error);
	if (has_names && list_names(expressions, expression_count, "", "", false, ignored) == 0)
		expr_error_set(error, EXPR_MESSAGE_NAMES_ALONE);
	if (has_values)
		check_values(expressions, expression_count, error);
	return expr_error_is_set(error) ? ST_INVALID : ST_OK;
}
