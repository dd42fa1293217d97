#include "coordinator/expr/expr_lexer.h"

#include "proto/model/limits.h"

enum { CLASS_LETTER = 1, CLASS_DIGIT = 2, CLASS_UNDERSCORE = 4, CLASS_BLANK = 8 };
enum { CLASS_WORD = CLASS_LETTER | CLASS_DIGIT | CLASS_UNDERSCORE };

/* Twenty-six letters in a row. */
#define LETTERS 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
#define DIGITS  2, 2, 2, 2, 2, 2, 2, 2, 2, 2

static const uint8_t classes[256] = {
	['\t'] = CLASS_BLANK, ['\n'] = CLASS_BLANK, ['\r'] = CLASS_BLANK,     [' '] = CLASS_BLANK,
	['0'] = DIGITS,       ['A'] = LETTERS,      ['_'] = CLASS_UNDERSCORE, ['a'] = LETTERS,
};

/* One byte, one token. */
static const uint8_t singles[256] = {
	['='] = EXPR_TOKEN_EQ,        ['('] = EXPR_TOKEN_OPEN,       [')'] = EXPR_TOKEN_CLOSE,
	['['] = EXPR_TOKEN_LIST_OPEN, [']'] = EXPR_TOKEN_LIST_CLOSE, [','] = EXPR_TOKEN_COMMA,
	['.'] = EXPR_TOKEN_DOT,       ['+'] = EXPR_TOKEN_PLUS,       ['-'] = EXPR_TOKEN_MINUS,
};

static bool is_class(struct slice text, size_t at, uint8_t class)
{
	return at < text.size && (classes[text.data[at]] & class) != 0;
}

static size_t skip_class(struct slice text, size_t at, uint8_t class)
{
	while (is_class(text, at, class))
		at++;
	return at;
}

/* word, in upper case, is as long as the text's. */
static bool is_word(const uint8_t *text, const char *word, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((text[i] & 0xdf) != word[i])
			return false;
	}
	return true;
}

static enum expr_keyword keyword_of(const uint8_t *text, size_t size)
{
	switch (size) {
	case 2:
		return is_word(text, "OR", size)   ? EXPR_WORD_OR
		       : is_word(text, "IN", size) ? EXPR_WORD_IN
						   : 0;
	case 3:
		if (is_word(text, "AND", size))
			return EXPR_WORD_AND;
		if (is_word(text, "SET", size))
			return EXPR_WORD_SET;
		if (is_word(text, "NOT", size))
			return EXPR_WORD_NOT;
		return is_word(text, "ADD", size) ? EXPR_WORD_ADD : EXPR_WORD_PLAIN;
	case 6:
		return is_word(text, "REMOVE", size)   ? EXPR_WORD_REMOVE
		       : is_word(text, "DELETE", size) ? EXPR_WORD_DELETE
						       : EXPR_WORD_PLAIN;
	case 7:
		return is_word(text, "BETWEEN", size) ? EXPR_WORD_BETWEEN : EXPR_WORD_PLAIN;
	default:
		return EXPR_WORD_PLAIN;
	}
}

/* A character is bad as a whole, not byte by byte. */
static size_t bad_size(struct slice text, size_t at)
{
	size_t size = 1;

	while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80)
		size++;
	return size;
}

static struct expr_token make_token(enum expr_token_kind kind, size_t offset, size_t size)
{
	return (struct expr_token){ kind, EXPR_WORD_PLAIN, (uint32_t)offset, (uint32_t)size };
}

static struct expr_token scan_order(struct slice text, size_t at)
{
	bool is_less = text.data[at] == '<';
	uint8_t second = at + 1 < text.size ? text.data[at + 1] : 0;

	if (second == '=')
		return make_token(is_less ? EXPR_TOKEN_LE : EXPR_TOKEN_GE, at, 2);
	if (is_less && second == '>')
		return make_token(EXPR_TOKEN_NE, at, 2);
	return make_token(is_less ? EXPR_TOKEN_LT : EXPR_TOKEN_GT, at, 1);
}

/* The token that begins at or after a place. */
static struct expr_token scan(struct slice text, size_t at)
{
	struct expr_token token;
	size_t end;
	uint8_t byte;

	at = skip_class(text, at, CLASS_BLANK);
	if (at == text.size)
		return make_token(EXPR_TOKEN_END, at, 0);
	byte = text.data[at];
	if ((classes[byte] & CLASS_LETTER) != 0) {
		end = skip_class(text, at, CLASS_WORD);
		token = make_token(EXPR_TOKEN_WORD, at, end - at);
		token.keyword = keyword_of(text.data + at, end - at);
		return token;
	}
	if (byte == '#' || byte == ':') {
		end = skip_class(text, at + 1, CLASS_WORD);
		if (end > at + 1)
			return make_token(byte == '#' ? EXPR_TOKEN_NAME : EXPR_TOKEN_VALUE, at, end - at);
		return make_token(EXPR_TOKEN_BAD, at, 1);
	}
	if (singles[byte] != 0)
		return make_token(singles[byte], at, 1);
	if (byte == '<' || byte == '>')
		return scan_order(text, at);
	if (byte == '0')
		return make_token(EXPR_TOKEN_INDEX, at, 1);
	if ((classes[byte] & CLASS_DIGIT) != 0)
		return make_token(EXPR_TOKEN_INDEX, at, skip_class(text, at, CLASS_DIGIT) - at);
	return make_token(EXPR_TOKEN_BAD, at, bad_size(text, at));
}

void expr_lexer_init(struct expr_lexer *lexer, struct slice text)
{
	CHECK(text.size <= LIMIT_EXPRESSION_SIZE_BYTES);
	*lexer = (struct expr_lexer){ .text = text, .token = scan(text, 0) };
}

void expr_lexer_next(struct expr_lexer *lexer)
{
	lexer->previous_offset = lexer->token.offset;
	lexer->token = scan(lexer->text, lexer->token.offset + lexer->token.size);
	lexer->token_index++;
}

struct slice expr_lexer_token(const struct expr_lexer *lexer)
{
	return slice_of(lexer->text.data + lexer->token.offset, lexer->token.size);
}

bool expr_lexer_is_call(const struct expr_lexer *lexer)
{
	size_t at = skip_class(lexer->text, lexer->token.offset + lexer->token.size, CLASS_BLANK);

	return at < lexer->text.size && lexer->text.data[at] == '(';
}

struct slice expr_lexer_near(const struct expr_lexer *lexer)
{
	struct expr_token after = scan(lexer->text, lexer->token.offset + lexer->token.size);
	size_t end = after.offset + after.size;

	return slice_of(lexer->text.data + lexer->previous_offset, end - lexer->previous_offset);
}
