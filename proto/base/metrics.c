#include "proto/base/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct metric *metrics;
static struct histogram *histograms;

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* The text form wants all lines of one name together: new ones go behind their namesakes. */
void metrics_register(struct metric *metric)
{
	struct metric **place = &metrics;
	bool has_passed_namesake = false;

	for (; *place != NULL; place = &(*place)->next) {
		bool is_namesake = strcmp((*place)->name, metric->name) == 0;

		if (*place == metric)
			return;
		if (has_passed_namesake && !is_namesake)
			break;
		has_passed_namesake = has_passed_namesake || is_namesake;
	}
	metric->next = *place;
	*place = metric;
}

void metrics_register_histogram(struct histogram *histogram)
{
	struct histogram **place = &histograms;
	bool has_passed_namesake = false;

	for (; *place != NULL; place = &(*place)->next) {
		bool is_namesake = strcmp((*place)->name, histogram->name) == 0;

		if (*place == histogram)
			return;
		if (has_passed_namesake && !is_namesake)
			break;
		has_passed_namesake = has_passed_namesake || is_namesake;
	}
	histogram->next = *place;
	*place = histogram;
}

enum { PARTS = 4, FIRST_BOUND_US = 2 };

/* Buckets hold durations up to 2, 4, 5, 6, 7, 8, 10, 12, 14, 16, ... us; the last one holds the rest. */
static uint64_t bound_us(size_t index)
{
	if (index == 0)
		return FIRST_BOUND_US;
	return (uint64_t)(PARTS + (index - 1) % PARTS) << ((index - 1) / PARTS);
}

static bool is_printed(const struct histogram *histogram, size_t index)
{
	return histogram->is_fine || index == 0 || (index - 1) % PARTS == 0;
}

static size_t bucket_of(uint64_t duration_us)
{
	size_t shift = 0;

	if (duration_us <= PARTS)
		return duration_us <= FIRST_BOUND_US ? 0 : 1;
	while ((duration_us - 1) >> shift >= 2 * PARTS)
		shift++;
	return 2 + PARTS * shift + (size_t)((duration_us - 1) >> shift) - PARTS;
}

void histogram_record(struct histogram *histogram, uint64_t duration_us)
{
	size_t index = bucket_of(duration_us);

	if (index > HISTOGRAM_BUCKETS)
		index = HISTOGRAM_BUCKETS;
	atomic_fetch_add_explicit(&histogram->buckets[index], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_us, duration_us, memory_order_relaxed);
}

static void print_head(struct buf *out, const char *name, const char *help, const char *kind)
{
	buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void print_metric(struct buf *out, const struct metric *metric)
{
	int64_t value = atomic_load_explicit(&metric->value, memory_order_relaxed);

	if (metric->labels == NULL)
		buf_append_format(out, "%s %" PRId64 "\n", metric->name, value);
	else
		buf_append_format(out, "%s{%s} %" PRId64 "\n", metric->name, metric->labels, value);
}

static void print_seconds(struct buf *out, uint64_t duration_us)
{
	buf_append_format(out, "%" PRIu64 ".%06" PRIu64, duration_us / 1000000, duration_us % 1000000);
}

static void print_histogram(struct buf *out, const struct histogram *histogram)
{
	const char *labels = text_or_empty(histogram->labels);
	const char *comma = histogram->labels == NULL ? "" : ",";
	const char *open = histogram->labels == NULL ? "" : "{";
	const char *close = histogram->labels == NULL ? "" : "}";
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
		if (!is_printed(histogram, i))
			continue;
		buf_append_format(out, "%s_bucket{%s%sle=\"", histogram->name, labels, comma);
		print_seconds(out, bound_us(i));
		buf_append_format(out, "\"} %" PRIu64 "\n", count);
	}
	count += atomic_load_explicit(&histogram->buckets[HISTOGRAM_BUCKETS], memory_order_relaxed);
	buf_append_format(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", histogram->name, labels, comma,
			  count);
	buf_append_format(out, "%s_sum%s%s%s ", histogram->name, open, labels, close);
	print_seconds(out, atomic_load_explicit(&histogram->sum_us, memory_order_relaxed));
	buf_append_format(out, "\n%s_count%s%s%s %" PRIu64 "\n", histogram->name, open, labels, close, count);
}

/* The first line of a file under /proc; an empty string if it cannot be read. */
static void read_proc(const char *path, char *text, size_t size_bytes)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(text, (int)size_bytes, file) == NULL)
		text[0] = '\0';
	(void)fclose(file); /* only read */
}

static uint64_t resident_bytes(void)
{
	char text[256];
	unsigned long long pages = 0;

	read_proc("/proc/self/statm", text, sizeof(text));
	(void)sscanf(text, "%*u %llu", &pages); /* stays 0 if the text is not as expected */
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count < 3 ? 0 : count - 3; /* ".", ".." and the one of opendir() */
}

static uint64_t cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Field 22 of /proc/self/stat is the start in clock ticks since boot; field 2, the name in
 * parentheses, may itself hold spaces. */
static uint64_t uptime_us(void)
{
	char text[1024];
	const char *after_name;
	unsigned long long start_ticks = 0;
	uint64_t start_us;
	struct timespec now;

	read_proc("/proc/self/stat", text, sizeof(text));
	after_name = strrchr(text, ')');
	if (after_name == NULL || clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return 0;
	(void)sscanf(after_name + 1,
		     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		     &start_ticks);
	start_us = (uint64_t)start_ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 - start_us;
}

static void print_process(struct buf *out)
{
	print_head(out, "process_resident_memory_bytes", "Resident memory.", "gauge");
	buf_append_format(out, "process_resident_memory_bytes %" PRIu64 "\n", resident_bytes());
	print_head(out, "process_open_fds", "Open file descriptors.", "gauge");
	buf_append_format(out, "process_open_fds %" PRIu64 "\n", open_descriptors());
	print_head(out, "process_cpu_seconds_total", "User and system time.", "counter");
	buf_append_string(out, "process_cpu_seconds_total ");
	print_seconds(out, cpu_us());
	buf_append_string(out, "\n");
	print_head(out, "process_uptime_seconds", "Time since the process started.", "gauge");
	buf_append_string(out, "process_uptime_seconds ");
	print_seconds(out, uptime_us());
	buf_append_string(out, "\n");
}

void metrics_print(struct buf *out)
{
	const char *name = "";

	for (const struct metric *metric = metrics; metric != NULL; metric = metric->next) {
		if (strcmp(name, metric->name) != 0)
			print_head(out, metric->name, metric->help,
				   metric->kind == METRIC_COUNTER ? "counter" : "gauge");
		name = metric->name;
		print_metric(out, metric);
	}
	for (const struct histogram *row = histograms; row != NULL; row = row->next) {
		if (strcmp(name, row->name) != 0)
			print_head(out, row->name, row->help, "histogram");
		name = row->name;
		print_histogram(out, row);
	}
	print_process(out);
}
