#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

/* The tool is no library: its files are part of the test. */
#include "deploy/cleave/bench_client.c"
#include "deploy/cleave/bench_response.c"
#include "proto/net/listener.h"
#include "tests/support/raw_stream.h"

enum { TIMEOUT_US = 60 * 1000 * 1000, CONNECTIONS_MAX = 4, ANSWER_SIZE_MAX = 512 };

static const char ok_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
static const char last_answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";

/* A client and a server that the test plays itself. */
struct fixture {
	struct runtime_uv runtime;
	struct listener listener;
	struct endpoint place;
	struct raw_stream servers[CONNECTIONS_MAX];
	uint32_t accepted_count;
	bool is_listener_stopped;
	struct bench_client client;
	uint32_t ready_count;
	uint32_t answered_count;
	uint32_t ended_count;
	uint32_t http_status;
	enum status ended_status;
	bool was_busy;
};

#define WAIT(f, condition)                                                                                   \
	do {                                                                                                 \
		while (!(condition))                                                                         \
			runtime_uv_turn(&(f)->runtime);                                                      \
	} while (0)

static struct fixture *fixture_of(struct bench_client *client)
{
	return CONTAINER_OF(client, struct fixture, client);
}

static void on_client_ready(struct bench_client *client)
{
	fixture_of(client)->ready_count++;
}

static void on_client_answered(struct bench_client *client, const struct bench_response *response)
{
	fixture_of(client)->answered_count++;
	fixture_of(client)->http_status = response->http_status;
}

static void on_client_ended(struct bench_client *client, enum status status, bool was_busy)
{
	fixture_of(client)->ended_count++;
	fixture_of(client)->ended_status = status;
	fixture_of(client)->was_busy = was_busy;
}

static void on_accepted(struct listener *listener, struct stream *stream)
{
	struct fixture *f = CONTAINER_OF(listener, struct fixture, listener);

	assert_true(f->accepted_count < CONNECTIONS_MAX);
	raw_stream_attach(&f->servers[f->accepted_count++], stream);
}

static void on_listener_stopped(struct listener *listener)
{
	CONTAINER_OF(listener, struct fixture, listener)->is_listener_stopped = true;
}

static void start_listener(struct fixture *f, uint16_t port)
{
	const struct listener_options options = { .runtime = &f->runtime,
						  .host = "127.0.0.1",
						  .port = port,
						  .connection_count_max = CONNECTIONS_MAX,
						  .queued_bytes_max = 1024 * 1024,
						  .accepted = on_accepted };

	assert_int_equal(listener_start(&f->listener, &options), ST_OK);
	f->is_listener_stopped = false;
}

static void stop_listener(struct fixture *f)
{
	listener_stop(&f->listener, on_listener_stopped);
	WAIT(f, f->is_listener_stopped);
}

static void open_client(struct fixture *f)
{
	static const struct bench_client_user user = { on_client_ready, on_client_answered, on_client_ended };
	const struct bench_client_options options = { .runtime = &f->runtime,
						      .place = &f->place,
						      .user = &user,
						      .response_size_bytes_max = ANSWER_SIZE_MAX,
						      .timeout_us = TIMEOUT_US };

	assert_int_equal(bench_client_open(&f->client, &options), ST_OK);
}

static void fixture_open(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(runtime_uv_init(&f->runtime, 1), ST_OK);
	start_listener(f, 0);
	f->place = (struct endpoint){ .host = "127.0.0.1", .port = listener_port(&f->listener) };
	open_client(f);
	assert_int_equal(f->ready_count, 0); /* never from inside open */
	WAIT(f, f->ready_count == 1 && f->accepted_count == 1);
}

static void fixture_close(struct fixture *f)
{
	uint32_t heard_count = f->ready_count + f->answered_count + f->ended_count;

	bench_client_close(&f->client);
	WAIT(f, bench_client_is_closed(&f->client));
	assert_int_equal(heard_count, f->ready_count + f->answered_count + f->ended_count);
	for (uint32_t i = 0; i < f->accepted_count; i++) {
		if (!f->servers[i].is_closed)
			stream_close(f->servers[i].stream);
		WAIT(f, f->servers[i].is_closed);
		raw_stream_close(&f->servers[i]);
	}
	if (!f->is_listener_stopped)
		stop_listener(f);
	runtime_uv_close(&f->runtime);
}

/* Send a request; the server has all of it. */
static void ask(struct fixture *f)
{
	struct raw_stream *server = &f->servers[f->accepted_count - 1];
	size_t before = server->received.size;

	bench_client_send(&f->client, slice_of_string("head-"), slice_of_string("body"));
	WAIT(f, server->received.size == before + strlen("head-body"));
	assert_memory_equal(server->received.data + before, "head-body", strlen("head-body"));
}

