/* What the grammars of this folder share: one parser's state, findings, paths, values and code.
 *
 * Threads  a parser belongs to one thread.
 * Memory   what is compiled lies in the bind's arena, in arrays that the text's size bounds; what
 *          is needed only meanwhile lies in the parser, or in the arena too if the text is long.
 * Errors   parser->status sticks.  A syntax error ends the parse at once; other findings are
 *          kept, the first of each pass, until expr_parse_end() reports the best.
 */
#ifndef COORDINATOR_EXPR_EXPR_INTERNAL_H
#define COORDINATOR_EXPR_EXPR_INTERNAL_H

#include "coordinator/expr/expr_bind.h"
#include "coordinator/expr/expr_lexer.h"
#include "proto/model/item.h"
#include "proto/wire/expr_code.h"

#include <protobuf-c/protobuf-c.h>

/* In the order in which they are reported. */
enum expr_pass {
	EXPR_PASS_TEXT, /* the finding that stands first in the text wins */
	EXPR_PASS_SECTION,
	EXPR_PASS_OPERATORS,
	EXPR_PASS_LEAF, /* conditions: the best of the passes below of the first leaf that has one */
	EXPR_PASS_NAME,
	EXPR_PASS_VALUE,
	EXPR_PASS_OVERLAP,
	EXPR_PASS_CONFLICT,
	EXPR_PASS_ACTION,
	EXPR_PASS_COUNT,
	EXPR_PASS_DISTINCT,
	EXPR_PASS_TYPE,
	EXPR_PASSES,
};

struct expr_finding {
	const char *text; /* NULL: none */
	uint32_t offset;
};

enum expr_function {
	EXPR_FUNCTION_NONE,
	EXPR_ATTRIBUTE_EXISTS,
	EXPR_ATTRIBUTE_NOT_EXISTS,
	EXPR_ATTRIBUTE_TYPE,
	EXPR_BEGINS_WITH,
	EXPR_CONTAINS,
	EXPR_SIZE,
	EXPR_IF_NOT_EXISTS,
	EXPR_LIST_APPEND,
};

enum expr_operand_kind {
	EXPR_OPERAND_PATH,
	EXPR_OPERAND_VALUE,
	EXPR_OPERAND_CALL,
	EXPR_OPERAND_SUM,       /* a + b or a - b in parentheses */
	EXPR_OPERAND_CONDITION, /* no operand any more: a truth value */
};

struct expr_operand {
	uint8_t kind;
	uint8_t function; /* of a call */
	uint8_t type;     /* enum item_type of a value or of size(); 0: known only with the item */
	uint32_t index;   /* of the path or value in the program */
	uint32_t offset;  /* in the text */
};

/* A text of this size needs no memory but for what it is compiled to. */
enum { EXPR_SHORT_TEXT_SIZE = 255 };

struct expr_parser {
	struct expr_bind *bind;
	enum expr_use use;
	enum status status;
	struct expr_lexer lexer;
	ProtobufCBinaryData *paths;
	ProtobufCBinaryData *values;
	uint16_t *value_slots; /* of each value of the bind: its index in values + 1; 0: not there yet */
	uint8_t *code;
	struct expr_operand *operands;
	uint32_t path_count;
	uint32_t value_count;
	uint32_t code_size;
	uint32_t operand_count;
	uint32_t operator_count;
	bool has_findings;
	struct expr_finding findings[EXPR_PASSES];
	/* Not cleared. */
	struct expr_operand few_operands[EXPR_SHORT_TEXT_SIZE / 2 + 1];
};

/* Checks the text's size and looks at its first token. */
void expr_parse_begin(struct expr_parser *parser, struct expr_bind *bind, enum expr_use use,
		      struct slice text);
/* ST_INVALID if there is a finding: the best goes to the bind's error. */
enum status expr_parse_end(struct expr_parser *parser) MUST_CHECK;
/* The current token cannot stand here. */
void expr_parse_syntax(struct expr_parser *parser);
/* Ends the parse at once, with the use's prefix. */
void expr_parse_fail(struct expr_parser *parser, const char *text);
void expr_parse_find(struct expr_parser *parser, enum expr_pass pass, uint32_t offset, const char *format,
		     ...) PRINTF_LIKE(4, 5);
/* A leaf ends: its best finding counts, if no leaf before had one. */
void expr_parse_leaf(struct expr_parser *parser);
void expr_parse_count_operator(struct expr_parser *parser);

static inline enum expr_token_kind expr_parse_kind(const struct expr_parser *parser)
{
	return parser->lexer.token.kind;
}

/* Take the current token if it is of that kind; a syntax error if not. */
void expr_parse_expect(struct expr_parser *parser, enum expr_token_kind kind);
/* The word or #name at the current token begins a path.  keywords are no names here. */
uint32_t expr_parse_path(struct expr_parser *parser);
/* The :value at the current token; its type goes to *type_out, 0 if it is not defined. */
uint32_t expr_parse_value(struct expr_parser *parser, uint8_t *type_out);
/* Is the current token a word that this grammar has for itself? */
bool expr_parse_is_keyword(const struct expr_parser *parser);
/* The function whose name is the current token. */
enum expr_function expr_operand_function(struct expr_parser *parser);
/* Code. */
void expr_parse_emit(struct expr_parser *parser, enum expr_op op);
void expr_parse_emit_index(struct expr_parser *parser, enum expr_op op, uint32_t index);
void expr_parse_emit_number(struct expr_parser *parser, uint32_t number);
/* The span whose length stands at that place in the code ends here. */
void expr_parse_end_span(struct expr_parser *parser, uint32_t at);

/* An operand that is a path or value at the current token: parsed, pushed, emitted. */
void expr_operand_push_path(struct expr_parser *parser);
void expr_operand_push_value(struct expr_parser *parser);
void expr_operand_push(struct expr_parser *parser, struct expr_operand operand);
struct expr_operand *expr_operand_top(struct expr_parser *parser, uint32_t depth);
void expr_operand_pop(struct expr_parser *parser, uint32_t count);
const char *expr_operand_function_name(enum expr_function function);
/* Checks that findings come from; operands are the topmost count ones, the first of them lowest. */
void expr_operand_check_call(struct expr_parser *parser, enum expr_function function, uint32_t count);
void expr_operand_check_distinct(struct expr_parser *parser, const char *operator_name, uint32_t count);
void expr_operand_check_order(struct expr_parser *parser, const char *operator_name, uint32_t count);
void expr_operand_check_bounds(struct expr_parser *parser);
void expr_operand_check_number(struct expr_parser *parser, const char *operator_name, uint32_t count);
/* Do paths overlap or conflict?  Findings. */
void expr_paths_check(struct expr_parser *parser, const ProtobufCBinaryData *paths, uint32_t count);
/* "[a, [1], b]", in the arena. */
const char *expr_parse_path_text(struct expr_parser *parser, ProtobufCBinaryData path);

/* A path of one name, in the arena.  ST_INVALID if it is too long for one. */
enum status expr_parse_path_of_name(struct arena *arena, struct slice name, ProtobufCBinaryData *path_out);

static inline struct slice expr_slice(ProtobufCBinaryData data)
{
	return slice_of(data.data, data.len);
}

#endif
