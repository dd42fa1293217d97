/* Append and fdatasync in a loop: what one durable write costs on this disk, whoever does it.
 *
 *     append_sync FILE MILLISECONDS BYTES
 *
 * Prints JSON (sync_samples.h).  Ends early after a million appends.  FILE is overwritten, and deleted in the
 * end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/sync_samples.h"

enum { SIZE_MAX_BYTES = 1024 * 1024 };

static struct sync_samples samples;

/* 0, or -1 if a write or sync failed. */
static int append_for(int fd, const char *block, size_t size, uint64_t run_us)
{
	samples.start_us = sync_samples_now_us();
	for (uint64_t at_us = samples.start_us;
	     at_us < samples.start_us + run_us && samples.count < SYNC_SAMPLES_MAX;) {
		uint64_t end_us;

		if (write(fd, block, size) != (ssize_t)size || fdatasync(fd) != 0)
			return -1;
		end_us = sync_samples_now_us();
		samples.took_us[samples.count++] = (uint32_t)(end_us - at_us);
		at_us = end_us;
	}
	return 0;
}

static int run(const char *path, uint64_t run_us, size_t size)
{
	static char block[SIZE_MAX_BYTES];
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -1;
	memset(block, 'a', size);
	rc = append_for(fd, block, size, run_us);
	if (rc == 0)
		sync_samples_print(&samples);
	(void)close(fd); /* all is synced or of no use */
	(void)unlink(path);
	return rc;
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
