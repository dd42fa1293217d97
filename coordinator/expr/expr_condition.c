#include "coordinator/expr/expr_condition.h"

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"

/* What waits on the stack for the rest of it to come. */
enum entry_kind {
	ENTRY_NONE, /* the bottom */
	ENTRY_GROUP,
	ENTRY_CALL,
	ENTRY_IN,
	ENTRY_COMPARE,
	ENTRY_BETWEEN, /* until its AND */
	ENTRY_BOUNDS,  /* from there on */
	ENTRY_NOT,
	ENTRY_AND,
	ENTRY_OR,
};

struct entry {
	uint8_t kind;
	uint8_t token;    /* ENTRY_COMPARE: enum expr_token_kind */
	uint8_t function; /* ENTRY_CALL */
	bool is_operand;  /* ENTRY_GROUP: must hold an operand, no condition */
	uint32_t count;   /* ENTRY_CALL, ENTRY_IN: operands so far */
	uint32_t place;   /* ENTRY_GROUP: its token's index; ENTRY_AND, ENTRY_OR: its length in the code */
	uint32_t offset;  /* in the text */
};

struct condition {
	struct expr_parser parser;
	struct entry *stack;
	uint32_t depth;
	bool has_operand;     /* an operand or condition stands before the current token */
	uint32_t group_end;   /* index of the token that ended a group, */
	uint32_t group_begin; /* and of the one that began it */
};

static const struct {
	const char *name;
	enum expr_op op;
	bool is_order;
} comparators[] = {
	[EXPR_TOKEN_EQ] = { "=", EXPR_OP_EQ, false }, [EXPR_TOKEN_NE] = { "<>", EXPR_OP_NE, false },
	[EXPR_TOKEN_LT] = { "<", EXPR_OP_LT, true },  [EXPR_TOKEN_LE] = { "<=", EXPR_OP_LE, true },
	[EXPR_TOKEN_GT] = { ">", EXPR_OP_GT, true },  [EXPR_TOKEN_GE] = { ">=", EXPR_OP_GE, true },
};

static const enum expr_op condition_functions[] = {
	[EXPR_ATTRIBUTE_EXISTS] = EXPR_OP_EXISTS, [EXPR_ATTRIBUTE_NOT_EXISTS] = EXPR_OP_NOT_EXISTS,
	[EXPR_ATTRIBUTE_TYPE] = EXPR_OP_TYPE,     [EXPR_BEGINS_WITH] = EXPR_OP_BEGINS_WITH,
	[EXPR_CONTAINS] = EXPR_OP_CONTAINS,       [EXPR_SIZE] = EXPR_OP_SIZE,
};

static bool is_comparator(enum expr_token_kind kind)
{
	return kind >= EXPR_TOKEN_EQ && kind <= EXPR_TOKEN_GE;
}

static struct entry *top(struct condition *c)
{
	return &c->stack[c->depth];
}

static void push(struct condition *c, struct entry entry)
{
	entry.offset = c->parser.lexer.token.offset;
	c->stack[++c->depth] = entry;
	c->has_operand = false;
}

static void next(struct condition *c)
{
	expr_lexer_next(&c->parser.lexer);
}

static bool allows_condition(struct condition *c)
{
	switch (top(c)->kind) {
	case ENTRY_NONE:
	case ENTRY_NOT:
	case ENTRY_AND:
	case ENTRY_OR:
		return true;
	case ENTRY_GROUP:
		return !top(c)->is_operand;
	default:
		return false;
	}
}

static bool is_condition(struct condition *c)
{
	return expr_operand_top(&c->parser, 0)->kind == EXPR_OPERAND_CONDITION;
}

static void find_misuse(struct condition *c, const struct expr_operand *call)
{
	const char *name = expr_operand_function_name(call->function);

	if (call->function != EXPR_FUNCTION_NONE)
		expr_parse_find(&c->parser, EXPR_PASS_TEXT, call->offset, EXPR_MESSAGE_FUNCTION_PLACE,
				(int)strlen(name), name);
}

/* The topmost count ones are operands of something: only size() may be called there. */
static void use_operands(struct condition *c, uint32_t count)
{
	for (uint32_t depth = count; depth-- > 0;) {
		const struct expr_operand *operand = expr_operand_top(&c->parser, depth);

		if (operand->kind == EXPR_OPERAND_CALL && operand->function != EXPR_SIZE)
			find_misuse(c, operand);
	}
}

/* The topmost count operands have become a truth value. */
static void end_leaf(struct condition *c, uint32_t count)
{
	expr_parse_leaf(&c->parser);
	expr_operand_pop(&c->parser, count);
	expr_operand_push(&c->parser, (struct expr_operand){ .kind = EXPR_OPERAND_CONDITION });
}

static void reduce_compare(struct condition *c)
{
	uint8_t token = top(c)->token;
	const char *name = comparators[token].name;

	use_operands(c, 2);
	expr_operand_check_distinct(&c->parser, name, 2);
	if (comparators[token].is_order)
		expr_operand_check_order(&c->parser, name, 2);
	expr_parse_emit(&c->parser, comparators[token].op);
	end_leaf(c, 2);
	c->depth--;
}

