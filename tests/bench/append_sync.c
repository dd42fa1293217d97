/* Append and fdatasync in a loop: what one durable write costs on this disk, whoever does it.
 *
 *     append_sync FILE MILLISECONDS BYTES
 *
 * Prints JSON: syncs per second, median and 99th percentile in microseconds.  Ends early after a
 * million appends.  FILE is overwritten, and deleted in the end.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1000 * 1000, SIZE_MAX_BYTES = 1024 * 1024, NS_PER_US = 1000, US_PER_S = 1000 * 1000 };

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* The number of samples, or 0 if a write or sync failed. */
static size_t append_for(int fd, const char *block, size_t size, uint64_t run_us, uint32_t *samples_us)
{
	uint64_t start_us = now_us();
	size_t count = 0;

	for (uint64_t at_us = start_us; at_us < start_us + run_us && count < SAMPLES_MAX;) {
		uint64_t end_us;

		if (write(fd, block, size) != (ssize_t)size || fdatasync(fd) != 0)
			return 0;
		end_us = now_us();
		samples_us[count++] = (uint32_t)(end_us - at_us);
		at_us = end_us;
	}
	return count;
}

static int run(const char *path, uint64_t run_us, size_t size)
{
	static uint32_t samples_us[SAMPLES_MAX];
	static char block[SIZE_MAX_BYTES];
	uint64_t start_us;
	uint64_t took_us;
	size_t count;
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return 1;
	memset(block, 'a', size);
	start_us = now_us();
	count = append_for(fd, block, size, run_us, samples_us);
	took_us = now_us() - start_us;
	(void)close(fd); /* all is synced or of no use */
	(void)unlink(path);
	if (count == 0)
		return 1;
	qsort(samples_us, count, sizeof(*samples_us), compare);
	(void)printf("{\"syncs_per_s\": %.1f, \"p50_us\": %" PRIu32 ", \"p99_us\": %" PRIu32 "}\n",
		     (double)count * US_PER_S / (double)took_us, samples_us[count / 2],
		     samples_us[count * 99 / 100]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long run_ms = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (run_ms == 0 || size == 0 || size > SIZE_MAX_BYTES) {
		(void)fputs("usage: append_sync FILE MILLISECONDS BYTES\n", stderr);
		return 2;
	}
	if (run(argv[1], run_ms * 1000, size) == 0)
		return 0;
	perror("append_sync");
	return 1;
}
