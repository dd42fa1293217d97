#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/digest.h"
#include "tests/unit/http_fixture.h"

static void assert_body(const struct answer *answer, const char *expected)
{
	assert_int_equal(answer->body.size, strlen(expected));
	assert_memory_equal(answer->body.data, expected, answer->body.size);
}

static void assert_status(const struct fixture *f, const char *request, int expected)
{
	struct answer answer;

	client_exchange(f, request, &answer);
	if (answer.status_code != expected)
		fail_msg("got %d, not %d, for: %s", answer.status_code, expected, request);
	answer_close(&answer);
}

static void a_post_is_answered_with_the_headers_that_clients_check(void **state)
{
	struct answer answer;
	struct fixture f;
	const char *id;

	(void)state;
	fixture_open(&f);
	client_exchange(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789", &answer);
	assert_int_equal(answer.status_code, 200);
	assert_body(&answer, "123456789");
	assert_string_equal(answer_header(&answer, "x-amz-crc32"), "3421780262");
	assert_string_equal(answer_header(&answer, "content-type"), "application/x-amz-json-1.0");
	assert_string_equal(answer_header(&answer, "x-extra"), "yes");
	assert_non_null(answer_header(&answer, "date"));
	assert_null(answer_header(&answer, "server"));
	assert_null(answer_header(&answer, "transfer-encoding"));
	assert_non_null(strstr(answer.head, "\r\nx-amzn-RequestId: "));
	id = answer_header(&answer, "x-amzn-requestid");
	assert_int_equal(strlen(id), 52);
	assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 52);
	answer_close(&answer);
	fixture_close(&f);
}

static void health_is_told_at_the_root_only(void **state)
{
	struct answer answer;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	client_exchange(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", &answer);
	assert_int_equal(answer.status_code, 200);
	assert_body(&answer, "healthy: dynamodb.eu-test-1.amazonaws.com ");
	answer_close(&answer);
	assert_status(&f, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 404);
	fixture_close(&f);
}

static void other_methods_get_404_and_its_text(void **state)
{
	struct answer answer;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	client_exchange(&f, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1", &answer);
	assert_int_equal(answer.status_code, 404);
	assert_body(&answer, "<UnknownOperationException/>\n");
	assert_string_equal(answer_header(&answer, "x-amz-crc32"), "3552371480");
	answer_close(&answer);
	fixture_close(&f);
}

static void get_of_other_paths_goes_to_its_callback_if_there_is_one(void **state)
{
	struct answer answer;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.options.get_cb = fixture_on_get;
	fixture_start(&f);
	client_exchange(&f, "GET /metrics?a=1 HTTP/1.1\r\nHost: h\r\n\r\n", &answer);
	assert_body(&answer, "/metrics");
	answer_close(&answer);
	fixture_close(&f);
}

static void options_is_answered_for_browsers(void **state)
{
	struct answer answer;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	client_exchange(
		&f,
		"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: http://o\r\nAccess-Control-Request-Method: POST\r\n"
		"Access-Control-Request-Headers: x-amz-target\r\n\r\n",
		&answer);
	assert_int_equal(answer.status_code, 200);
	assert_string_equal(answer_header(&answer, "access-control-allow-origin"), "*");
	assert_string_equal(answer_header(&answer, "access-control-allow-methods"), "POST");
	assert_string_equal(answer_header(&answer, "access-control-allow-headers"), "x-amz-target");
	assert_string_equal(answer_header(&answer, "access-control-max-age"), "172800");
	answer_close(&answer);
	client_exchange(&f, "OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n", &answer); /* of no browser */
	assert_int_equal(answer.status_code, 404);
	answer_close(&answer);
	fixture_close(&f);
}

static void the_headers_that_clients_sign_are_all_there(void **state)
{
	static const char *const names[] = { "host", "content-length", "x-mixed" };
	static const char *const values[] = { "h:1", "3", "a  B" };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct answer answer;
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "POST /header?%s HTTP/1.1\r\nHost: h:1\r\nX-MiXed:  a  B \r\ncontent-length: "
			       "3\r\n\r\nabc",
			       names[i]);
		client_exchange(&f, text, &answer);
		assert_int_equal(strncmp((char *)answer.body.data, values[i], strlen(values[i])), 0);
		answer_close(&answer);
	}
	fixture_close(&f);
}

