#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/net/listener.h"
#include "proto/net/stream_tcp.h"
#include "proto/net/stream_tls.h"
#include "tests/support/raw_stream.h"
#include "tests/support/test_certs.h"

/* A client and the server's end of one connection, over TCP or TLS. */
struct fixture {
	struct runtime_uv runtime;
	struct test_certs certs;
	struct tls_context *server_tls; /* NULL: plain */
	struct tls_context *client_tls;
	struct listener listener;
	struct raw_stream client;
	struct raw_stream server;
	bool is_accepted;
	bool is_listener_stopped;
};

enum { QUEUED_BYTES_MAX = 32 * 1024 * 1024 };

#define WAIT(f, condition)                                                                                   \
	do {                                                                                                 \
		while (!(condition))                                                                         \
			runtime_uv_turn(&(f)->runtime);                                                      \
	} while (0)

static void on_accepted(struct listener *listener, struct stream *stream)
{
	struct fixture *f = CONTAINER_OF(listener, struct fixture, listener);

	raw_stream_attach(&f->server, stream);
	f->is_accepted = true;
}

static void start(struct fixture *f, bool is_tls)
{
	struct listener_options options = { .runtime = &f->runtime,
					    .host = "127.0.0.1",
					    .connection_count_max = 4,
					    .queued_bytes_max = QUEUED_BYTES_MAX,
					    .accepted = on_accepted };

	f->server_tls = f->client_tls = NULL;
	f->is_accepted = f->is_listener_stopped = false;
	assert_int_equal(runtime_uv_init(&f->runtime, 1), ST_OK);
	test_certs_init(&f->certs);
	if (is_tls) {
		test_certs_make_ca(&f->certs, "ca");
		test_certs_issue(&f->certs, "ca", "node-1", "node-1", 3600);
		test_certs_issue(&f->certs, "ca", "node-2", "node-2", 3600);
		f->server_tls = test_certs_context(&f->certs, "ca", "node-1");
		f->client_tls = test_certs_context(&f->certs, "ca", "node-2");
	}
	options.tls = f->server_tls;
	assert_int_equal(listener_start(&f->listener, &options), ST_OK);
}

static struct stream *make_client(struct fixture *f, const char *host, uint16_t port)
{
	struct stream *tcp = stream_tcp_connect(&f->runtime, host, port, 0, QUEUED_BYTES_MAX);

	assert_non_null(tcp);
	return f->client_tls == NULL ? tcp : stream_tls_create(&f->runtime.base, tcp, f->client_tls, false);
}

static void connect_both(struct fixture *f)
{
	raw_stream_attach(&f->client, make_client(f, "127.0.0.1", listener_port(&f->listener)));
	assert_int_equal(f->client.opened_count, 0); /* never from inside */
	WAIT(f, f->is_accepted && f->client.opened_count == 1 && f->server.opened_count == 1);
}

static void close_raw(struct fixture *f, struct raw_stream *raw)
{
	stream_close(raw->stream);
	assert_false(raw->is_closed);
	WAIT(f, raw->is_closed);
	raw_stream_close(raw);
}

static void on_listener_stopped(struct listener *listener)
{
	CONTAINER_OF(listener, struct fixture, listener)->is_listener_stopped = true;
}

static void stop(struct fixture *f)
{
	listener_stop(&f->listener, on_listener_stopped);
	WAIT(f, f->is_listener_stopped);
	tls_context_destroy(f->server_tls);
	tls_context_destroy(f->client_tls);
	test_certs_close(&f->certs);
	runtime_uv_close(&f->runtime);
}

static void bytes_pass_both_ways(bool is_tls)
{
	const struct slice slices[] = { slice_of_string("hel"), slice_of_string(""), slice_of_string("lo") };
	static struct fixture f;

	start(&f, is_tls);
	connect_both(&f);
	assert_int_equal(stream_write(f.client.stream, slices, 3), ST_OK);
	WAIT(&f, f.server.received.size == 5);
	assert_memory_equal(f.server.received.data, "hello", 5);
	assert_int_equal(raw_stream_write(&f.server, "you", 3), ST_OK);
	WAIT(&f, f.client.received.size == 3);
	close_raw(&f, &f.client);
	WAIT(&f, f.server.ended_count == 1);
	assert_int_equal(f.server.ended_status, ST_CLOSED);
	assert_int_equal(raw_stream_write(&f.server, "x", 1), ST_CLOSED);
	close_raw(&f, &f.server);
	stop(&f);
}

static void bytes_pass_plain_tcp(void **state)
{
	(void)state;
	bytes_pass_both_ways(false);
}

static void bytes_pass_tls(void **state)
{
	(void)state;
	bytes_pass_both_ways(true);
}

