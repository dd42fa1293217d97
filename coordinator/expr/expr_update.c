#include "coordinator/expr/expr_update.h"

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"
#include "proto/model/decimal.h"

enum entry_kind {
	ENTRY_NONE, /* the bottom: the whole right side */
	ENTRY_GROUP,
	ENTRY_CALL,
	ENTRY_SUM,
};

struct entry {
	uint8_t kind;
	uint8_t function; /* ENTRY_CALL */
	bool is_minus;    /* ENTRY_SUM */
	bool is_value;    /* ENTRY_NONE, ENTRY_GROUP: may hold a sum */
	uint32_t count;   /* ENTRY_CALL: operands so far */
	uint32_t place;  /* ENTRY_GROUP: its token's index; ENTRY_CALL: of if_not_exists, its span's length */
	uint32_t offset; /* in the text */
};

struct update {
	struct expr_parser parser;
	ProtobufCBinaryData *targets;
	uint32_t target_count;
	uint32_t sections; /* bits of enum expr_keyword */
	struct entry *stack;
	uint32_t depth;
	bool has_operand;
	uint32_t group_end; /* as in a condition: see expr_condition.c */
	uint32_t group_begin;
};

static struct entry *top(struct update *u)
{
	return &u->stack[u->depth];
}

static void push(struct update *u, struct entry entry)
{
	entry.offset = u->parser.lexer.token.offset;
	u->stack[++u->depth] = entry;
	u->has_operand = false;
}

static void next(struct update *u)
{
	expr_lexer_next(&u->parser.lexer);
}

static void begin_operand(struct update *u)
{
	struct expr_parser *parser = &u->parser;
	struct expr_token token = parser->lexer.token;

	if (token.kind == EXPR_TOKEN_OPEN) {
		push(u, (struct entry){ .kind = ENTRY_GROUP,
					.is_value = top(u)->is_value,
					.place = parser->lexer.token_index });
		next(u);
	} else if (token.kind == EXPR_TOKEN_VALUE) {
		expr_operand_push_value(parser);
		u->has_operand = true;
	} else if (token.kind == EXPR_TOKEN_WORD && !expr_parse_is_keyword(parser) &&
		   expr_lexer_is_call(&parser->lexer)) {
		enum expr_function function = expr_operand_function(parser);

		expr_parse_count_operator(parser);
		push(u, (struct entry){ .kind = ENTRY_CALL, .function = (uint8_t)function });
		next(u);
		next(u);
	} else if (token.kind == EXPR_TOKEN_WORD || token.kind == EXPR_TOKEN_NAME) {
		expr_operand_push_path(parser);
		u->has_operand = true;
	} else {
		expr_parse_syntax(parser);
	}
}

static void on_sign(struct update *u)
{
	if (!top(u)->is_value || expr_operand_top(&u->parser, 0)->kind == EXPR_OPERAND_SUM) {
		expr_parse_syntax(&u->parser);
		return;
	}
	expr_parse_count_operator(&u->parser);
	push(u, (struct entry){ .kind = ENTRY_SUM,
				.is_minus = expr_parse_kind(&u->parser) == EXPR_TOKEN_MINUS });
	next(u);
}

static void reduce_sum(struct update *u)
{
	bool is_minus = top(u)->is_minus;

	if (top(u)->kind != ENTRY_SUM)
		return;
	expr_operand_check_number(&u->parser, is_minus ? "-" : "+", 2);
	expr_parse_emit(&u->parser, is_minus ? EXPR_OP_MINUS : EXPR_OP_PLUS);
	expr_operand_pop(&u->parser, 2);
	expr_operand_push(&u->parser, (struct expr_operand){ .kind = EXPR_OPERAND_SUM });
	u->depth--;
}

/* The first operand of if_not_exists decides whether the second is looked at. */
static void begin_span(struct update *u)
{
	struct expr_parser *parser = &u->parser;
	struct entry *call = top(u);

	if (call->function != EXPR_IF_NOT_EXISTS || call->count > 1 ||
	    expr_operand_top(parser, 0)->kind != EXPR_OPERAND_PATH)
		return;
	parser->code[parser->code_size - 3] = EXPR_OP_IF_EXISTS; /* was EXPR_OP_PATH */
	call->place = parser->code_size;
	expr_parse_emit_number(parser, 0);
}

static void close_call(struct update *u)
{
	struct expr_parser *parser = &u->parser;
	struct entry *call = top(u);
	uint32_t count = ++call->count;

	expr_operand_check_call(parser, call->function, count);
	if (call->function == EXPR_LIST_APPEND)
		expr_parse_emit(parser, EXPR_OP_LIST_APPEND);
	else if (call->place > 0)
		expr_parse_end_span(parser, call->place);
	expr_operand_pop(parser, count);
	expr_operand_push(parser, (struct expr_operand){ .kind = EXPR_OPERAND_CALL,
							 .function = call->function,
							 .offset = call->offset });
}

