#include "proto/base/core_wait.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_SIZE = 96, NS_PER_US = 1000 };

static uint64_t read_us(const struct core_wait *wait)
{
	char text[TEXT_SIZE];
	uint64_t waited_ns;
	ssize_t size = pread(wait->fd, text, sizeof(text) - 1, 0);

	if (size <= 0)
		return wait->seen_us;
	text[size] = '\0';
	return sscanf(text, "%*u %" SCNu64, &waited_ns) == 1 ? waited_ns / NS_PER_US : wait->seen_us;
}

void core_wait_open(struct core_wait *wait)
{
	wait->fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	wait->seen_us = 0;
	if (wait->fd >= 0)
		wait->seen_us = read_us(wait);
}

uint64_t core_wait_take_us(struct core_wait *wait)
{
	uint64_t before_us = wait->seen_us;

	if (wait->fd < 0)
		return 0;
	wait->seen_us = read_us(wait);
	return wait->seen_us - before_us;
}

void core_wait_close(struct core_wait *wait)
{
	if (wait->fd >= 0)
		(void)close(wait->fd); /* it was only read */
	wait->fd = -1;
}
