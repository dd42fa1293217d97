#include "deploy/cleave/bench_cpu.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	STAT_SIZE_MAX = 4096,
	PATH_SIZE = 64,
	FIELDS_TO_USER = 12, /* blanks from the end of the name to utime; stime follows */
	US_PER_S = 1000000,
};

/* Digits at the start of *rest; false if there are none or too many. */
static bool take_number(struct slice *rest, uint64_t *value_out)
{
	uint64_t value = 0;
	size_t size = 0;

	for (; size < rest->size && rest->data[size] >= '0' && rest->data[size] <= '9'; size++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(rest->data[size] - '0'), &value))
			return false;
	}
	if (size == 0)
		return false;
	*rest = slice_of(rest->data + size, rest->size - size);
	*value_out = value;
	return true;
}

static bool take_char(struct slice *rest, char wanted)
{
	if (rest->size == 0 || rest->data[0] != (uint8_t)wanted)
		return false;
	*rest = slice_of(rest->data + 1, rest->size - 1);
	return true;
}

enum status bench_cpu_parse_pids(struct slice text, struct bench_cpu_pids *pids_out)
{
	struct bench_cpu_pids pids = { .count = 0 };
	uint64_t pid;

	do {
		if (!take_number(&text, &pid) || pid == 0 || pid > INT32_MAX ||
		    pids.count == BENCH_CPU_PIDS_MAX)
			return ST_INVALID;
		pids.pids[pids.count++] = (uint32_t)pid;
	} while (take_char(&text, ','));
	if (text.size > 0)
		return ST_INVALID;
	*pids_out = pids;
	return ST_OK;
}

/* The name, in brackets, may hold anything, even brackets: what follows the last one counts. */
enum status bench_cpu_parse_stat(struct slice text, uint64_t *ticks_out)
{
	const uint8_t *at = text.size == 0 ? NULL : memrchr(text.data, ')', text.size);
	uint64_t user_ticks;
	uint64_t system_ticks;

	for (int i = 0; i < FIELDS_TO_USER && at != NULL; i++) {
		at = memchr(at, ' ', (size_t)(text.data + text.size - at));
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL)
		return ST_INVALID;
	text = slice_of(at, (size_t)(text.data + text.size - at));
	if (!take_number(&text, &user_ticks) || !take_char(&text, ' ') || !take_number(&text, &system_ticks))
		return ST_INVALID;
	*ticks_out = user_ticks + system_ticks;
	return ST_OK;
}

static enum status read_server(uint32_t pid, uint64_t *us_out)
{
	char path[PATH_SIZE];
	uint8_t text[STAT_SIZE_MAX];
	uint64_t ticks;
	ssize_t size;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ST_NOT_FOUND;
	size = read(fd, text, sizeof(text));
	(void)close(fd); /* only read from */
	if (size <= 0 || bench_cpu_parse_stat(slice_of(text, (size_t)size), &ticks) != ST_OK)
		return ST_NOT_FOUND;
	*us_out = ticks * US_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	return ST_OK;
}

static uint64_t timeval_us(struct timeval time)
{
	return (uint64_t)time.tv_sec * US_PER_S + (uint64_t)time.tv_usec;
}

enum status bench_cpu_read(const struct bench_cpu_pids *pids, struct bench_cpu_times *times_out)
{
	struct rusage usage;

	for (uint32_t i = 0; i < pids->count; i++) {
		enum status status = read_server(pids->pids[i], &times_out->server_us[i]);

		if (status != ST_OK)
			return status;
	}
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	times_out->own_us = timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
	return ST_OK;
}