static void close_group(struct update *u)
{
	uint32_t token_index = u->parser.lexer.token_index;

	if (u->group_end + 1 == token_index && u->group_begin == top(u)->place + 1)
		expr_parse_fail(&u->parser, EXPR_MESSAGE_PARENTHESES);
	u->group_end = token_index;
	u->group_begin = top(u)->place;
}

static void on_close(struct update *u)
{
	reduce_sum(u);
	if (top(u)->kind == ENTRY_GROUP) {
		close_group(u);
	} else if (top(u)->kind == ENTRY_CALL) {
		close_call(u);
	} else {
		expr_parse_syntax(&u->parser);
		return;
	}
	u->depth--;
	next(u);
}

/* True if the right side goes on behind an operand. */
static bool go_on(struct update *u)
{
	enum expr_token_kind kind = expr_parse_kind(&u->parser);

	if (kind == EXPR_TOKEN_PLUS || kind == EXPR_TOKEN_MINUS) {
		on_sign(u);
		return true;
	}
	if (kind == EXPR_TOKEN_CLOSE) {
		on_close(u);
		return true;
	}
	if (kind == EXPR_TOKEN_COMMA && top(u)->kind == ENTRY_CALL) {
		top(u)->count++;
		begin_span(u);
		u->has_operand = false;
		next(u);
		return true;
	}
	reduce_sum(u);
	if (top(u)->kind != ENTRY_NONE)
		expr_parse_syntax(&u->parser);
	return false;
}

static void parse_right_side(struct update *u)
{
	bool is_open = true;

	u->depth = 0;
	u->stack[0] = (struct entry){ .kind = ENTRY_NONE, .is_value = true };
	u->has_operand = false;
	while (is_open && u->parser.status == ST_OK) {
		if (u->has_operand)
			is_open = go_on(u);
		else
			begin_operand(u);
	}
}

static uint32_t parse_target(struct update *u)
{
	uint32_t index = expr_parse_path(&u->parser);

	if (u->parser.status == ST_OK)
		u->targets[u->target_count++] = u->parser.paths[index];
	return index;
}

static void parse_set(struct update *u)
{
	uint32_t target = parse_target(u);

	expr_parse_expect(&u->parser, EXPR_TOKEN_EQ);
	if (u->parser.status == ST_OK)
		parse_right_side(u);
	if (u->parser.status != ST_OK)
		return;
	expr_operand_pop(&u->parser, 1);
	expr_parse_emit_index(&u->parser, EXPR_OP_SET, target);
}

static const char *long_type_name(uint8_t type)
{
	static const char *const names[] = {
		[ITEM_S] = "STRING",      [ITEM_N] = "NUMBER",      [ITEM_B] = "BINARY",
		[ITEM_BOOL] = "BOOLEAN",  [ITEM_NULL] = "NULL",     [ITEM_L] = "LIST",
		[ITEM_M] = "MAP",         [ITEM_SS] = "STRING_SET", [ITEM_NS] = "NUMBER_SET",
		[ITEM_BS] = "BINARY_SET",
	};

	return names[type];
}

static void parse_add_or_delete(struct update *u, enum expr_op op)
{
	const char *name = op == EXPR_OP_ADD ? "ADD" : "DELETE";
	uint32_t target = parse_target(u);
	uint32_t offset = u->parser.lexer.token.offset;
	uint32_t value;
	uint8_t type;

	if (u->parser.status != ST_OK)
		return;
	value = expr_parse_value(&u->parser, &type);
	if (u->parser.status != ST_OK)
		return;
	expr_parse_emit_index(&u->parser, op, target);
	expr_parse_emit_number(&u->parser, value);
	if (type != 0 && !item_type_is_set(type) && !(op == EXPR_OP_ADD && type == ITEM_N))
		expr_parse_find(&u->parser, EXPR_PASS_ACTION, offset, EXPR_MESSAGE_ACTION_TYPE, name,
				long_type_name(type), name);
}

static void parse_action(struct update *u, enum expr_keyword section)
{
	switch (section) {
	case EXPR_WORD_SET:
		parse_set(u);
		return;
	case EXPR_WORD_REMOVE: {
		uint32_t target = parse_target(u);

		if (u->parser.status == ST_OK)
			expr_parse_emit_index(&u->parser, EXPR_OP_REMOVE, target);
		return;
	}
	case EXPR_WORD_ADD:
		parse_add_or_delete(u, EXPR_OP_ADD);
		return;
	case EXPR_WORD_DELETE:
		parse_add_or_delete(u, EXPR_OP_DELETE);
		return;
	default:
		expr_parse_syntax(&u->parser);
		return;
	}
}

