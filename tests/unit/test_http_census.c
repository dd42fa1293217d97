#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/metrics.h"
#include "tests/unit/http_client.h"

enum { KILOBYTE = 1024, LIMIT = 1024 * KILOBYTE, FRAMES_PER_PART = 25, FRAME_SIZE = 16000 };

static uint8_t bytes[LIMIT];

static void fixture_open_small(struct fixture *f, uint32_t requests_max, uint64_t bodies_size_bytes_max)
{
	fixture_init(f);
	f->options.requests_max = requests_max;
	f->options.bodies_size_bytes_max = bodies_size_bytes_max;
	fixture_start(f);
}

static void send_head(int fd, const char *path, const char *headers, size_t body_size)
{
	char head[256];

	(void)snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n",
		       path, headers, body_size);
	client_send_text(fd, head);
}

static int client_post(const struct fixture *f, const char *path, size_t body_size)
{
	int fd = client_connect(f);

	send_head(fd, path, "", body_size);
	client_send(fd, bytes, body_size);
	return fd;
}

static void assert_answer(int fd, int status_code)
{
	struct answer answer;

	client_read_answer(fd, &answer);
	assert_int_equal(answer.status_code, status_code);
	answer_close(&answer);
}

static void requests_above_the_limit_get_503_and_may_come_again(void **state)
{
	struct fixture f;
	int first;
	int second;

	(void)state;
	fixture_open_small(&f, 1, 0);
	first = client_post(&f, "/hold", 1);
	fixture_wait_held(&f, 1);
	second = client_post(&f, "/", 1);
	assert_answer(second, 503);
	fixture_release(&f);
	assert_answer(first, 200);
	(void)close(first);
	/* The first may be at work until the server knows that its answer is sent. */
	send_head(second, "/", "", 0); /* on the same connection */
	assert_answer(second, 200);
	(void)close(second);
	fixture_close(&f);
}

static void bodies_above_the_limit_get_503_until_there_is_room(void **state)
{
	struct fixture f;
	int first;
	int second;

	(void)state;
	fixture_open_small(&f, 0, LIMIT);
	first = client_post(&f, "/hold", 700 * KILOBYTE);
	fixture_wait_held(&f, 1);
	second = client_post(&f, "/", 325 * KILOBYTE);
	assert_answer(second, 503);
	send_head(second, "/", "", 324 * KILOBYTE);
	client_send(second, bytes, 324 * KILOBYTE);
	assert_answer(second, 200);
	fixture_release(&f);
	assert_answer(first, 200);
	send_head(second, "/", "", LIMIT);
	client_send(second, bytes, LIMIT);
	assert_answer(second, 200);
	(void)close(first);
	(void)close(second);
	fixture_close(&f);
}

static void bodies_count_again_when_they_are_unpacked(void **state)
{
	struct fixture f;
	struct buf packed;
	int fd;

	(void)state;
	fixture_open_small(&f, 0, LIMIT);
	buf_init(&packed, (size_t)2 * LIMIT);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of(bytes, LIMIT), &packed), ST_OK);
	fd = client_connect(&f);
	send_head(fd, "/", "Content-Encoding: gzip\r\n", packed.size);
	client_send(fd, packed.data, packed.size);
	assert_answer(fd, 503);
	buf_reset(&packed);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of(bytes, LIMIT / 2), &packed), ST_OK);
	send_head(fd, "/", "Content-Encoding: gzip\r\n", packed.size);
	client_send(fd, packed.data, packed.size);
	assert_answer(fd, 200);
	(void)close(fd);
	buf_close(&packed);
	fixture_close(&f);
}

static void unpacked_bodies_leave_less_room_for_others(void **state)
{
	struct fixture f;
	struct buf packed;
	int first;
	int second;

	(void)state;
	fixture_open_small(&f, 0, LIMIT);
	buf_init(&packed, LIMIT);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of(bytes, 700 * KILOBYTE), &packed), ST_OK);
	first = client_connect(&f);
	send_head(first, "/hold", "Content-Encoding: gzip\r\n", packed.size);
	client_send(first, packed.data, packed.size);
	fixture_wait_held(&f, 1);
	second = client_post(&f, "/", 330 * KILOBYTE);
	assert_answer(second, 503);
	fixture_release(&f);
	assert_answer(first, 200);
	(void)close(first);
	(void)close(second);
	buf_close(&packed);
	fixture_close(&f);
}

