#include "deploy/cleave/bench_client.h"

#include <stdlib.h>

#include "proto/net/stream_tcp.h"

enum { QUEUED_BYTES_MAX = 16 * 1024 * 1024 };

static void connect_now(struct bench_client *client);

/* --- the end of a connection --- */

/* The stream's closed() goes on from here. */
static void end(struct bench_client *client, enum status status)
{
	bool was_busy = client->is_busy;

	if (client->stream->is_closing)
		return;
	client->is_open = false;
	client->is_busy = false;
	client->deadline_mono_us = UINT64_MAX;
	stream_close(client->stream);
	client->options.user->ended(client, status, was_busy);
}

static void on_ended(struct stream *stream, enum status status)
{
	end(stream->context, status);
}

static void retry_later(struct bench_client *client)
{
	runtime_timer_start(&client->options.runtime->base, &client->retry, BENCH_CLIENT_RETRY_US);
}

static void on_retry(struct runtime_timer *timer)
{
	connect_now(CONTAINER_OF(timer, struct bench_client, retry));
}

static void release(struct bench_client *client)
{
	free(client->in);
	client->in = NULL;
}

/* A connection that was of use is replaced at once, one that was not after a pause. */
static void on_closed(struct stream *stream)
{
	struct bench_client *client = stream->context;

	client->stream = NULL;
	if (client->is_closing)
		release(client);
	else if (client->has_answered)
		connect_now(client);
	else
		retry_later(client);
}

/* --- a connection --- */

static void on_opened(struct stream *stream)
{
	struct bench_client *client = stream->context;

	client->is_open = true;
	client->deadline_mono_us = UINT64_MAX;
	client->options.user->ready(client);
}

static uint8_t *on_read_buffer(struct stream *stream, size_t *size_out)
{
	struct bench_client *client = stream->context;

	*size_out = client->options.response_size_bytes_max - client->in_size;
	return client->in + client->in_size;
}

static void take_answer(struct bench_client *client, const struct bench_response *response)
{
	client->is_busy = false;
	client->has_answered = true;
	client->deadline_mono_us = UINT64_MAX;
	client->in_size = 0;
	client->options.user->answered(client, response);
	if (response->is_last && client->is_open)
		end(client, ST_CLOSED);
}

static void on_read(struct stream *stream, size_t size_bytes)
{
	struct bench_client *client = stream->context;
	struct bench_response response;
	enum status status;

	client->in_size += size_bytes;
	status = client->is_busy ? ST_OK : ST_CORRUPT; /* nobody asked */
	if (status == ST_OK)
		status = bench_response_read(slice_of(client->in, client->in_size),
					     client->options.response_size_bytes_max, &response);
	if (status == ST_BUSY)
		return;
	if (status == ST_OK && response.size_bytes < client->in_size)
		status = ST_CORRUPT; /* more than was asked for */
	if (status == ST_OK)
		take_answer(client, &response);
	else
		end(client, status);
}

static const struct stream_user stream_user = {
	.opened = on_opened,
	.read_buffer = on_read_buffer,
	.read = on_read,
	.ended = on_ended,
	.closed = on_closed,
};

static void wait_at_most(struct bench_client *client)
{
	client->deadline_mono_us = runtime_mono_us(&client->options.runtime->base) +
				   client->options.timeout_us;
}

static void connect_now(struct bench_client *client)
{
	const struct bench_client_options *options = &client->options;

	client->in_size = 0;
	client->has_answered = false;
	client->stream = stream_tcp_connect(options->runtime, options->place->host, options->place->port,
					    client->attempt++, QUEUED_BYTES_MAX);
	if (client->stream == NULL) {
		retry_later(client);
		return;
	}
	stream_set_user(client->stream, &stream_user, client);
	wait_at_most(client);
}

/* --- the user's side --- */

enum status bench_client_open(struct bench_client *client, const struct bench_client_options *options)
{
	*client = (struct bench_client){ .options = *options, .deadline_mono_us = UINT64_MAX };
	client->in = malloc(options->response_size_bytes_max);
	if (client->in == NULL)
		return ST_NO_MEMORY;
	runtime_timer_init(&client->retry, on_retry);
	connect_now(client);
	return ST_OK;
}

void bench_client_send(struct bench_client *client, struct slice head, struct slice body)
{
	const struct slice parts[] = { head, body };

	CHECK(client->is_open && !client->is_busy);
	client->is_busy = true;
	/* A connection that is broken tells so by itself; what is not, times out. */
	if (stream_write(client->stream, parts, ARRAY_COUNT(parts)) == ST_OK)
		wait_at_most(client);
	else
		client->deadline_mono_us = 0;
}

void bench_client_check_deadline(struct bench_client *client, uint64_t now_mono_us)
{
	if (client->stream == NULL || now_mono_us < client->deadline_mono_us)
		return;
	if (client->deadline_mono_us == 0)
		end(client, ST_IO);
	else
		end(client, client->is_busy ? ST_TIMEOUT : ST_UNREACHABLE);
}

void bench_client_close(struct bench_client *client)
{
	if (client->in == NULL || client->is_closing)
		return;
	client->is_closing = true;
	runtime_timer_stop(&client->options.runtime->base, &client->retry);
	if (client->stream != NULL)
		stream_close(client->stream);
	else
		release(client);
}

bool bench_client_is_closed(const struct bench_client *client)
{
	return client->in == NULL;
}
