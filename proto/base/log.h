/* Structured log lines on standard error: one line, `key=value` pairs.
 *
 *   log_info("node", "joined", "node=%" PRIu64 " zone=%s", id, zone);
 *   2026-01-02T03:04:05.678Z INFO node joined node=3 zone=az-a
 *
 * Threads  any.
 * Limits   a line is cut at 1024 bytes; each call site prints at most
 *          LOG_LINES_PER_SECOND lines a second and says how many it left out.
 * Secrets  never pass keys, tokens, signatures or item values.
 */
#ifndef PROTO_BASE_LOG_H
#define PROTO_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/check.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum { LOG_LINES_PER_SECOND = 20, LOG_LINE_SIZE_MAX = 1024 };

struct log_site {
	uint64_t second;
	uint32_t printed_count;
	uint32_t left_out_count;
};

void log_set_level(enum log_level level);
/* "debug", "info", "warn", "error"; false if unknown. */
bool log_parse_level(const char *name, enum log_level *level_out);
void log_write(struct log_site *site, enum log_level level, const char *part, const char *event,
	       const char *format, ...) PRINTF_LIKE(5, 6);

#define LOG_AT(level, part, event, ...)                                                                      \
	do {                                                                                                 \
		static struct log_site log_site_here;                                                        \
		log_write(&log_site_here, (level), (part), (event), __VA_ARGS__);                            \
	} while (0)

#define log_debug(part, event, ...) LOG_AT(LOG_DEBUG, part, event, __VA_ARGS__)
#define log_info(part, event, ...)  LOG_AT(LOG_INFO, part, event, __VA_ARGS__)
#define log_warn(part, event, ...)  LOG_AT(LOG_WARN, part, event, __VA_ARGS__)
#define log_error(part, event, ...) LOG_AT(LOG_ERROR, part, event, __VA_ARGS__)

#endif
