/* Tokens of an expression.
 *
 * Threads  a lexer belongs to one thread.
 * Memory   tokens are places in the text.
 * Errors   none: a byte that begins no token is a token of its own (EXPR_TOKEN_BAD).
 * Source   the tokens as the service's syntax errors show them.
 */
#ifndef COORDINATOR_EXPR_EXPR_LEXER_H
#define COORDINATOR_EXPR_EXPR_LEXER_H

#include "proto/base/bytes.h"

enum expr_token_kind {
	EXPR_TOKEN_END,
	EXPR_TOKEN_BAD,
	EXPR_TOKEN_WORD,  /* an attribute's name, a function, a keyword */
	EXPR_TOKEN_NAME,  /* #placeholder */
	EXPR_TOKEN_VALUE, /* :placeholder */
	EXPR_TOKEN_INDEX, /* digits */
	EXPR_TOKEN_EQ,
	EXPR_TOKEN_NE,
	EXPR_TOKEN_LT,
	EXPR_TOKEN_LE,
	EXPR_TOKEN_GT,
	EXPR_TOKEN_GE,
	EXPR_TOKEN_OPEN,  /* ( */
	EXPR_TOKEN_CLOSE, /* ) */
	EXPR_TOKEN_LIST_OPEN,
	EXPR_TOKEN_LIST_CLOSE,
	EXPR_TOKEN_COMMA,
	EXPR_TOKEN_DOT,
	EXPR_TOKEN_PLUS,
	EXPR_TOKEN_MINUS,
};

enum expr_keyword {
	EXPR_WORD_PLAIN,
	EXPR_WORD_AND,
	EXPR_WORD_OR,
	EXPR_WORD_NOT,
	EXPR_WORD_BETWEEN,
	EXPR_WORD_IN,
	EXPR_WORD_SET,
	EXPR_WORD_REMOVE,
	EXPR_WORD_ADD,
	EXPR_WORD_DELETE,
};

struct expr_token {
	enum expr_token_kind kind;
	enum expr_keyword keyword; /* of a word */
	uint32_t offset;
	uint32_t size;
};

struct expr_lexer {
	struct slice text;
	struct expr_token token;  /* the current one */
	uint32_t previous_offset; /* of the token before it; 0 at the first */
	uint32_t token_index;
};

/* The first token is current.  text is at most LIMIT_EXPRESSION_SIZE_BYTES long. */
void expr_lexer_init(struct expr_lexer *lexer, struct slice text);
void expr_lexer_next(struct expr_lexer *lexer);
struct slice expr_lexer_token(const struct expr_lexer *lexer);
/* Is the byte after the current token, blanks aside, an opening parenthesis? */
bool expr_lexer_is_call(const struct expr_lexer *lexer);
/* From the token before the current one to the one after it, as syntax errors show it. */
struct slice expr_lexer_near(const struct expr_lexer *lexer);

#endif
