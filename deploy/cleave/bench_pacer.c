#include "deploy/cleave/bench_pacer.h"

#include <sys/timerfd.h>
#include <unistd.h>

enum { US_PER_S = 1000000, NS_PER_US = 1000 };

static void on_readable(uv_poll_t *poll, int rc, int events)
{
	struct bench_pacer *pacer = CONTAINER_OF(poll, struct bench_pacer, poll);
	uint64_t expiry_count;

	(void)events;
	/* Nothing to read: it was armed anew between the poll and now. */
	if (rc != 0 || read(pacer->fd, &expiry_count, sizeof(expiry_count)) != sizeof(expiry_count))
		return;
	pacer->armed_mono_us = 0;
	pacer->cb(pacer);
}

enum status bench_pacer_init(struct bench_pacer *pacer, struct runtime_uv *runtime, bench_pacer_cb cb)
{
	int rc;

	*pacer = (struct bench_pacer){ .cb = cb };
	pacer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pacer->fd < 0)
		return ST_IO;
	rc = uv_poll_init(&runtime->loop, &pacer->poll, pacer->fd);
	if (rc == 0)
		rc = uv_poll_start(&pacer->poll, UV_READABLE, on_readable);
	CHECK(rc == 0); /* a timer can be polled */
	return ST_OK;
}

void bench_pacer_arm(struct bench_pacer *pacer, uint64_t mono_us)
{
	struct itimerspec when = { .it_value.tv_sec = (time_t)(mono_us / US_PER_S),
				   .it_value.tv_nsec = (long)(mono_us % US_PER_S) * NS_PER_US };

	CHECK(mono_us > 0);
	if (pacer->armed_mono_us == mono_us)
		return;
	pacer->armed_mono_us = mono_us;
	CHECK(timerfd_settime(pacer->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

void bench_pacer_close(struct bench_pacer *pacer)
{
	uv_close((uv_handle_t *)&pacer->poll, NULL);
	(void)close(pacer->fd); /* a timer has nothing to lose */
}
