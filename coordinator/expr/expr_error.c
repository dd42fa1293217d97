#include "coordinator/expr/expr_error.h"

#include <stdarg.h>
#include <stdio.h>

void expr_error_init(struct expr_error *error)
{
	error->text[0] = '\0';
}

bool expr_error_is_set(const struct expr_error *error)
{
	return error->text[0] != '\0';
}

/* A text that was cut may end inside a character: take its beginning away too. */
static void trim(char *text, size_t size)
{
	size_t at = size;

	while (at > 0 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (uint8_t)text[at - 1] >= 0xc0)
		at--;
	text[at] = '\0';
}

void expr_error_set(struct expr_error *error, const char *format, ...)
{
	va_list args;
	int size;

	if (expr_error_is_set(error))
		return;
	va_start(args, format);
	size = vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	CHECK(size > 0);
	if ((size_t)size >= sizeof(error->text))
		trim(error->text, sizeof(error->text) - 1);
}