static void answer(struct fixture *f, const char *text)
{
	assert_int_equal(raw_stream_write(&f->servers[f->accepted_count - 1], text, strlen(text)), ST_OK);
}

static void requests_are_answered_over_one_connection(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (uint32_t i = 1; i <= 3; i++) {
		ask(&f);
		answer(&f, ok_answer);
		WAIT(&f, f.answered_count == i);
		assert_int_equal(f.http_status, 200);
	}
	assert_int_equal(f.accepted_count, 1);
	assert_int_equal(f.ended_count, 0);
	fixture_close(&f);
}

static void an_answer_may_come_in_pieces(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	ask(&f);
	for (size_t i = 0; i < strlen(ok_answer); i++) {
		size_t before = f.client.in_size;

		assert_int_equal(f.answered_count, 0);
		assert_int_equal(raw_stream_write(&f.servers[0], ok_answer + i, 1), ST_OK);
		WAIT(&f, f.client.in_size == before + 1 || f.answered_count == 1);
	}
	assert_int_equal(f.answered_count, 1);
	fixture_close(&f);
}

static void a_connection_that_the_server_ends_is_made_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	ask(&f);
	answer(&f, last_answer);
	WAIT(&f, f.ready_count == 2 && f.accepted_count == 2);
	assert_int_equal(f.answered_count, 1);
	assert_int_equal(f.ended_count, 1);
	assert_false(f.was_busy);
	ask(&f);
	answer(&f, ok_answer);
	WAIT(&f, f.answered_count == 2);
	fixture_close(&f);
}

static void a_request_that_is_cut_off_is_told_as_lost(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	ask(&f);
	stream_close(f.servers[0].stream);
	WAIT(&f, f.ended_count == 1);
	assert_int_equal(f.ended_status, ST_CLOSED);
	assert_true(f.was_busy);
	WAIT(&f, f.ready_count == 2 && f.accepted_count == 2);
	fixture_close(&f);
}

static void an_answer_that_is_none_or_too_much_ends_the_connection(void **state)
{
	static const struct {
		const char *text;
		enum status status;
	} cases[] = {
		{ "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", ST_CORRUPT },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", ST_CORRUPT },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 512\r\n\r\n", ST_TOO_BIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		fixture_open(&f);
		ask(&f);
		answer(&f, cases[i].text);
		WAIT(&f, f.ended_count == 1);
		assert_int_equal(f.ended_status, cases[i].status);
		assert_int_equal(f.answered_count, 0);
		fixture_close(&f);
	}
}

static void an_answer_that_nobody_asked_for_ends_the_connection(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	answer(&f, ok_answer);
	WAIT(&f, f.ended_count == 1);
	assert_int_equal(f.ended_status, ST_CORRUPT);
	assert_int_equal(f.answered_count, 0);
	fixture_close(&f);
}

static void a_request_is_given_up_at_its_deadline_and_not_before(void **state)
{
	struct fixture f;
	uint64_t deadline_us;

	(void)state;
	fixture_open(&f);
	bench_client_check_deadline(&f.client, UINT64_MAX - 1); /* idle: it waits for nothing */
	assert_int_equal(f.ended_count, 0);
	ask(&f);
	deadline_us = f.client.deadline_mono_us;
	bench_client_check_deadline(&f.client, deadline_us - 1);
	assert_int_equal(f.ended_count, 0);
	bench_client_check_deadline(&f.client, deadline_us);
	assert_int_equal(f.ended_count, 1);
	assert_int_equal(f.ended_status, ST_TIMEOUT);
	assert_true(f.was_busy);
	fixture_close(&f);
}

static void a_server_that_comes_back_is_found(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	stop_listener(&f);
	stream_close(f.servers[0].stream);
	WAIT(&f, f.ended_count == 2);
	assert_int_equal(f.ended_status, ST_UNREACHABLE);
	assert_false(f.was_busy);
	start_listener(&f, f.place.port);
	WAIT(&f, f.ready_count == 2 && f.accepted_count == 2);
	fixture_close(&f);
}

static void it_closes_between_two_connections_too(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	stop_listener(&f);
	stream_close(f.servers[0].stream);
	WAIT(&f, f.ended_count >= 2 && f.client.stream == NULL);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_over_one_connection),
		cmocka_unit_test(an_answer_may_come_in_pieces),
		cmocka_unit_test(a_connection_that_the_server_ends_is_made_again),
		cmocka_unit_test(a_request_that_is_cut_off_is_told_as_lost),
		cmocka_unit_test(an_answer_that_is_none_or_too_much_ends_the_connection),
		cmocka_unit_test(an_answer_that_nobody_asked_for_ends_the_connection),
		cmocka_unit_test(a_request_is_given_up_at_its_deadline_and_not_before),
		cmocka_unit_test(a_server_that_comes_back_is_found),
		cmocka_unit_test(it_closes_between_two_connections_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
