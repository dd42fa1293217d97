#include "deploy/cleave/tool_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { COLUMN_GAP = 2, MS_PER_S = 1000, S_PER_MINUTE = 60, S_PER_HOUR = 3600, S_PER_DAY = 86400 };

void tool_text_init(struct tool_text *text, const char *const *heads)
{
	*text = (struct tool_text){ .column_count = 0 };
	buf_init(&text->cells, TOOL_TEXT_SIZE_MAX);
	while (heads[text->column_count] != NULL)
		text->column_count++;
	CHECK(text->column_count > 0 && text->column_count <= TOOL_TEXT_COLUMNS_MAX);
	for (size_t i = 0; i < text->column_count; i++)
		tool_text_cell(text, "%s", heads[i]);
}

void tool_text_close(struct tool_text *text)
{
	buf_close(&text->cells);
}

void tool_text_cell(struct tool_text *text, const char *format, ...)
{
	size_t *width = &text->widths[text->cell_count % text->column_count];
	char cell[TOOL_TEXT_CELL_SIZE_MAX];
	size_t size;
	va_list args;

	va_start(args, format);
	if (vsnprintf(cell, sizeof(cell), format, args) < 0)
		cell[0] = '\0';
	va_end(args);
	for (size = 0; cell[size] != '\0'; size++) {
		if ((unsigned char)cell[size] < ' ' || cell[size] == 0x7f)
			cell[size] = '?';
	}
	if (size > *width)
		*width = size;
	buf_append(&text->cells, cell, size + 1);
	text->cell_count++;
}

static void pad(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_put_u8(out, ' ');
}

void tool_text_print(const struct tool_text *text, struct buf *out)
{
	const char *cell = (const char *)text->cells.data;

	if (text->cells.status != ST_OK) {
		out->status = text->cells.status;
		return;
	}
	CHECK(text->cell_count % text->column_count == 0);
	for (size_t i = 0; i < text->cell_count; i++) {
		size_t column = i % text->column_count;
		size_t size = strlen(cell);

		buf_append(out, cell, size);
		if (column + 1 < text->column_count)
			pad(out, text->widths[column] - size + COLUMN_GAP);
		else
			buf_put_u8(out, '\n');
		cell += size + 1;
	}
}

void tool_text_uptime(uint64_t uptime_ms, char out[TOOL_TEXT_UPTIME_SIZE])
{
	uint64_t s = uptime_ms / MS_PER_S;
	uint64_t minutes = s / S_PER_MINUTE;
	uint64_t hours = s / S_PER_HOUR;

	if (s == 0)
		(void)snprintf(out, TOOL_TEXT_UPTIME_SIZE, "%" PRIu64 "ms", uptime_ms);
	else if (minutes == 0)
		(void)snprintf(out, TOOL_TEXT_UPTIME_SIZE, "%" PRIu64 "s", s);
	else if (hours == 0)
		(void)snprintf(out, TOOL_TEXT_UPTIME_SIZE, "%" PRIu64 "m%02" PRIu64 "s", minutes,
			       s % S_PER_MINUTE);
	else if (s < S_PER_DAY)
		(void)snprintf(out, TOOL_TEXT_UPTIME_SIZE, "%" PRIu64 "h%02" PRIu64 "m", hours, minutes % 60);
	else
		(void)snprintf(out, TOOL_TEXT_UPTIME_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / S_PER_DAY,
			       hours % 24);
}

bool tool_text_flush(struct buf *out)
{
	if (out->status != ST_OK) {
		(void)fprintf(stderr, "cleave: cannot print: %s\n", status_name(out->status));
		return false;
	}
	return fwrite(out->data, 1, out->size, stdout) == out->size && fflush(stdout) == 0;
}