static void reduce_between(struct condition *c)
{
	use_operands(c, 3);
	expr_operand_check_distinct(&c->parser, "BETWEEN", 3);
	expr_operand_check_order(&c->parser, "BETWEEN", 3);
	expr_operand_check_bounds(&c->parser);
	expr_parse_emit(&c->parser, EXPR_OP_BETWEEN);
	end_leaf(c, 3);
	c->depth--;
}

/* A comparison is complete when something follows that cannot be part of it. */
static void reduce_leaf(struct condition *c)
{
	if (top(c)->kind == ENTRY_COMPARE)
		reduce_compare(c);
	else if (top(c)->kind == ENTRY_BOUNDS)
		reduce_between(c);
}

/* What stands before the current token must be a condition: a call becomes one. */
static void need_condition(struct condition *c)
{
	const struct expr_operand *operand = expr_operand_top(&c->parser, 0);

	if (operand->kind == EXPR_OPERAND_CONDITION)
		return;
	if (operand->kind != EXPR_OPERAND_CALL) {
		expr_parse_syntax(&c->parser);
		return;
	}
	if (operand->function == EXPR_SIZE)
		find_misuse(c, operand);
	end_leaf(c, 1);
}

/* NOT and AND bind what stands before an AND; before an OR or an end, OR does too. */
static void reduce_logic(struct condition *c, enum entry_kind loosest)
{
	while (c->parser.status == ST_OK && top(c)->kind >= ENTRY_NOT && top(c)->kind <= loosest) {
		need_condition(c);
		if (top(c)->kind == ENTRY_NOT)
			expr_parse_emit(&c->parser, EXPR_OP_NOT);
		else
			expr_parse_end_span(&c->parser, top(c)->place);
		c->depth--;
	}
}

static void open_call(struct condition *c)
{
	enum expr_function function = expr_operand_function(&c->parser);

	expr_parse_count_operator(&c->parser);
	push(c, (struct entry){ .kind = ENTRY_CALL, .function = (uint8_t)function });
	next(c);
	next(c);
}

/* Where an operand or a condition begins. */
static void begin(struct condition *c)
{
	struct expr_parser *parser = &c->parser;
	struct expr_token token = parser->lexer.token;

	if (token.kind == EXPR_TOKEN_OPEN) {
		push(c, (struct entry){ .kind = ENTRY_GROUP,
					.is_operand = !allows_condition(c),
					.place = parser->lexer.token_index });
		next(c);
	} else if (token.kind == EXPR_TOKEN_VALUE) {
		expr_operand_push_value(parser);
		c->has_operand = true;
	} else if (token.keyword == EXPR_WORD_NOT && allows_condition(c)) {
		expr_parse_count_operator(parser);
		push(c, (struct entry){ .kind = ENTRY_NOT });
		next(c);
	} else if (token.kind == EXPR_TOKEN_WORD && !expr_parse_is_keyword(parser) &&
		   expr_lexer_is_call(&parser->lexer)) {
		open_call(c);
	} else if (token.kind == EXPR_TOKEN_WORD || token.kind == EXPR_TOKEN_NAME) {
		expr_operand_push_path(parser);
		c->has_operand = true;
	} else {
		expr_parse_syntax(parser);
	}
}

static void on_comparator(struct condition *c, enum entry_kind kind)
{
	if (!allows_condition(c) || is_condition(c)) {
		expr_parse_syntax(&c->parser);
		return;
	}
	expr_parse_count_operator(&c->parser);
	push(c, (struct entry){ .kind = (uint8_t)kind, .token = (uint8_t)expr_parse_kind(&c->parser) });
	next(c);
	if (kind == ENTRY_IN)
		expr_parse_expect(&c->parser, EXPR_TOKEN_OPEN);
}

static void on_logic(struct condition *c, enum entry_kind kind)
{
	struct expr_parser *parser = &c->parser;

	reduce_leaf(c);
	if (!allows_condition(c)) {
		expr_parse_syntax(parser);
		return;
	}
	need_condition(c);
	reduce_logic(c, kind);
	if (parser->status != ST_OK)
		return;
	expr_operand_pop(parser, 1);
	expr_parse_count_operator(parser);
	expr_parse_emit(parser, kind == ENTRY_AND ? EXPR_OP_AND : EXPR_OP_OR);
	push(c, (struct entry){ .kind = (uint8_t)kind, .place = parser->code_size });
	expr_parse_emit_number(parser, 0);
	next(c);
}

static void on_and(struct condition *c)
{
	if (top(c)->kind == ENTRY_BETWEEN) {
		top(c)->kind = ENTRY_BOUNDS;
		c->has_operand = false;
		next(c);
		return;
	}
	on_logic(c, ENTRY_AND);
}

static void close_group(struct condition *c)
{
	uint32_t token_index = c->parser.lexer.token_index;

	if (c->group_end + 1 == token_index && c->group_begin == top(c)->place + 1) {
		expr_parse_fail(&c->parser, EXPR_MESSAGE_PARENTHESES);
		return;
	}
	c->group_end = token_index;
	c->group_begin = top(c)->place;
}

