#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deploy/cleave/bench_run.h"

enum { CONNECTIONS = 4, REQUEST_SIZE_MAX = 4096, TURN_MS = 10, MS_US = 1000, S_US = 1000 * 1000 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

struct peer {
	uint8_t in[REQUEST_SIZE_MAX + 1];
	size_t in_size;
};

/* A server in a thread of its own: it answers every request, but stalls once. */
struct server {
	pthread_t thread;
	int fds[1 + CONNECTIONS]; /* the first one listens */
	struct peer peers[CONNECTIONS];
	uint16_t port;
	uint32_t stall_at; /* the number of the request, from 1; 0: none */
	int stall_ms;
	bool is_mute; /* takes requests and never answers */
	_Atomic uint32_t request_count;
	_Atomic bool must_stop;
};

static struct bench_result result; /* for its histogram's size */

/* --- the server --- */

static bool is_whole(const struct peer *peer)
{
	const char *text = (const char *)peer->in;
	const char *length = strstr(text, "Content-Length: ");
	const char *body = strstr(text, "\r\n\r\n");

	if (length == NULL || body == NULL)
		return false;
	return (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10) == peer->in_size;
}

static void serve(struct server *server, size_t index)
{
	struct peer *peer = &server->peers[index - 1];
	ssize_t size = read(server->fds[index], peer->in + peer->in_size, REQUEST_SIZE_MAX - peer->in_size);

	if (size <= 0) {
		(void)close(server->fds[index]);
		server->fds[index] = -1;
		return;
	}
	peer->in_size += (size_t)size;
	peer->in[peer->in_size] = '\0';
	if (!is_whole(peer))
		return;
	peer->in_size = 0;
	if (++server->request_count == server->stall_at)
		(void)poll(NULL, 0, server->stall_ms);
	if (!server->is_mute && write(server->fds[index], answer, sizeof(answer) - 1) < 0)
		return; /* it has gone */
}

static void accept_one(struct server *server)
{
	int fd = accept(server->fds[0], NULL, NULL);

	for (size_t i = 1; i <= CONNECTIONS && fd >= 0; i++) {
		if (server->fds[i] >= 0)
			continue;
		server->fds[i] = fd;
		server->peers[i - 1].in_size = 0;
		fd = -1;
	}
	if (fd >= 0)
		(void)close(fd); /* more than were announced */
}

static void *server_main(void *context)
{
	struct server *server = context;
	struct pollfd polls[1 + CONNECTIONS];

	while (!server->must_stop) {
		for (size_t i = 0; i <= CONNECTIONS; i++)
			polls[i] = (struct pollfd){ .fd = server->fds[i], .events = POLLIN };
		if (poll(polls, 1 + CONNECTIONS, TURN_MS) <= 0)
			continue;
		for (size_t i = 1; i <= CONNECTIONS; i++) {
			if (polls[i].revents != 0)
				serve(server, i);
		}
		if (polls[0].revents != 0)
			accept_one(server);
	}
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(place);

	for (size_t i = 1; i <= CONNECTIONS; i++)
		server->fds[i] = -1;
	server->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->fds[0] >= 0);
	assert_int_equal(bind(server->fds[0], (struct sockaddr *)&place, size), 0);
	assert_int_equal(listen(server->fds[0], CONNECTIONS), 0);
	assert_int_equal(getsockname(server->fds[0], (struct sockaddr *)&place, &size), 0);
	server->port = ntohs(place.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static void server_stop(struct server *server)
{
	server->must_stop = true;
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	for (size_t i = 0; i <= CONNECTIONS; i++) {
		if (server->fds[i] >= 0)
			(void)close(server->fds[i]);
	}
}

/* --- a run --- */

static struct bench_settings settings_for(const struct server *server)
{
	struct bench_settings settings = {
		.target = "http://127.0.0.1",
		.table = "bench",
		.mix = BENCH_MIX_PUT,
		.connection_count = CONNECTIONS,
		.duration_ms = 2000,
		.timeout_ms = 60 * 1000,
		.rate_per_s = 1000,
		.key_count = 100,
		.item_size_bytes = 100,
		.access_key = "AKID",
		.secret_key = "secret",
		.region = "us-east-1",
		.seed = 1,
		.is_json = true, /* no progress line in a test's output */
		.place = { .host = "127.0.0.1", .port = server->port },
		.host = "127.0.0.1",
	};

	return settings;
}

static void run(const struct bench_settings *settings)
{
	struct runtime_uv runtime;
	struct bench_signer signer;

	assert_int_equal(runtime_uv_init(&runtime, 1), ST_OK);
	bench_signer_init(&signer, settings->access_key, settings->secret_key, settings->region,
			  runtime_wall_us(&runtime.base) / S_US);
	bench_result_init(&result);
	assert_true(bench_run(&runtime, settings, &signer, &result));
	runtime_uv_close(&runtime);
}

/* 200 operations come due in the first 200 ms of a stall of 300 ms, though only four of them have
 * been sent: each of them waited 100 ms or more, and the percentiles must say so. */
static void a_stall_is_seen_by_all_that_were_due_in_it(void **state)
{
	struct server server = { .stall_at = 200, .stall_ms = 300 };
	struct bench_settings settings;

	(void)state;
	server_start(&server);
	settings = settings_for(&server);
	run(&settings);
	server_stop(&server);
	assert_true(bench_histogram_percentile_us(&result.latency, 925) >= 100 * MS_US);
	assert_true(result.latency.max_us >= 290 * MS_US);
	assert_int_equal(result.errors.count, 0);
}

static void every_operation_that_was_due_is_counted_once(void **state)
{
	struct server server = { .stall_at = 500, .stall_ms = 200 };
	struct bench_settings settings;
	uint64_t due_count;

	(void)state;
	server_start(&server);
	settings = settings_for(&server);
	run(&settings);
	server_stop(&server);
	due_count = result.measured_us * settings.rate_per_s / S_US;
	assert_in_range(result.operation_count + result.unsent_count, due_count - 1, due_count + 1);
	assert_int_equal(result.latency.count, result.operation_count + result.unsent_count);
}

/* Nothing is ever answered: what was sent times out, the rest waits to the end; all of it has a latency. */
static void what_is_never_answered_or_sent_has_a_latency(void **state)
{
	struct server server = { .is_mute = true };
	struct bench_settings settings;

	(void)state;
	server_start(&server);
	settings = settings_for(&server);
	settings.duration_ms = 500;
	settings.rate_per_s = 100;
	settings.timeout_ms = 1000;
	run(&settings);
	server_stop(&server);
	assert_int_equal(result.operation_count, 0);
	/* The first one or two may have been due before the measured time. */
	assert_int_equal(result.errors.count + result.early_errors.count, CONNECTIONS);
	assert_true(result.errors.count > 0);
	assert_string_equal(result.errors.kinds[0].name, "(timeout)");
	assert_true(result.unsent_count > 0);
	assert_int_equal(result.latency.count, result.unsent_count + result.errors.count);
	assert_true(result.latency.max_us >= 1000 * MS_US);
}

static void loading_writes_every_key_once(void **state)
{
	struct server server = { 0 };
	struct bench_settings settings;

	(void)state;
	server_start(&server);
	settings = settings_for(&server);
	settings.is_load = true;
	settings.rate_per_s = 0;
	settings.duration_ms = 100;
	run(&settings);
	server_stop(&server);
	assert_int_equal(result.load_count, settings.key_count);
	assert_true(result.operation_count > 0);
	assert_true(server.request_count >= settings.key_count + result.operation_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stall_is_seen_by_all_that_were_due_in_it),
		cmocka_unit_test(every_operation_that_was_due_is_counted_once),
		cmocka_unit_test(what_is_never_answered_or_sent_has_a_latency),
		cmocka_unit_test(loading_writes_every_key_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
