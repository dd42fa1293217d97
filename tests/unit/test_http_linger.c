#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/metrics.h"
#include "tests/unit/http_client.h"

enum { MEGABYTE = 1024 * 1024, UPLOAD_SIZE = 20 * MEGABYTE, CHUNK_SIZE = 64 * 1024 };

static uint8_t upload[UPLOAD_SIZE];
static const char upload_head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n";

static void a_client_that_uploads_before_it_reads_gets_its_whole_413(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, upload_head);
	client_send(fd, upload, sizeof(upload)); /* fails if the server resets */
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 413);
	assert_memory_equal(answer.body.data, "request entity is too large", answer.body.size);
	assert_int_equal(answer.body.size, 27);
	answer_close(&answer);
	assert_closed(fd);
	fixture_close(&f);
}

static void a_client_that_uploads_chunk_by_chunk_reads_its_413(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t sent = 0; sent < UPLOAD_SIZE; sent += CHUNK_SIZE) {
		client_send_text(fd, "10000\r\n");
		client_send(fd, upload + sent, CHUNK_SIZE);
		client_send_text(fd, "\r\n");
	}
	client_send_text(fd, "0\r\n\r\n");
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 413);
	answer_close(&answer);
	assert_closed(fd);
	fixture_close(&f);
}

static void an_upload_over_tls_reads_its_413(void **state)
{
	struct tls_client client;
	char answer[4096] = { 0 };
	struct fixture f;
	int count;

	(void)state;
	fixture_open_tls(&f);
	assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, NULL), 1);
	assert_true(SSL_write(client.tls, upload_head, sizeof(upload_head) - 1) > 0);
	for (size_t sent = 0; sent < UPLOAD_SIZE; sent += (size_t)count) {
		count = SSL_write(client.tls, upload + sent, CHUNK_SIZE);
		assert_true(count > 0);
	}
	assert_true(SSL_read(client.tls, answer, sizeof(answer) - 1) > 0);
	assert_memory_equal(answer, "HTTP/1.1 413 ", 13);
	tls_close(&client);
	fixture_close(&f);
}

/* Whoever never ends gets no more patience than its answer took. */
static void an_endless_upload_is_cut_off(void **state)
{
	struct fixture f;
	size_t sent = 0;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n");
	for (;;) {
		ssize_t count = send(fd, upload, MEGABYTE, MSG_NOSIGNAL);

		if (count <= 0)
			break;
		sent += (size_t)count;
		assert_true(sent < 2 * (size_t)HTTP_LINGER_SIZE_MAX);
	}
	assert_true(sent > HTTP_LINGER_SIZE_MAX);
	(void)close(fd);
	fixture_close(&f);
}

/* What follows a request that was refused may be part of its body: it is no request. */
static void what_follows_a_refused_head_is_not_read_as_a_request(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nHost: other\r\nContent-Length: 3\r\n\r\nabc"
			     "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	client_send(fd, upload, sizeof(upload));
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 400);
	answer_close(&answer);
	assert_closed(fd);
	fixture_close(&f);
}

static uint64_t metric_value(const char *name)
{
	char pattern[64];
	struct buf text;
	const char *at;
	uint64_t value;

	(void)snprintf(pattern, sizeof(pattern), "\n%s ", name);
	buf_init(&text, MEGABYTE);
	metrics_print(&text);
	buf_put_u8(&text, 0);
	at = strstr((const char *)text.data, pattern);
	assert_non_null(at);
	value = strtoul(at + strlen(pattern), NULL, 10);
	buf_close(&text);
	return value;
}

/* A client that is told to go and stays without a word gives its place back. */
static void a_silent_client_does_not_linger_for_ever(void **state)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	uint64_t pauses_left = 50 * CLIENT_TIMEOUT_S;
	struct answer answer;
	struct fixture f;
	char byte;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, upload_head);
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 413);
	answer_close(&answer);
	assert_int_equal(client_receive(fd, &byte, 1), 0);
	assert_int_equal(metric_value("cleave_http_connections"), 1); /* it lingers */
	while (metric_value("cleave_http_connections") != 0) {
		assert_true(pauses_left-- > 0);
		(void)nanosleep(&pause, NULL);
	}
	(void)close(fd);
	fixture_close(&f);
}

static void a_stop_does_not_wait_for_a_client_that_lingers(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_init(&f);
	f.stop_grace_ms = 10;
	fixture_start(&f);
	fd = client_connect(&f);
	client_send_text(fd, upload_head);
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 413);
	answer_close(&answer);
	fixture_close(&f); /* before the client leaves */
	assert_int_equal(metric_value("cleave_http_connections_forced_total"), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_uploads_before_it_reads_gets_its_whole_413),
		cmocka_unit_test(a_client_that_uploads_chunk_by_chunk_reads_its_413),
		cmocka_unit_test(an_upload_over_tls_reads_its_413),
		cmocka_unit_test(an_endless_upload_is_cut_off),
		cmocka_unit_test(what_follows_a_refused_head_is_not_read_as_a_request),
		cmocka_unit_test(a_silent_client_does_not_linger_for_ever),
		cmocka_unit_test(a_stop_does_not_wait_for_a_client_that_lingers),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
