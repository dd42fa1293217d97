#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/http_client.h"

static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* A server for one connection at a time: the next is let in when the last is gone. */
static void fixture_open_single(struct fixture *f, uint32_t header_timeout_ms)
{
	fixture_init(f);
	f->options.tls_cert_path = cert_path;
	f->options.tls_key_path = key_path;
	f->options.connections_max = 1;
	f->options.header_timeout_ms = header_timeout_ms;
	f->options.sweep_interval_ms = 20;
	fixture_start(f);
}

/* Knock until the server lets us in; the time that took. */
static uint64_t wait_until_gone(const struct fixture *f)
{
	uint64_t begin_ms = now_ms();

	for (;;) {
		struct tls_client client;
		bool is_in = tls_connect(&client, f, TLS1_3_VERSION, NULL, NULL) == 1;

		tls_close(&client);
		if (is_in || now_ms() - begin_ms > 30000)
			return now_ms() - begin_ms;
	}
}

static void start_http2(struct tls_client *client)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";

	assert_int_equal(SSL_write(client->tls, preface, sizeof(preface)), sizeof(preface));
}

/* Its first bytes show that the server is through with the handshake. */
static void read_something(struct tls_client *client)
{
	char bytes[64];

	assert_true(SSL_read(client->tls, bytes, sizeof(bytes)) > 0);
}

static void tls_reset(struct tls_client *client)
{
	SSL_free(client->tls);
	SSL_CTX_free(client->context);
	reset_and_close(client->fd);
}

static void a_reset_http2_connection_over_tls_is_gone_within_the_header_deadline(void **state)
{
	struct tls_client client;
	struct fixture f;

	(void)state;
	fixture_open_single(&f, 5000);
	assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, "\x02h2"), 1);
	start_http2(&client);
	read_something(&client);
	tls_reset(&client);
	assert_true(wait_until_gone(&f) < 5000);
	fixture_close(&f);
}

static void a_reset_idle_connection_over_tls_is_gone_within_the_header_deadline(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct tls_client client;
		struct fixture f;

		fixture_open_single(&f, 5000);
		assert_int_equal(tls_connect(&client, &f, versions[i], NULL, NULL), 1);
		assert_true(SSL_write(client.tls, request, sizeof(request) - 1) > 0);
		read_something(&client);
		tls_reset(&client);
		assert_true(wait_until_gone(&f) < 5000);
		fixture_close(&f);
	}
}

/* The server may or may not be through with it. */
static void a_reset_right_after_the_handshake_leaves_nothing_behind(void **state)
{
	static const char *const protocols[] = { "\x02h2", "\x08http/1.1", NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(protocols); i++) {
		struct tls_client client;
		struct fixture f;

		fixture_open_single(&f, 5000);
		assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, protocols[i]), 1);
		tls_reset(&client);
		assert_true(wait_until_gone(&f) < 5000);
		fixture_close(&f);
	}
}

static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/* A handshake is begun, up to some byte, and then nothing more comes. */
static void half_a_handshake_is_cut_off_at_the_header_deadline(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(hello); size += 5) {
		struct fixture f;
		int fd;

		fixture_open_single(&f, 100);
		fd = client_connect(&f);
		client_send(fd, hello, size);
		assert_closed(fd); /* long before a client is idle */
		(void)wait_until_gone(&f);
		fixture_close(&f);
	}
}

static void half_a_handshake_of_a_client_that_left_is_gone_at_once(void **state)
{
	(void)state;
	for (int with_reset = 0; with_reset < 2; with_reset++) {
		struct fixture f;
		int fd;

		fixture_open_single(&f, 5000);
		fd = client_connect(&f);
		client_send(fd, hello, sizeof(hello) - 1);
		if (with_reset)
			reset_and_close(fd);
		else
			(void)close(fd);
		assert_true(wait_until_gone(&f) < 5000);
		fixture_close(&f);
	}
}

static void a_stop_ends_though_clients_reset_their_connections(void **state)
{
	struct tls_client clients[8];
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.options.tls_cert_path = cert_path;
	f.options.tls_key_path = key_path;
	fixture_start(&f); /* with a sweep that is slower than the stop's */
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++)
		assert_int_equal(tls_connect(&clients[i], &f, TLS1_3_VERSION, NULL, "\x02h2"), 1);
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++)
		tls_reset(&clients[i]);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_http2_connection_over_tls_is_gone_within_the_header_deadline),
		cmocka_unit_test(a_reset_idle_connection_over_tls_is_gone_within_the_header_deadline),
		cmocka_unit_test(a_reset_right_after_the_handshake_leaves_nothing_behind),
		cmocka_unit_test(half_a_handshake_is_cut_off_at_the_header_deadline),
		cmocka_unit_test(half_a_handshake_of_a_client_that_left_is_gone_at_once),
		cmocka_unit_test(a_stop_ends_though_clients_reset_their_connections),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
