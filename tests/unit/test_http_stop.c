/* The last resort of a stop leaks what libh2o has of the connection, so it has its own
 * program with its own suppressions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FIXTURE_LEAKS "leak:libh2o\n"

#include "coordinator/http/http_internal.h"
#include "tests/unit/http_client.h"

enum { LARGE = 48 * 1024 * 1024 }; /* more than the kernel keeps for a client */

static uint8_t large[LARGE];

/* Answer, and make believe that the connection had been shut down already: then nothing
 * that is in our power lets libh2o close it. */
static void on_post(void *context, struct http_request *request)
{
	struct http_request_impl *impl = CONTAINER_OF(request, struct http_request_impl, public);

	struct slice body = text_slice("stuck");

	(void)context;
	impl->connection->is_dropped = true;
	if (slice_equal(request->path, text_slice("/large")))
		body = slice_of(large, LARGE);
	http_response_send(request, 200, NULL, body, NULL, 0);
}

/* A client of HTTP/2 that lets no body through. */
static int connect_closed_window(const struct fixture *f)
{
	static const uint8_t window_of_zero[] = { 0, 4, 0, 0, 0, 0 };
	int fd = client_connect(f);

	client_send_text(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	send_frame(fd, FRAME_SETTINGS, 0, 0, slice_of(window_of_zero, sizeof(window_of_zero)));
	return fd;
}

static void wait_for_frame(int fd, uint8_t type)
{
	static uint8_t payload[FRAME_SIZE_MAX];
	uint8_t head[FRAME_HEAD_SIZE];

	do {
		receive_exactly(fd, head, sizeof(head));
		receive_exactly(fd, payload, get_u16_be(head + 1));
	} while (head[3] != type);
}

static void a_stop_takes_connections_that_do_not_close_from_their_owner(void **state)
{
	struct answer answer;
	struct fixture f;
	uint64_t begin_ns;
	int idle;
	int writing;
	int http2;
	char byte;

	(void)state;
	fixture_init(&f);
	f.options.post_cb = on_post;
	f.stop_grace_ms = 10;
	fixture_start(&f);
	idle = client_connect(&f);
	client_send_text(idle, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	client_read_answer(idle, &answer);
	assert_int_equal(answer.status_code, 200);
	answer_close(&answer);
	writing = client_connect(&f);
	client_send_text(writing, "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
	assert_int_equal(client_receive(writing, &byte, 1), 1);
	http2 = connect_closed_window(&f);
	send_post(http2, 1, "/", "x");
	send_post_head(http2, 3, "/"); /* and its body does not come */
	wait_for_frame(http2, FRAME_HEADERS);
	begin_ns = uv_hrtime();
	fixture_close(&f); /* and no handle is left */
	assert_true(uv_hrtime() - begin_ns >= UINT64_C(1000000) * (HTTP_STOP_FLUSH_MS + HTTP_STOP_FORCE_MS));
	assert_int_equal(atomic_load(&http_metrics.connections_forced.value), 3);
	assert_closed(idle);
	(void)close(writing);
	(void)close(http2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_takes_connections_that_do_not_close_from_their_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
