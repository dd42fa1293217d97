/* Aligned columns for people, and small pieces of text.
 *
 * Threads  one.
 * Memory   a table owns its cells until tool_text_close().
 * Errors   sticky in the buf that is printed to.
 * Limits   a cell is cut at TOOL_TEXT_CELL_SIZE_MAX; bytes that a terminal would act on become '?'.
 */
#ifndef DEPLOY_CLEAVE_TOOL_TEXT_H
#define DEPLOY_CLEAVE_TOOL_TEXT_H

#include <stdint.h>

#include "proto/base/bytes.h"

enum {
	TOOL_TEXT_COLUMNS_MAX = 12,
	TOOL_TEXT_CELL_SIZE_MAX = 512,
	TOOL_TEXT_SIZE_MAX = 256 * 1024 * 1024,
	TOOL_TEXT_UPTIME_SIZE = 32,
};

struct tool_text {
	struct buf cells; /* row by row, each ended by a NUL */
	size_t widths[TOOL_TEXT_COLUMNS_MAX];
	size_t column_count;
	size_t cell_count;
};

/* heads ends with NULL; they are the first row. */
void tool_text_init(struct tool_text *text, const char *const *heads);
void tool_text_close(struct tool_text *text);
/* The next cell, from left to right; rows follow one another. */
void tool_text_cell(struct tool_text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* The last row must be complete. */
void tool_text_print(const struct tool_text *text, struct buf *out);

/* "850ms", "42s", "3m12s", "2h05m", "5d03h" */
void tool_text_uptime(uint64_t uptime_ms, char out[TOOL_TEXT_UPTIME_SIZE]);

/* Write to standard output; false if that failed or out has. */
bool tool_text_flush(struct buf *out);

#endif