static void a_connection_serves_request_after_request(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	for (int i = 0; i < 20; i++) {
		struct answer answer;

		client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
		client_read_answer(fd, &answer);
		assert_int_equal(answer.status_code, 200);
		answer_close(&answer);
	}
	(void)close(fd);
	fixture_close(&f);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1"
			     "\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2"
			     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n3");
	fixture_wait_held(&f, 1);
	fixture_release(&f);
	for (int i = 0; i < 3; i++) {
		client_read_answer(fd, &answer);
		assert_int_equal(answer.body.size, 1);
		assert_int_equal(answer.body.data[0], '1' + i);
		answer_close(&answer);
	}
	(void)close(fd);
	fixture_close(&f);
}

static void a_request_that_comes_byte_by_byte_is_whole_in_the_end(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		client_send(fd, text + i, 1);
	client_read_answer(fd, &answer);
	assert_body(&answer, "abc");
	answer_close(&answer);
	(void)close(fd);
	fixture_close(&f);
}

static void client_post(int fd, const char *headers, struct slice body)
{
	char head[512];
	int size = snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n",
			    headers, body.size);

	client_send(fd, head, (size_t)size);
	client_send(fd, body.data, body.size);
}

static void a_packed_body_is_unpacked_and_the_raw_one_kept(void **state)
{
	struct answer answer;
	struct fixture f;
	struct buf packed;
	int fd;

	(void)state;
	fixture_open(&f);
	buf_init(&packed, 4096);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, text_slice("{\"a\":1}"), &packed), ST_OK);
	fd = client_connect(&f);
	client_post(fd, "Content-Encoding: GZIP\r\n", buf_slice(&packed));
	client_read_answer(fd, &answer);
	assert_body(&answer, "{\"a\":1}");
	answer_close(&answer);
	client_post(fd, "Content-Encoding: identity\r\n", text_slice("plain"));
	client_read_answer(fd, &answer);
	assert_body(&answer, "plain");
	answer_close(&answer);
	(void)close(fd);
	buf_close(&packed);
	fixture_close(&f);
}

static void broken_or_unknown_codings_get_500(void **state)
{
	struct answer answer;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	client_exchange(
		&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk",
		&answer);
	assert_int_equal(answer.status_code, 500);
	assert_non_null(memmem(answer.body.data, answer.body.size, "InternalServerError", 19));
	answer_close(&answer);
	assert_status(&f,
		      "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\njunk",
		      500);
	fixture_close(&f);
}

static void a_bomb_gets_413(void **state)
{
	static uint8_t zeros[HTTP_BODY_SIZE_MAX + 1];
	struct answer answer;
	struct fixture f;
	struct buf packed;
	int fd;

	(void)state;
	fixture_open(&f);
	buf_init(&packed, 2 * HTTP_BODY_SIZE_MAX);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of(zeros, sizeof(zeros)), &packed), ST_OK);
	fd = client_connect(&f);
	client_post(fd, "Content-Encoding: gzip\r\n", buf_slice(&packed));
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 413);
	assert_int_equal(answer.body.size, 0);
	answer_close(&answer);
	client_send_text(fd,
			 "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); /* its body was read: the connection goes on */
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 200);
	answer_close(&answer);
	(void)close(fd);
	buf_close(&packed);
	fixture_close(&f);
}

