/* Assertions that stay on in release builds, and small compiler helpers.
 *
 * CHECK(x) guards what only a bug can break; it ends the process, because a
 * replica that has lost its invariants must not go on.  Input from outside is
 * never CHECKed: it gets an error.
 */
#ifndef PROTO_BASE_CHECK_H
#define PROTO_BASE_CHECK_H

#include <stddef.h>

#define MUST_CHECK                         __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))

#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* If a then b. */
#define CHECK_IMPLIES(a, b) CHECK(!(a) || (b))

#define UNREACHABLE() check_failed("unreachable", __FILE__, __LINE__, __func__)

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

__attribute__((noreturn, cold)) void check_failed(const char *condition, const char *file, int line,
						  const char *function);

#endif
