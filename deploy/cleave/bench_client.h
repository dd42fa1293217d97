/* One keep-alive connection of a load: one request at a time, connected again whenever it ends.
 *
 * Threads  loop thread.  No callback comes from inside a function called by the user.
 * Memory   the caller owns struct bench_client and keeps it in place from open until
 *          bench_client_is_closed().  What is sent is borrowed during the call only; a response is
 *          valid during answered().
 * Errors   ended() gets ST_UNREACHABLE (could not connect), ST_CLOSED (by the server),
 *          ST_TIMEOUT, ST_CORRUPT (not an answer), ST_TOO_BIG (too long an answer), or ST_IO.
 * Units    microseconds of the machine clock.
 */
#ifndef DEPLOY_CLEAVE_BENCH_CLIENT_H
#define DEPLOY_CLEAVE_BENCH_CLIENT_H

#include "deploy/cleave/bench_response.h"
#include "proto/base/runtime_uv.h"
#include "proto/net/endpoint.h"
#include "proto/net/stream.h"

enum { BENCH_CLIENT_RETRY_US = 100 * 1000 };

struct bench_client;

struct bench_client_user {
	/* Connected: a request may be sent. */
	void (*ready)(struct bench_client *client);
	/* The request was answered.  Unless response->is_last, the next one may be sent. */
	void (*answered)(struct bench_client *client, const struct bench_response *response);
	/* The connection, or the attempt to make one, is over; was_busy: with a request in flight. */
	void (*ended)(struct bench_client *client, enum status status, bool was_busy);
};

struct bench_client_options {
	struct runtime_uv *runtime;
	const struct endpoint *place; /* stays valid */
	const struct bench_client_user *user;
	size_t response_size_bytes_max;
	uint64_t timeout_us; /* of a request, and of an attempt to connect */
};

struct bench_client {
	struct bench_client_options options;
	struct stream *stream;      /* NULL between two connections */
	struct runtime_timer retry; /* until the next attempt */
	uint64_t deadline_mono_us;  /* UINT64_MAX: nothing is waited for */
	uint32_t attempt;
	bool is_open;
	bool is_busy;
	bool has_answered; /* since it connected */
	bool is_closing;
	uint8_t *in;
	size_t in_size;
};

/* Starts to connect.  ST_OK or ST_NO_MEMORY. */
enum status bench_client_open(struct bench_client *client,
			      const struct bench_client_options *options) MUST_CHECK;
/* The client is connected and not busy.  A failure is told by ended(). */
void bench_client_send(struct bench_client *client, struct slice head, struct slice body);
/* Give up what has waited too long.  To be called every now and then. */
void bench_client_check_deadline(struct bench_client *client, uint64_t now_mono_us);
/* No callback comes from here on.  Turn the loop until it is closed. */
void bench_client_close(struct bench_client *client);
/* Nothing is left on the loop, the memory is free. */
bool bench_client_is_closed(const struct bench_client *client);

#endif