static void a_large_answer_is_packed_and_its_checksum_is_of_what_is_sent(void **state)
{
	static const char *const codings[] = { "gzip", "deflate" };
	static uint8_t body[HTTP_GZIP_SIZE_MIN + 1];
	struct fixture f;

	(void)state;
	memset(body, 'x', sizeof(body));
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(codings); i++) {
		struct answer answer;
		char header[64];
		char crc[16];
		int fd = client_connect(&f);

		(void)snprintf(header, sizeof(header), "Accept-Encoding: %s\r\n", codings[i]);
		client_post(fd, header, slice_of(body, sizeof(body)));
		client_read_answer(fd, &answer);
		assert_string_equal(answer_header(&answer, "content-encoding"), codings[i]);
		assert_true(answer.body.size < 200);
		(void)snprintf(crc, sizeof(crc), "%u", digest_crc32(buf_slice(&answer.body)));
		assert_string_equal(answer_header(&answer, "x-amz-crc32"), crc);
		answer_close(&answer);

		client_post(fd, header, slice_of(body, sizeof(body) - 1)); /* just not large */
		client_read_answer(fd, &answer);
		assert_null(answer_header(&answer, "content-encoding"));
		assert_int_equal(answer.body.size, sizeof(body) - 1);
		answer_close(&answer);
		(void)close(fd);
	}
	fixture_close(&f);
}

static void a_body_of_the_limit_passes(void **state)
{
	static uint8_t body[HTTP_BODY_SIZE_MAX];
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	memset(body, 'x', sizeof(body));
	fixture_open(&f);
	fd = client_connect(&f);
	client_post(fd, "", slice_of(body, sizeof(body)));
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 200);
	assert_int_equal(answer.body.size, sizeof(body));
	answer_close(&answer);
	(void)close(fd);
	fixture_close(&f);
}

static void a_larger_body_is_refused_before_it_comes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_status(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 16777217\r\n\r\n", 413);
	assert_status(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 16777218\r\n\r\n", 413);
	assert_status(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		      400);
	fixture_close(&f);
}

/* Whatever two parties could read differently is refused, and nothing after it is read. */
static void heads_with_two_readings_are_refused_and_the_connection_closed(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
		"5\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
		"POST / HTTP/1.1\r\nHost: h\r\nHost: i\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\n: a\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nno colon\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/x.1\r\nHost: h\r\n\r\n",
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		struct answer answer;
		int fd = client_connect(&f);

		client_send_text(fd, heads[i]);
		client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
		client_read_answer(fd, &answer);
		if (answer.status_code != 400 && answer.status_code != 0) /* 0: reset before it was read */
			fail_msg("%d for: %s", answer.status_code, heads[i]);
		answer_close(&answer);
		assert_closed(fd);
	}
	assert_int_equal(f.held_count, 0);
	fixture_close(&f);
}

/* Nobody but the parser has seen how it was framed. */
static void a_chunked_body_is_refused_and_nothing_after_it_is_read(void **state)
{
	static const char *const bodies[] = {
		"0\r\n\r\n",
		"1\r\n2\r\n0\r\n\r\n",
		"1\n2\n0\n\n",
		"1;a=b\r\n2\r\n0\r\n\r\n",
		"0x1\r\n2\r\n0\r\n\r\n",
		"1\r\n2\r\n0\r\nContent-Length: 5\r\n\r\n",
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		struct answer answer;
		int fd = client_connect(&f);

		client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
		client_send_text(fd, bodies[i]);
		client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
		client_read_answer(fd, &answer);
		assert_int_equal(answer.status_code, 411);
		answer_close(&answer);
		assert_closed(fd);
	}
	assert_int_equal(f.held_count, 0);
	fixture_close(&f);
}

static void assert_closed_after_text(int fd)
{
	char text[4096];
	size_t size = 0;

	while (size < sizeof(text) && client_receive(fd, text + size, 1) == 1)
		size++;
	assert_null(memmem(text, size, " 200 ", 5));
	assert_true(size < sizeof(text));
	(void)close(fd);
}

