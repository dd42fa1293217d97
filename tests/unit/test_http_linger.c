#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/metrics.h"
#include "tests/unit/http_client.h"

enum { MEGABYTE = 1024 * 1024, UPLOAD_SIZE = 17 * MEGABYTE, CHUNK_SIZE = 64 * 1024 };

static uint8_t upload[UPLOAD_SIZE];
static const char upload_head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17825792\r\n\r\n";

static void a_client_that_uploads_17_megabytes_reads_its_413(void **state)
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

static uint64_t forced_count(void)
{
	static const char name[] = "\ncleave_http_connections_forced_total ";
	struct buf text;
	const char *at;
	uint64_t count;

	buf_init(&text, MEGABYTE);
	metrics_print(&text);
	buf_put_u8(&text, 0);
	at = strstr((const char *)text.data, name);
	assert_non_null(at);
	count = strtoul(at + strlen(name), NULL, 10);
	buf_close(&text);
	return count;
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
	assert_int_equal(forced_count(), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_uploads_17_megabytes_reads_its_413),
		cmocka_unit_test(a_client_that_uploads_chunk_by_chunk_reads_its_413),
		cmocka_unit_test(an_upload_over_tls_reads_its_413),
		cmocka_unit_test(an_endless_upload_is_cut_off),
		cmocka_unit_test(a_stop_does_not_wait_for_a_client_that_lingers),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
