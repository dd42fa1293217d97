#include "coordinator/expr/expr_projection.h"

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"

static void parse(struct expr_parser *parser)
{
	(void)expr_parse_path(parser);
	while (parser->status == ST_OK && expr_parse_kind(parser) == EXPR_TOKEN_COMMA) {
		expr_lexer_next(&parser->lexer);
		(void)expr_parse_path(parser);
	}
	if (parser->status == ST_OK && expr_parse_kind(parser) != EXPR_TOKEN_END)
		expr_parse_syntax(parser);
	expr_paths_check(parser, parser->paths, parser->path_count);
}

enum status expr_projection_parse(struct expr_bind *bind, struct slice text,
				  Cleave__ExprProjection **projection_out)
{
	Cleave__ExprProjection *projection = arena_alloc(bind->arena, sizeof(*projection));
	struct expr_parser parser;
	enum status status;

	if (projection == NULL)
		return ST_NO_MEMORY;
	expr_parse_begin(&parser, bind, EXPR_PROJECTION, text);
	if (parser.status == ST_OK)
		parse(&parser);
	status = expr_parse_end(&parser);
	if (status != ST_OK)
		return status;
	cleave__expr_projection__init(projection);
	projection->n_paths = parser.path_count;
	projection->paths = parser.paths;
	*projection_out = projection;
	return ST_OK;
}

static bool is_twice(const struct slice *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (slice_equal(names[i], names[count]))
			return true;
	}
	return false;
}

enum status expr_projection_of_names(struct arena *arena, const struct slice *names, uint32_t name_count,
				     Cleave__ExprProjection **projection_out, struct expr_error *error)
{
	Cleave__ExprProjection *projection = arena_alloc(arena, sizeof(*projection));
	ProtobufCBinaryData *paths = arena_alloc(arena, name_count * sizeof(*paths));
	enum status status;

	expr_error_init(error);
	if (projection == NULL || paths == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < name_count; i++) {
		if (is_twice(names, i)) {
			expr_error_set(error, EXPR_MESSAGE_TWICE, (int)names[i].size,
				       (const char *)names[i].data);
			return ST_INVALID;
		}
		status = expr_parse_path_of_name(arena, names[i], &paths[i]);
		if (status == ST_INVALID)
			expr_error_set(error, EXPR_MESSAGE_NAME_SIZE);
		if (status != ST_OK)
			return status;
	}
	cleave__expr_projection__init(projection);
	projection->n_paths = name_count;
	projection->paths = paths;
	*projection_out = projection;
	return ST_OK;
}