/* The head of such a request is read by the parser only, and what comes after it is a tunnel. */
static void an_upgrade_to_http2_is_refused(void **state)
{
	static const char *const heads[] = {
		"POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n%s\r\nx",
		"POST /hold HTTP/1.1\nHost: h\nContent-Length: 1\n%s\nx",
		"GET / HTTP/1.1\r\nHost: h\r\n%s\r\n",
	};
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0"; /* and a NUL */
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		char head[512];
		int fd = client_connect(&f);

		(void)snprintf(head, sizeof(head), heads[i],
			       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
			       "HTTP2-Settings: AAMAAABkAAQAAP__\r\n");
		client_send_text(fd, head);
		client_send(fd, preface, sizeof(preface));
		assert_closed_after_text(fd);
	}
	assert_int_equal(f.held_count, 0);
	fixture_close(&f);
}

static void too_many_or_too_long_headers_are_refused(void **state)
{
	struct answer answer;
	struct fixture f;
	struct buf text;

	(void)state;
	fixture_open(&f);
	buf_init(&text, 1024 * 1024);
	buf_append_string(&text, "POST / HTTP/1.1\r\n");
	for (int i = 0; i < 101; i++)
		buf_append_format(&text, "X-%d: 1\r\n", i);
	buf_append(&text, "\r\n", 3);
	client_exchange(&f, (const char *)text.data, &answer);
	assert_int_equal(answer.status_code, 400);
	answer_close(&answer);
	buf_close(&text);
	fixture_close(&f);
}