/* A reset stream is gone for the client, but its body is not. */
static void bodies_of_aborted_requests_count_until_they_are_answered(void **state)
{
	static const uint8_t cancel[] = { 0, 0, 0, 8 };
	char body[5000];
	struct fixture f;
	int http2;
	int fd;

	(void)state;
	memset(body, 'x', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	fixture_open_small(&f, 0, 8000);
	http2 = connect_http2(&f);
	send_post(http2, 1, "/hold", body);
	fixture_wait_held(&f, 1);
	send_frame(http2, FRAME_RST_STREAM, 0, 1, slice_of(cancel, sizeof(cancel)));
	fixture_wait_aborted(&f, 1);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3002\r\n\r\n");
	client_send(fd, bytes, 3002);
	assert_answer(fd, 503);
	fixture_release(&f);
	(void)close(fd);
	fd = client_post(&f, "/", 3002);
	assert_answer(fd, 200);
	(void)close(fd);
	(void)close(http2);
	fixture_close(&f);
}

static void the_greediest_connection_is_reset_and_the_others_go_on(void **state)
{
	struct fixture f;
	int greedy;
	int modest;

	(void)state;
	fixture_open_small(&f, 0, LIMIT);
	greedy = client_connect(&f);
	modest = client_connect(&f);
	send_head(greedy, "/", "", 800 * KILOBYTE);
	send_head(modest, "/", "", 800 * KILOBYTE);
	client_send(modest, bytes, 500 * KILOBYTE);
	client_send(greedy, bytes, 600 * KILOBYTE);
	assert_closed(greedy);
	client_send(modest, bytes, 300 * KILOBYTE);
	assert_answer(modest, 200);
	(void)close(modest);
	fixture_close(&f);
}

static uint64_t arriving_size(void)
{
	static const char name[] = "\ncleave_http_bodies_arriving_bytes ";
	struct buf text;
	const char *at;
	uint64_t size;

	buf_init(&text, LIMIT);
	metrics_print(&text);
	buf_put_u8(&text, 0);
	at = strstr((const char *)text.data, name);
	assert_non_null(at);
	size = strtoul(at + strlen(name), NULL, 10);
	buf_close(&text);
	return size;
}

/* Ask for the server's health until it has counted so much. */
static void wait_until_arriving(const struct fixture *f, uint64_t expected)
{
	uint64_t begin_ns = uv_hrtime();
	int fd = client_connect(f);

	while (arriving_size() != expected) {
		client_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_answer(fd, 200);
		assert_true(uv_hrtime() - begin_ns < 20 * UINT64_C(1000000000));
	}
	(void)close(fd);
}

/* 400000 bytes of a body that does not end. */
static void send_part(int fd, uint32_t stream_id)
{
	send_post_head(fd, stream_id, "/");
	for (int i = 0; i < FRAMES_PER_PART; i++)
		send_frame(fd, FRAME_DATA, 0, stream_id, slice_of(bytes, FRAME_SIZE));
}

static void streams_of_http2_are_counted_one_by_one_and_in_sum(void **state)
{
	static const uint8_t cancel[] = { 0, 0, 0, 8 };
	struct fixture f;
	uint8_t byte;
	int fd;

	(void)state;
	fixture_open_small(&f, 0, LIMIT);
	fd = connect_http2(&f);
	send_part(fd, 1);
	wait_until_arriving(&f, 400000);
	send_part(fd, 3);
	wait_until_arriving(&f, 800000);
	send_frame(fd, FRAME_RST_STREAM, 0, 1, slice_of(cancel, sizeof(cancel)));
	wait_until_arriving(&f, 400000);
	send_frame(fd, FRAME_DATA, FLAG_END_STREAM, 3, (struct slice){ NULL, 0 });
	wait_until_arriving(&f, 0); /* handed on, and answered */
	send_part(fd, 5);
	send_part(fd, 7);
	send_part(fd, 9);
	while (client_receive(fd, &byte, 1) > 0)
		; /* settings, windows and answers, and then the end */
	(void)close(fd);
	fd = client_post(&f, "/", LIMIT);
	assert_answer(fd, 200);
	(void)close(fd);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_above_the_limit_get_503_and_may_come_again),
		cmocka_unit_test(bodies_above_the_limit_get_503_until_there_is_room),
		cmocka_unit_test(bodies_count_again_when_they_are_unpacked),
		cmocka_unit_test(unpacked_bodies_leave_less_room_for_others),
		cmocka_unit_test(bodies_of_aborted_requests_count_until_they_are_answered),
		cmocka_unit_test(the_greediest_connection_is_reset_and_the_others_go_on),
		cmocka_unit_test(streams_of_http2_are_counted_one_by_one_and_in_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
