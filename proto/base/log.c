#include "proto/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_words[] = { "DEBUG", "INFO", "WARN", "ERROR" };
static const char *const level_names[] = { "debug", "info", "warn", "error" };

static _Atomic int level_min = LOG_INFO;
static pthread_mutex_t sites_lock = PTHREAD_MUTEX_INITIALIZER;

/* A line under construction; what does not fit is cut. */
struct line {
	char text[LOG_LINE_SIZE_MAX];
	size_t size;
};

void log_set_level(enum log_level level)
{
	level_min = (int)level;
}

bool log_parse_level(const char *name, enum log_level *level_out)
{
	for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
		if (strcmp(level_names[i], name) == 0) {
			*level_out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* May this site print now?  *left_out_out: lines suppressed since its last printed one. */
static bool admit(struct log_site *site, uint32_t *left_out_out)
{
	struct timespec now;
	bool is_admitted;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)pthread_mutex_lock(&sites_lock);
	if (site->second != (uint64_t)now.tv_sec) {
		site->second = (uint64_t)now.tv_sec;
		site->printed_count = 0;
	}
	is_admitted = site->printed_count < LOG_LINES_PER_SECOND;
	if (is_admitted) {
		*left_out_out = site->left_out_count;
		site->left_out_count = 0;
		site->printed_count++;
	} else {
		site->left_out_count++;
	}
	(void)pthread_mutex_unlock(&sites_lock);
	return is_admitted;
}

__attribute__((format(printf, 2, 0))) static void line_add_args(struct line *line, const char *format,
								va_list args)
{
	size_t room = sizeof(line->text) - line->size;
	int length = vsnprintf(line->text + line->size, room, format, args);

	if (length > 0)
		line->size += (size_t)length < room ? (size_t)length : room - 1;
}

PRINTF_LIKE(2, 3) static void line_add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_add_args(line, format, args);
	va_end(args);
}

static void line_add_time(struct line *line)
{
	struct timespec now;
	struct tm utc;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	line_add(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", utc.tm_year + 1900, utc.tm_mon + 1,
		 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000);
}

/* A value from outside must not start a line of its own. */
static void line_clean(struct line *line)
{
	for (size_t i = 0; i < line->size; i++) {
		unsigned char byte = (unsigned char)line->text[i];

		if (byte < 0x20 || byte == 0x7f)
			line->text[i] = '?';
	}
}

void log_write(struct log_site *site, enum log_level level, const char *part, const char *event,
	       const char *format, ...)
{
	struct line line = { .size = 0 };
	uint32_t left_out_count;
	va_list args;
	ssize_t written;

	if ((int)level < atomic_load_explicit(&level_min, memory_order_relaxed) ||
	    !admit(site, &left_out_count))
		return;
	line_add_time(&line);
	line_add(&line, " %s %s %s ", level_words[level], part, event);
	if (left_out_count > 0)
		line_add(&line, "left_out=%u ", left_out_count);
	va_start(args, format);
	line_add_args(&line, format, args);
	va_end(args);
	line_clean(&line);
	if (line.text[line.size - 1] == ' ')
		line.size--;
	line.text[line.size++] = '\n';
	written = write(STDERR_FILENO, line.text, line.size);
	(void)written; /* there is no better place to say that the log is gone */
}