static void close_call(struct condition *c)
{
	struct entry *call = top(c);
	uint32_t count = ++call->count;

	use_operands(c, count);
	expr_operand_check_call(&c->parser, call->function, count);
	expr_operand_pop(&c->parser, count);
	if (call->function != EXPR_FUNCTION_NONE)
		expr_parse_emit(&c->parser, condition_functions[call->function]);
	expr_operand_push(&c->parser, (struct expr_operand){ .kind = EXPR_OPERAND_CALL,
							     .function = call->function,
							     .type = call->function == EXPR_SIZE ? ITEM_N : 0,
							     .offset = call->offset });
}

static void close_in(struct condition *c)
{
	uint32_t count = ++top(c)->count;

	use_operands(c, count + 1);
	expr_operand_check_distinct(&c->parser, "IN", count + 1);
	if (count > LIMIT_IN_OPERAND_COUNT)
		expr_parse_find(&c->parser, EXPR_PASS_TYPE, top(c)->offset, EXPR_MESSAGE_IN_COUNT, count);
	expr_parse_emit_index(&c->parser, EXPR_OP_IN, count);
	end_leaf(c, count + 1);
}

static void on_close(struct condition *c)
{
	reduce_leaf(c);
	reduce_logic(c, ENTRY_OR);
	if (c->parser.status != ST_OK)
		return;
	switch (top(c)->kind) {
	case ENTRY_GROUP:
		close_group(c);
		break;
	case ENTRY_CALL:
		close_call(c);
		break;
	case ENTRY_IN:
		close_in(c);
		break;
	default:
		expr_parse_syntax(&c->parser);
		return;
	}
	c->depth--;
	next(c);
}

static void on_comma(struct condition *c)
{
	if (top(c)->kind != ENTRY_CALL && top(c)->kind != ENTRY_IN) {
		expr_parse_syntax(&c->parser);
		return;
	}
	top(c)->count++;
	c->has_operand = false;
	next(c);
}

/* What follows an operand or a condition. */
static void go_on(struct condition *c)
{
	struct expr_token token = c->parser.lexer.token;

	if (is_comparator(token.kind))
		on_comparator(c, ENTRY_COMPARE);
	else if (token.keyword == EXPR_WORD_AND)
		on_and(c);
	else if (token.keyword == EXPR_WORD_OR)
		on_logic(c, ENTRY_OR);
	else if (token.keyword == EXPR_WORD_BETWEEN)
		on_comparator(c, ENTRY_BETWEEN);
	else if (token.keyword == EXPR_WORD_IN)
		on_comparator(c, ENTRY_IN);
	else if (token.kind == EXPR_TOKEN_CLOSE)
		on_close(c);
	else if (token.kind == EXPR_TOKEN_COMMA)
		on_comma(c);
	else
		expr_parse_syntax(&c->parser);
}

static void finish(struct condition *c)
{
	reduce_leaf(c);
	if (c->parser.status == ST_OK)
		need_condition(c);
	reduce_logic(c, ENTRY_OR);
	if (c->parser.status == ST_OK && c->depth > 0)
		expr_parse_syntax(&c->parser);
}

static void parse(struct condition *c)
{
	struct expr_parser *parser = &c->parser;

	while (parser->status == ST_OK && !(c->has_operand && expr_parse_kind(parser) == EXPR_TOKEN_END)) {
		if (c->has_operand)
			go_on(c);
		else
			begin(c);
	}
	if (parser->status == ST_OK)
		finish(c);
}

/* Each entry has a token of its own. */
static void parse_with_stack(struct condition *c, size_t text_size)
{
	struct entry few[EXPR_SHORT_TEXT_SIZE + 1];

	c->depth = 0;
	c->has_operand = false;
	c->group_end = UINT32_MAX - 1; /* no token's index */
	c->stack = text_size <= EXPR_SHORT_TEXT_SIZE
			   ? few
			   : arena_alloc(c->parser.bind->arena, (text_size + 1) * sizeof(*c->stack));
	if (c->stack == NULL) {
		c->parser.status = ST_NO_MEMORY;
		return;
	}
	c->stack[0] = (struct entry){ .kind = ENTRY_NONE };
	parse(c);
}

enum status expr_condition_parse(struct expr_bind *bind, enum expr_use use, struct slice text,
				 Cleave__ExprCondition **condition_out)
{
	Cleave__ExprCondition *condition = arena_alloc(bind->arena, sizeof(*condition));
	struct condition c;
	enum status status;

	if (condition == NULL)
		return ST_NO_MEMORY;
	expr_parse_begin(&c.parser, bind, use, text);
	if (c.parser.status == ST_OK)
		parse_with_stack(&c, text.size);
	status = expr_parse_end(&c.parser);
	if (status != ST_OK)
		return status;
	cleave__expr_condition__init(condition);
	condition->n_paths = c.parser.path_count;
	condition->paths = c.parser.paths;
	condition->n_values = c.parser.value_count;
	condition->values = c.parser.values;
	condition->code = (ProtobufCBinaryData){ c.parser.code_size, c.parser.code };
	*condition_out = condition;
	return ST_OK;
}
