#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>

#include <cmocka.h>

#include "tests/unit/http_client.h"

static void both_versions_of_tls_serve_a_request(void **state)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct tls_client client;
		char answer[4096] = { 0 };
		int size = 0;

		assert_int_equal(tls_connect(&client, &f, versions[i], NULL, NULL), 1);
		assert_true(SSL_write(client.tls, request, sizeof(request) - 1) > 0);
		while (strstr(answer, "\r\n\r\nhello") == NULL) {
			int count = SSL_read(client.tls, answer + size, (int)sizeof(answer) - 1 - size);

			assert_true(count > 0);
			size += count;
		}
		assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
		tls_close(&client);
	}
	fixture_close(&f);
}

/* As many bytes as the server's first read takes at once: the one after it finds nothing. */
static void an_upload_in_buffers_filled_to_the_brim_arrives(void **state)
{
	enum {
		BUFFER_SIZE = 8192,
		RECORD_OVERHEAD = 22,
		PART_SIZE = BUFFER_SIZE - RECORD_OVERHEAD,
		PART_COUNT = 3
	};
	static const char end[] = "end";
	static uint8_t part[PART_SIZE];
	struct tls_client client;
	struct fixture f;
	char text[256];

	(void)state;
	fixture_open_tls(&f);
	assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, NULL), 1);
	(void)snprintf(text, sizeof(text), "POST /header HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		       PART_COUNT * sizeof(part) + sizeof(end) - 1);
	assert_true(SSL_write(client.tls, text, (int)strlen(text)) > 0);
	for (int i = 0; i < PART_COUNT; i++) {
		struct pollfd closed = { .fd = client.fd, .events = POLLRDHUP };

		assert_true(SSL_write(client.tls, part, sizeof(part)) > 0);
		assert_int_equal(poll(&closed, 1, 50), 0); /* the server waits for more, as we do for it */
	}
	assert_true(SSL_write(client.tls, end, sizeof(end) - 1) > 0);
	assert_true(SSL_read(client.tls, text, sizeof(text)) > 0);
	assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
	tls_close(&client);
	fixture_close(&f);
}

static void old_versions_and_weak_suites_are_refused(void **state)
{
	static const struct {
		int version;
		const char *suites;
	} offers[] = {
		{ TLS1_VERSION, "ALL" },
		{ TLS1_1_VERSION, "ALL" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA" },
		{ TLS1_2_VERSION, "AES128-GCM-SHA256" },
	};
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
		struct tls_client client;

		assert_int_not_equal(tls_connect(&client, &f, offers[i].version, offers[i].suites, NULL), 1);
		tls_close(&client);
	}
	fixture_close(&f);
}

static void alpn_chooses_http2(void **state)
{
	const unsigned char *protocol;
	unsigned protocol_size;
	struct tls_client client;
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, "\x02h2\x08http/1.1"), 1);
	SSL_get0_alpn_selected(client.tls, &protocol, &protocol_size);
	assert_int_equal(protocol_size, 2);
	assert_memory_equal(protocol, "h2", 2);
	tls_close(&client);
	fixture_close(&f);
}

static void noise_instead_of_a_handshake_is_cut_off(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open_tls(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\n\r\n");
	for (char byte; client_receive(fd, &byte, 1) > 0;)
		; /* an alert may come first */
	(void)close(fd);
	fixture_close(&f);
}

static void http2_with_prior_knowledge_serves_streams_out_of_order(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "first");
	fixture_wait_held(&f, 1);
	send_post(fd, 3, "/", "second");
	assert_data(fd, 3, "second");
	send_post(fd, 5, "/header?host", "");
	assert_data(fd, 5, "h2-host");
	fixture_release(&f);
	assert_data(fd, 1, "first");
	(void)close(fd);
	fixture_close(&f);
}

static void a_reset_stream_aborts_its_request_and_its_answer_goes_nowhere(void **state)
{
	static const uint8_t cancel[] = { 0, 0, 0, 8 };
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "first");
	fixture_wait_held(&f, 1);
	send_frame(fd, FRAME_RST_STREAM, 0, 1, slice_of(cancel, sizeof(cancel)));
	fixture_wait_aborted(&f, 1);
	fixture_release(&f);
	send_post(fd, 3, "/", "second");
	assert_data(fd, 3, "second");
	(void)close(fd);
	fixture_close(&f);
}

static void an_http2_client_that_leaves_aborts_all_its_requests(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "a");
	send_post(fd, 3, "/hold", "b");
	fixture_wait_held(&f, 2);
	(void)close(fd);
	fixture_wait_aborted(&f, 2);
	fixture_release(&f);
	fixture_close(&f);
}

static void a_stop_aborts_http2_requests_too(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_init(&f);
	f.stop_grace_ms = 50;
	fixture_start(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "a");
	fixture_wait_held(&f, 1);
	fixture_command(&f, COMMAND_STOP);
	fixture_join(&f);
	assert_int_equal(f.aborted_count, 1);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_of_tls_serve_a_request),
		cmocka_unit_test(an_upload_in_buffers_filled_to_the_brim_arrives),
		cmocka_unit_test(old_versions_and_weak_suites_are_refused),
		cmocka_unit_test(alpn_chooses_http2),
		cmocka_unit_test(noise_instead_of_a_handshake_is_cut_off),
		cmocka_unit_test(http2_with_prior_knowledge_serves_streams_out_of_order),
		cmocka_unit_test(a_reset_stream_aborts_its_request_and_its_answer_goes_nowhere),
		cmocka_unit_test(an_http2_client_that_leaves_aborts_all_its_requests),
		cmocka_unit_test(a_stop_aborts_http2_requests_too),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
