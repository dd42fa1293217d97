/* What is wrong with an expression or a parameter: one message, whole.
 *
 * Threads  pure functions.
 * Memory   plain data.  A message over the limit is cut, between characters.
 * Errors   the first message stays.
 */
#ifndef COORDINATOR_EXPR_EXPR_ERROR_H
#define COORDINATOR_EXPR_EXPR_ERROR_H

#include "proto/base/bytes.h"
#include "proto/model/limits.h"

struct expr_error {
	char text[LIMIT_ERROR_MESSAGE_SIZE_BYTES]; /* NUL-terminated; empty: none */
};

void expr_error_init(struct expr_error *error);
bool expr_error_is_set(const struct expr_error *error);
/* Unless there is one already. */
void expr_error_set(struct expr_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
