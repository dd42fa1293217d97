/* A real server on a loop thread of its own, and a raw socket client on the test's.
 *
 * POST /echo answers with the body; POST /hold keeps the request until fixture_release();
 * POST /id answers with the header named by the query.
 */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coordinator/http/http_response.h"
#include "coordinator/http/http_server.h"

/* libh2o keeps free lists per thread and never gives them back. */
#ifndef FIXTURE_LEAKS
#define FIXTURE_LEAKS "leak:h2o_mem_alloc_recycle\n"
#endif

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return FIXTURE_LEAKS;
}

enum { HELD_MAX = 16, CLIENT_TIMEOUT_S = 20 };

enum fixture_command { COMMAND_NONE, COMMAND_RELEASE, COMMAND_STOP };

struct fixture {
	struct http_server_options options;
	uint32_t stop_grace_ms;
	uv_loop_t loop;
	uv_async_t wake;
	struct http_server *server;
	pthread_t thread;
	uint16_t port;
	/* Shared between the threads, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum fixture_command command;
	struct http_request *held[HELD_MAX];
	size_t held_count;
	size_t aborted_count;
	int loop_close_result;
};

static struct slice text_slice(const char *text)
{
	return slice_of_string(text);
}

static void fixture_note_abort(struct http_request *request)
{
	struct fixture *f = request->user;

	(void)pthread_mutex_lock(&f->lock);
	f->aborted_count++;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

static void fixture_hold(struct fixture *f, struct http_request *request)
{
	request->user = f;
	request->on_abort = fixture_note_abort;
	(void)pthread_mutex_lock(&f->lock);
	CHECK(f->held_count < HELD_MAX);
	f->held[f->held_count++] = request;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

static void fixture_on_post(void *context, struct http_request *request)
{
	const struct http_header extra = { text_slice("x-extra"), text_slice("yes") };
	const struct http_header *header;

	if (slice_equal(request->path, text_slice("/hold"))) {
		fixture_hold(context, request);
	} else if (slice_equal(request->path, text_slice("/header"))) {
		char name[64] = { 0 };

		memcpy(name, request->query.data, request->query.size < 63 ? request->query.size : 63);
		header = http_request_header(request, name);
		http_response_send(request, 200, "text/plain",
				   header != NULL ? header->value : text_slice("(none)"), NULL, 0);
	} else if (slice_equal(request->path, text_slice("/raw"))) {
		http_response_send(request, 200, "text/plain", request->body_raw, NULL, 0);
	} else {
		http_response_send(request, 200, "application/x-amz-json-1.0", request->body, &extra, 1);
	}
}

static inline void fixture_on_get(void *context, struct http_request *request)
{
	(void)context;
	http_response_send(request, 200, "text/plain", request->path, NULL, 0);
}

static void fixture_on_stopped(void *context)
{
	struct fixture *f = context;

	uv_close((uv_handle_t *)&f->wake, NULL);
	uv_stop(&f->loop);
}

static void fixture_answer_held(struct fixture *f)
{
	struct http_request *held[HELD_MAX];
	size_t count;

	(void)pthread_mutex_lock(&f->lock);
	count = f->held_count;
	memcpy(held, f->held, sizeof(held));
	f->held_count = 0;
	(void)pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < count; i++)
		http_response_send(held[i], 200, "text/plain", held[i]->body, NULL, 0);
}

static void fixture_on_wake(uv_async_t *wake)
{
	struct fixture *f = CONTAINER_OF(wake, struct fixture, wake);
	enum fixture_command command;

	(void)pthread_mutex_lock(&f->lock);
	command = f->command;
	f->command = COMMAND_NONE;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
	if (command == COMMAND_RELEASE)
		fixture_answer_held(f);
	if (command == COMMAND_STOP)
		http_server_stop(f->server, f->stop_grace_ms, fixture_on_stopped, f);
}

static void *fixture_run(void *data)
{
	struct fixture *f = data;

	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	http_server_destroy(f->server);
	fixture_answer_held(f); /* aborted ones: must not touch the server */
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	f->loop_close_result = uv_loop_close(&f->loop);
	return NULL;
}

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .stop_grace_ms = 10000 };
	f->options = (struct http_server_options){
		.host = "127.0.0.1", .region = "eu-test-1", .post_cb = fixture_on_post, .context = f
	};
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->changed, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void fixture_start(struct fixture *f)
{
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_async_init(&f->loop, &f->wake, fixture_on_wake), 0);
	assert_int_equal(http_server_create(&f->loop, &f->options, &f->server), ST_OK);
	f->port = http_server_port(f->server);
	assert_int_equal(pthread_create(&f->thread, NULL, fixture_run, f), 0);
}