static void write_queues_up_to_its_limit_and_drains(bool is_tls)
{
	const size_t size_bytes = QUEUED_BYTES_MAX - 1000;
	uint8_t *bytes = malloc(size_bytes);
	static struct fixture f;

	assert_non_null(bytes);
	for (size_t i = 0; i < size_bytes; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	start(&f, is_tls);
	connect_both(&f);
	stream_read_stop(f.server.stream);
	assert_int_equal(raw_stream_write(&f.client, bytes, size_bytes), ST_OK);
	assert_true(stream_queued_bytes(f.client.stream) > 0);
	assert_int_equal(raw_stream_write(&f.client, bytes, size_bytes), ST_OVERLOADED);
	assert_int_equal(f.client.drained_count, 0);
	stream_read_start(f.server.stream);
	WAIT(&f, f.client.drained_count == 1);
	assert_int_equal(stream_queued_bytes(f.client.stream), 0);
	WAIT(&f, f.server.received.size == size_bytes);
	assert_memory_equal(f.server.received.data, bytes, size_bytes);
	close_raw(&f, &f.client);
	close_raw(&f, &f.server);
	stop(&f);
	free(bytes);
}

static void write_queue_of_plain_tcp_is_bounded(void **state)
{
	(void)state;
	write_queues_up_to_its_limit_and_drains(false);
}

static void write_queue_of_tls_is_bounded(void **state)
{
	(void)state;
	write_queues_up_to_its_limit_and_drains(true);
}

static void both_sides_know_whom_the_certificate_names(void **state)
{
	static struct fixture f;
	struct tls_identity identity;

	(void)state;
	start(&f, true);
	connect_both(&f);
	assert_true(stream_peer_identity(f.client.stream, &identity));
	assert_int_equal(identity.node_id, 1);
	assert_true(stream_peer_identity(f.server.stream, &identity));
	assert_int_equal(identity.node_id, 2);
	close_raw(&f, &f.client);
	close_raw(&f, &f.server);
	stop(&f);
}

static void plain_tcp_knows_no_identity_but_an_address(void **state)
{
	static struct fixture f;
	struct tls_identity identity;

	(void)state;
	start(&f, false);
	connect_both(&f);
	assert_false(stream_peer_identity(f.server.stream, &identity));
	assert_int_equal(strncmp(f.server.stream->peer_name, "127.0.0.1:", 10), 0);
	close_raw(&f, &f.client);
	close_raw(&f, &f.server);
	stop(&f);
}

static void port_without_a_listener_is_unreachable(void **state)
{
	static struct fixture f;
	uint16_t port;

	(void)state;
	start(&f, false);
	port = listener_port(&f.listener);
	listener_stop(&f.listener, on_listener_stopped);
	WAIT(&f, f.is_listener_stopped);
	raw_stream_attach(&f.client, make_client(&f, "127.0.0.1", port));
	WAIT(&f, f.client.ended_count == 1);
	assert_int_equal(f.client.ended_status, ST_UNREACHABLE);
	assert_int_equal(f.client.opened_count, 0);
	close_raw(&f, &f.client);
	test_certs_close(&f.certs);
	runtime_uv_close(&f.runtime);
}

static void name_is_resolved_or_unreachable(void **state)
{
	static struct fixture f;

	(void)state;
	start(&f, false);
	raw_stream_attach(&f.client, make_client(&f, "no such host!", 1));
	WAIT(&f, f.client.ended_count == 1);
	assert_int_equal(f.client.ended_status, ST_UNREACHABLE);
	close_raw(&f, &f.client);
	raw_stream_attach(&f.client, make_client(&f, "localhost", listener_port(&f.listener)));
	close_raw(&f, &f.client); /* while the name is being looked up */
	/* The name may stand for ::1 too, where nobody listens: some attempt hits the other. */
	for (uint32_t attempt = 0; !f.is_accepted; attempt++) {
		assert_true(attempt < 4);
		raw_stream_attach(&f.client,
				  stream_tcp_connect(&f.runtime, "localhost", listener_port(&f.listener),
						     attempt, QUEUED_BYTES_MAX));
		WAIT(&f, f.client.ended_count == 1 || f.is_accepted);
		close_raw(&f, &f.client);
	}
	close_raw(&f, &f.server);
	stop(&f);
}

static void stream_can_be_closed_at_any_moment(bool is_tls)
{
	static struct fixture f;

	start(&f, is_tls);
	for (int turns = 0; turns < 8; turns++) {
		f.is_accepted = false;
		raw_stream_attach(&f.client, make_client(&f, "127.0.0.1", listener_port(&f.listener)));
		for (int i = 0; i < turns && !(f.client.opened_count == 1 && f.server.opened_count == 1); i++)
			runtime_uv_turn(&f.runtime);
		close_raw(&f, &f.client);
		WAIT(&f, f.is_accepted && f.server.ended_count == 1);
		close_raw(&f, &f.server);
		listener_release(&f.listener);
	}
	stop(&f);
}

static void plain_stream_can_be_closed_at_any_moment(void **state)
{
	(void)state;
	stream_can_be_closed_at_any_moment(false);
}

static void tls_stream_can_be_closed_at_any_moment(void **state)
{
	(void)state;
	stream_can_be_closed_at_any_moment(true);
}

static void listener_refuses_what_it_cannot_listen_on(void **state)
{
	static struct fixture f;
	struct listener second;
	struct listener_options options;

	(void)state;
	start(&f, false);
	options = f.listener.options;
	options.host = "localhost"; /* a name, not an address */
	assert_int_equal(listener_start(&second, &options), ST_INVALID);
	options.host = "127.0.0.1";
	options.port = listener_port(&f.listener);
	assert_int_equal(listener_start(&second, &options), ST_EXISTS);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_plain_tcp),
		cmocka_unit_test(bytes_pass_tls),
		cmocka_unit_test(write_queue_of_plain_tcp_is_bounded),
		cmocka_unit_test(write_queue_of_tls_is_bounded),
		cmocka_unit_test(both_sides_know_whom_the_certificate_names),
		cmocka_unit_test(plain_tcp_knows_no_identity_but_an_address),
		cmocka_unit_test(port_without_a_listener_is_unreachable),
		cmocka_unit_test(name_is_resolved_or_unreachable),
		cmocka_unit_test(plain_stream_can_be_closed_at_any_moment),
		cmocka_unit_test(tls_stream_can_be_closed_at_any_moment),
		cmocka_unit_test(listener_refuses_what_it_cannot_listen_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