static void begin_section(struct update *u, enum expr_keyword section)
{
	static const char *const names[] = { [EXPR_WORD_SET] = "SET",
					     [EXPR_WORD_REMOVE] = "REMOVE",
					     [EXPR_WORD_ADD] = "ADD",
					     [EXPR_WORD_DELETE] = "DELETE" };

	if (!expr_parse_is_keyword(&u->parser)) {
		expr_parse_syntax(&u->parser);
		return;
	}
	if ((u->sections & 1u << section) != 0)
		expr_parse_find(&u->parser, EXPR_PASS_SECTION, 0, EXPR_MESSAGE_SECTION, names[section]);
	u->sections |= 1u << section;
	next(u);
}

static void parse(struct update *u)
{
	struct expr_parser *parser = &u->parser;

	while (parser->status == ST_OK) {
		enum expr_keyword section = parser->lexer.token.keyword;

		begin_section(u, section);
		if (parser->status == ST_OK)
			parse_action(u, section);
		while (parser->status == ST_OK && expr_parse_kind(parser) == EXPR_TOKEN_COMMA) {
			next(u);
			parse_action(u, section);
		}
		if (parser->status == ST_OK && expr_parse_kind(parser) == EXPR_TOKEN_END)
			break;
	}
	expr_paths_check(parser, u->targets, u->target_count);
}

/* Each entry has a token of its own; each target has two. */
static void parse_with_stack(struct update *u, size_t text_size)
{
	ProtobufCBinaryData few_targets[EXPR_SHORT_TEXT_SIZE / 2 + 1];
	struct entry few[EXPR_SHORT_TEXT_SIZE + 1];
	struct arena *arena = u->parser.bind->arena;
	bool is_short = text_size <= EXPR_SHORT_TEXT_SIZE;

	u->target_count = 0;
	u->sections = 0;
	u->group_end = UINT32_MAX - 1; /* no token's index */
	u->stack = is_short ? few : arena_alloc(arena, (text_size + 1) * sizeof(*u->stack));
	u->targets = is_short ? few_targets : arena_alloc(arena, (text_size / 2 + 1) * sizeof(*u->targets));
	if (u->stack == NULL || u->targets == NULL)
		u->parser.status = ST_NO_MEMORY;
	else
		parse(u);
}

enum status expr_update_parse(struct expr_bind *bind, struct slice text, Cleave__ExprUpdate **update_out)
{
	Cleave__ExprUpdate *update = arena_alloc(bind->arena, sizeof(*update));
	enum status status;
	struct update u;

	if (update == NULL)
		return ST_NO_MEMORY;
	expr_parse_begin(&u.parser, bind, EXPR_UPDATE, text);
	if (u.parser.status == ST_OK)
		parse_with_stack(&u, text.size);
	status = expr_parse_end(&u.parser);
	if (status != ST_OK)
		return status;
	cleave__expr_update__init(update);
	update->n_paths = u.parser.path_count;
	update->paths = u.parser.paths;
	update->n_values = u.parser.value_count;
	update->values = u.parser.values;
	update->code = (ProtobufCBinaryData){ u.parser.code_size, u.parser.code };
	*update_out = update;
	return ST_OK;
}

const char *expr_update_error_text(Cleave__ExprUpdateError error)
{
	switch (error) {
	case EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE):
		return EXPR_MESSAGE_MISSING_ATTRIBUTE;
	case EXPR_UPDATE_ERROR(INVALID_PATH):
		return EXPR_MESSAGE_INVALID_PATH;
	case EXPR_UPDATE_ERROR(OPERAND_TYPE):
		return EXPR_MESSAGE_UPDATE_TYPE;
	case EXPR_UPDATE_ERROR(LEGACY_TYPE):
		return EXPR_MESSAGE_LEGACY_UPDATE_TYPE;
	case EXPR_UPDATE_ERROR(NUMBER_OVERFLOW):
		return decimal_error_text(DECIMAL_OVERFLOW);
	case EXPR_UPDATE_ERROR(NUMBER_UNDERFLOW):
		return decimal_error_text(DECIMAL_UNDERFLOW);
	case EXPR_UPDATE_ERROR(NUMBER_DIGITS):
		return decimal_error_text(DECIMAL_TOO_MANY_DIGITS);
	case EXPR_UPDATE_ERROR(ITEM_SIZE):
		return EXPR_MESSAGE_ITEM_SIZE;
	case EXPR_UPDATE_ERROR(NESTING):
		return EXPR_MESSAGE_NESTING;
	default:
		return ""; /* no error, or one that this version does not know */
	}
}