static inline void fixture_open(struct fixture *f)
{
	fixture_init(f);
	fixture_start(f);
}

static void fixture_command(struct fixture *f, enum fixture_command command)
{
	(void)pthread_mutex_lock(&f->lock);
	f->command = command;
	(void)uv_async_send(&f->wake);
	while (f->command != COMMAND_NONE)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

static inline void fixture_release(struct fixture *f)
{
	fixture_command(f, COMMAND_RELEASE);
}

static inline void fixture_wait_held(struct fixture *f, size_t count)
{
	(void)pthread_mutex_lock(&f->lock);
	while (f->held_count < count)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

static inline void fixture_wait_aborted(struct fixture *f, size_t count)
{
	(void)pthread_mutex_lock(&f->lock);
	while (f->aborted_count < count)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

static void fixture_join(struct fixture *f)
{
	(void)pthread_join(f->thread, NULL);
	assert_int_equal(f->loop_close_result, 0); /* no handle left behind */
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
}

static void fixture_close(struct fixture *f)
{
	fixture_command(f, COMMAND_STOP);
	fixture_join(f);
}

static int client_connect(const struct fixture *f)
{
	const struct timeval timeout = { .tv_sec = CLIENT_TIMEOUT_S };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(f->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void client_send(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);

		assert_true(count > 0);
		bytes += count;
		size -= (size_t)count;
	}
}

static void client_send_text(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

/* 0 at the end of the stream, also if it was reset. */
static size_t client_receive(int fd, void *out, size_t size)
{
	ssize_t count;

	do {
		count = recv(fd, out, size, 0);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		assert_int_equal(errno, ECONNRESET);
	return count > 0 ? (size_t)count : 0;
}

static inline void assert_closed(int fd)
{
	char byte;

	assert_int_equal(client_receive(fd, &byte, 1), 0);
	(void)close(fd);
}

struct answer {
	int status_code; /* 0: none came */
	char head[4096];
	struct buf body;
};

/* The value of a header in an answer, up to its line end; NULL if absent. */
static inline const char *answer_header(const struct answer *answer, const char *name)
{
	static char value[256];
	char pattern[64];
	const char *at;

	(void)snprintf(pattern, sizeof(pattern), "\r\n%s: ", name);
	at = strcasestr(answer->head, pattern);
	if (at == NULL)
		return NULL;
	at += strlen(pattern);
	(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static inline void answer_close(struct answer *answer)
{
	buf_close(&answer->body);
}

/* One answer, byte by byte up to the end of its head, so that pipelined ones stay apart. */
static void client_read_answer(int fd, struct answer *answer)
{
	size_t size = 0;
	const char *length;
	size_t body_size;

	*answer = (struct answer){ .status_code = 0 };
	buf_init(&answer->body, 64 * 1024 * 1024);
	while (strstr(answer->head, "\r\n\r\n") == NULL) {
		assert_true(size + 1 < sizeof(answer->head));
		if (client_receive(fd, answer->head + size, 1) == 0)
			return;
		size++;
	}
	assert_memory_equal(answer->head, "HTTP/1.1 ", 9);
	answer->status_code = (int)strtol(answer->head + 9, NULL, 10);
	length = answer_header(answer, "content-length");
	assert_non_null(length);
	body_size = strtoul(length, NULL, 10);
	if (body_size > 0)
		assert_non_null(buf_extend(&answer->body, body_size));
	for (size_t got = 0; got < body_size;) {
		size_t count = client_receive(fd, answer->body.data + got, body_size - got);

		assert_true(count > 0);
		got += count;
	}
}

/* Send a text on a fresh connection, read one answer, leave. */
static inline void client_exchange(const struct fixture *f, const char *text, struct answer *answer)
{
	int fd = client_connect(f);

	client_send_text(fd, text);
	client_read_answer(fd, answer);
	(void)close(fd);
}

#endif