static void a_client_that_leaves_before_its_answer_harms_nobody(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	fixture_wait_held(&f, 1);
	(void)close(fd);
	fixture_release(&f);
	client_exchange(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2", &answer);
	assert_body(&answer, "2");
	answer_close(&answer);
	fixture_close(&f);
}

static void a_slow_head_or_body_is_cut_off(void **state)
{
	static const char *const starts[] = {
		"POST / HT",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.options.header_timeout_ms = 100;
	f.options.sweep_interval_ms = 20;
	fixture_start(&f);
	for (size_t i = 0; i < ARRAY_COUNT(starts); i++) {
		int fd = client_connect(&f);

		client_send_text(fd, starts[i]);
		assert_closed(fd);
	}
	fixture_close(&f);
}

static void an_idle_connection_is_closed_but_a_waiting_one_is_not(void **state)
{
	struct answer answer;
	struct fixture f;
	int idle;
	int waiting;

	(void)state;
	fixture_init(&f);
	f.options.idle_timeout_ms = 100;
	f.options.header_timeout_ms = 100;
	f.options.sweep_interval_ms = 20;
	fixture_start(&f);
	waiting = client_connect(&f);
	client_send_text(waiting, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	fixture_wait_held(&f, 1);
	idle = client_connect(&f);
	assert_closed(idle); /* begun after the other one, and gone before it */
	fixture_release(&f);
	client_read_answer(waiting, &answer);
	assert_int_equal(answer.status_code, 200);
	answer_close(&answer);
	(void)close(waiting);
	fixture_close(&f);
}

static void a_client_that_does_not_read_its_answer_is_dropped(void **state)
{
	static uint8_t body[HTTP_BODY_SIZE_MAX];
	struct fixture f;
	int small = 4096;
	int fd;
	size_t got = 0;

	(void)state;
	memset(body, 'x', sizeof(body));
	fixture_init(&f);
	f.options.idle_timeout_ms = 200;
	f.options.sweep_interval_ms = 20;
	fixture_start(&f);
	fd = client_connect(&f);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	client_post(fd, "", slice_of(body, sizeof(body)));
	/* A second connection that idles is closed later than the stall began. */
	assert_closed(client_connect(&f));
	assert_closed(client_connect(&f));
	for (size_t count = 1; count > 0; got += count)
		count = client_receive(fd, body, sizeof(body));
	assert_true(got < sizeof(body));
	(void)close(fd);
	fixture_close(&f);
}

static void connections_above_the_limit_are_closed_at_once(void **state)
{
	struct answer answer;
	struct fixture f;
	int first;

	(void)state;
	fixture_init(&f);
	f.options.connections_max = 1;
	fixture_start(&f);
	first = client_connect(&f);
	client_send_text(first, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	client_read_answer(first, &answer);
	answer_close(&answer);
	assert_closed(client_connect(&f));
	client_send_text(first, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	client_read_answer(first, &answer);
	assert_int_equal(answer.status_code, 200);
	answer_close(&answer);
	(void)close(first);
	fixture_close(&f);
}

static void a_stop_lets_requests_in_flight_end(void **state)
{
	struct answer answer;
	struct fixture f;
	int idle;
	int fd;

	(void)state;
	fixture_open(&f);
	idle = client_connect(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	fixture_wait_held(&f, 1);
	fixture_command(&f, COMMAND_STOP);
	assert_closed(idle); /* the stop is under way */
	fixture_release(&f);
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 200);
	assert_body(&answer, "1");
	answer_close(&answer);
	assert_closed(fd);
	fixture_join(&f);
	assert_int_equal(f.aborted_count, 0);
}

static void a_stop_aborts_what_outlives_its_grace(void **state)
{
	struct answer answer;
	struct fixture f;
	int fd;

	(void)state;
	fixture_init(&f);
	f.stop_grace_ms = 50;
	fixture_start(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	fixture_wait_held(&f, 1);
	fixture_command(&f, COMMAND_STOP);
	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, 503);
	answer_close(&answer);
	assert_closed(fd);
	fixture_join(&f); /* its thread answers the aborted request after the server is gone */
	assert_int_equal(f.aborted_count, 1);
}

static void an_unusable_address_or_certificate_is_refused(void **state)
{
	struct http_server_options options = { .host = "localhost",
					       .region = "r",
					       .post_cb = fixture_on_post };
	struct http_server *server = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(http_server_create(&loop, &options, &server), ST_INVALID);
	options.host = "192.0.2.1"; /* not ours */
	assert_int_equal(http_server_create(&loop, &options, &server), ST_IO);
	options.host = "127.0.0.1";
	options.tls_cert_path = "/nonexistent/cert.pem";
	options.tls_key_path = "/nonexistent/key.pem";
	assert_int_equal(http_server_create(&loop, &options, &server), ST_INVALID);
	assert_null(server);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_is_answered_with_the_headers_that_clients_check),
		cmocka_unit_test(health_is_told_at_the_root_only),
		cmocka_unit_test(other_methods_get_404_and_its_text),
		cmocka_unit_test(get_of_other_paths_goes_to_its_callback_if_there_is_one),
		cmocka_unit_test(options_is_answered_for_browsers),
		cmocka_unit_test(the_headers_that_clients_sign_are_all_there),
		cmocka_unit_test(a_connection_serves_request_after_request),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(a_request_that_comes_byte_by_byte_is_whole_in_the_end),
		cmocka_unit_test(a_packed_body_is_unpacked_and_the_raw_one_kept),
		cmocka_unit_test(broken_or_unknown_codings_get_500),
		cmocka_unit_test(a_bomb_gets_413),
		cmocka_unit_test(a_large_answer_is_packed_and_its_checksum_is_of_what_is_sent),
		cmocka_unit_test(a_body_of_the_limit_passes),
		cmocka_unit_test(a_larger_body_is_refused_before_it_comes),
		cmocka_unit_test(heads_with_two_readings_are_refused_and_the_connection_closed),
		cmocka_unit_test(a_chunked_body_is_refused_and_nothing_after_it_is_read),
		cmocka_unit_test(an_upgrade_to_http2_is_refused),
		cmocka_unit_test(too_many_or_too_long_headers_are_refused),
		cmocka_unit_test(a_client_that_leaves_before_its_answer_harms_nobody),
		cmocka_unit_test(a_slow_head_or_body_is_cut_off),
		cmocka_unit_test(an_idle_connection_is_closed_but_a_waiting_one_is_not),
		cmocka_unit_test(a_client_that_does_not_read_its_answer_is_dropped),
		cmocka_unit_test(connections_above_the_limit_are_closed_at_once),
		cmocka_unit_test(a_stop_lets_requests_in_flight_end),
		cmocka_unit_test(a_stop_aborts_what_outlives_its_grace),
		cmocka_unit_test(an_unusable_address_or_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
