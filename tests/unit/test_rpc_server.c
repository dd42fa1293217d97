#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/net/stream_tcp.h"
#include "proto/net/stream_tls.h"
#include "proto/rpc/rpc_conn.h"
#include "proto/wire/methods.h"
#include "tests/support/raw_stream.h"
#include "tests/support/rpc_fixture.h"

static void refusal_is_told(struct rpc_fixture *f, enum status status)
{
	rpc_fixture_start_server(f);
	rpc_fixture_start_client(f);
	FIXTURE_WAIT(f, f->refused_count >= 2); /* told, and tried again */
	assert_int_equal(f->refused_status, status);
	assert_int_equal(f->up_count, 0);
	assert_int_equal(f->handled_count, 0);
	rpc_fixture_close(f);
}

static void peer_of_another_cluster_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, false);
	f.client_options.own.cluster_id[0] ^= 1;
	refusal_is_told(&f, ST_WRONG_CLUSTER);
}

static enum status admit_nobody(void *context, const struct rpc_identity *peer)
{
	struct rpc_fixture *f = context;

	assert_int_equal(peer->role, RPC_ROLE_NODE);
	assert_int_equal(peer->node_id, 7);
	assert_memory_equal(peer->incarnation, f->client_options.own.incarnation, RPC_INCARNATION_SIZE);
	return ST_FORGOTTEN;
}

static void peer_that_admit_refuses_hears_the_reason(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, false);
	f.client_options.own.role = RPC_ROLE_NODE;
	f.client_options.own.node_id = 7;
	f.client_options.own.incarnation[3] = 9;
	f.server_options.admit = admit_nobody;
	f.server_options.context = &f;
	refusal_is_told(&f, ST_FORGOTTEN);
}

static void use_client_certificate(struct rpc_fixture *f, const char *ca, const char *common_name,
				   long valid_s)
{
	test_certs_issue(&f->certs, ca, "special", common_name, valid_s);
	tls_context_destroy(f->client_tls);
	f->client_tls = test_certs_context(&f->certs, "ca", "special");
	f->client_options.tls = f->client_tls;
}

static void certificate_of_another_ca_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "other-ca", "coordinator", 3600);
	refusal_is_told(&f, ST_DENIED);
}

static void expired_certificate_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "ca", "coordinator", -60);
	refusal_is_told(&f, ST_DENIED);
}

static void certificate_of_another_role_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "ca", "tool", 3600);
	refusal_is_told(&f, ST_DENIED);
}

static void certificate_of_another_node_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "ca", "node-8", 3600);
	f.client_options.own.role = RPC_ROLE_NODE;
	f.client_options.own.node_id = 7;
	refusal_is_told(&f, ST_DENIED);
}

static void certificate_with_a_meaningless_name_is_refused(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "ca", "somebody", 3600);
	refusal_is_told(&f, ST_DENIED);
}

static void server_with_a_certificate_of_another_ca_is_refused_by_the_client(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, true);
	test_certs_issue(&f.certs, "other-ca", "special", "node-1", 3600);
	tls_context_destroy(f.server_tls);
	f.server_tls = test_certs_context(&f.certs, "ca", "special");
	f.server_options.tls = f.server_tls;
	refusal_is_told(&f, ST_DENIED);
}

static void request_carries_the_authenticated_caller(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, true);
	use_client_certificate(&f, "ca", "node-7", 3600);
	f.client_options.own.role = RPC_ROLE_NODE;
	f.client_options.own.node_id = 7;
	rpc_fixture_start(&f);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OK);
	assert_int_equal(f.last_caller_id, 7);
	rpc_fixture_close(&f);
}

/* ---- peers that speak bytes ---- */

static void connect_raw(struct rpc_fixture *f, struct raw_stream *raw)
{
	raw_stream_attach(raw,
			  stream_tcp_connect(&f->runtime, "127.0.0.1", f->port, 0, RPC_QUEUED_BYTES_MAX));
	FIXTURE_WAIT(f, raw->opened_count == 1);
}

static void close_raw(struct rpc_fixture *f, struct raw_stream *raw)
{
	stream_close(raw->stream);
	FIXTURE_WAIT(f, raw->is_closed);
	raw_stream_close(raw);
}

/* Whatever it is, the server closes and goes on serving others. */
static void bytes_are_refused(bool is_tls, struct slice bytes)
{
	struct rpc_fixture f;
	struct raw_stream raw;
	struct fixture_call call;

	rpc_fixture_init(&f, is_tls);
	rpc_fixture_start(&f);
	connect_raw(&f, &raw);
	assert_int_equal(raw_stream_write(&raw, bytes.data, bytes.size), ST_OK);
	FIXTURE_WAIT(&f, raw.ended_count == 1);
	assert_int_equal(raw.ended_status, ST_CLOSED);
	close_raw(&f, &raw);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OK);
	assert_int_equal(f.handled_count, 1);
	rpc_fixture_close(&f);
}

static void garbage_closes_the_connection(void **state)
{
	(void)state;
	bytes_are_refused(false, slice_of_string("GET / HTTP/1.1\r\n\r\n"));
}

static void garbage_closes_a_tls_connection(void **state)
{
	(void)state;
	bytes_are_refused(true, slice_of_string("GET / HTTP/1.1\r\n\r\n"));
}

static void plain_hello_to_a_tls_port_is_refused(void **state)
{
	const struct rpc_identity own = { .cluster_id = "0123456789abcde", .role = RPC_ROLE_COORDINATOR };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	rpc_hello_append(&out, &own, ST_OK);
	bytes_are_refused(true, buf_slice(&out));
	buf_close(&out);
}

static void request_before_the_hello_closes_the_connection(void **state)
{
	const struct wire_frame frame = { .type = WIRE_FRAME_REQUEST,
					  .method = FIXTURE_ECHO,
					  .timeout_ms = 1000 };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	wire_frame_append(&out, &frame);
	bytes_are_refused(false, buf_slice(&out));
	buf_close(&out);
}

static void large_body_before_the_hello_closes_the_connection(void **state)
{
	static uint8_t body[RPC_HELLO_BODY_SIZE_MAX + 1];
	const struct wire_frame frame = { .type = WIRE_FRAME_HELLO, .body = slice_of(body, sizeof(body)) };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	wire_frame_append(&out, &frame);
	bytes_are_refused(false, slice_of(out.data, WIRE_FRAME_HEADER_SIZE)); /* the header is enough */
	buf_close(&out);
}

static void hello_with_another_protocol_version_is_answered_with_the_reason(void **state)
{
	static const uint8_t body[] = { 0x08, 0x02 }; /* protocol_version = 2 */
	const struct wire_frame hello = { .type = WIRE_FRAME_HELLO,
					  .method = METHOD_HELLO,
					  .body = { body, sizeof(body) } };
	struct rpc_fixture f;
	struct raw_stream raw;
	struct wire_frame answer;
	struct buf out;
	size_t size_bytes;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start_server(&f);
	connect_raw(&f, &raw);
	buf_init(&out, 4096);
	wire_frame_append(&out, &hello);
	assert_int_equal(raw_stream_write(&raw, out.data, out.size), ST_OK);
	FIXTURE_WAIT(&f, raw.ended_count == 1);
	assert_int_equal(wire_frame_decode(buf_slice(&raw.received), 1024, &answer, &size_bytes), ST_OK);
	assert_int_equal(size_bytes, raw.received.size);
	assert_int_equal(answer.type, WIRE_FRAME_HELLO);
	assert_int_equal(answer.status, ST_VERSION);
	buf_close(&out);
	close_raw(&f, &raw);
	rpc_fixture_close(&f);
}

/* A client of another make, on a pool thread: trusts anybody, shows no certificate. */
struct bare_client {
	struct runtime_job job;
	uint16_t port;
	bool is_done;
	int reason; /* OpenSSL's, of the read after the handshake */
};

static void run_bare_client(struct runtime_job *job)
{
	struct bare_client *client = CONTAINER_OF(job, struct bare_client, job);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(client->port) };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *session = SSL_new(ctx);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(SSL_set_fd(session, fd) == 1);
	CHECK(SSL_connect(session) == 1); /* in TLS 1.3 the client is done before it is judged */
	CHECK(SSL_read(session, &byte, 1) <= 0);
	client->reason = ERR_GET_REASON(ERR_peek_error());
	SSL_free(session);
	SSL_CTX_free(ctx);
	CHECK(close(fd) == 0);
}

static void on_bare_client_done(struct runtime_job *job)
{
	CONTAINER_OF(job, struct bare_client, job)->is_done = true;
}

static void peer_without_a_certificate_is_refused(void **state)
{
	struct rpc_fixture f;
	struct bare_client client = { .job.work = run_bare_client, .job.done = on_bare_client_done };

	(void)state;
	rpc_fixture_init(&f, true);
	rpc_fixture_start_server(&f);
	client.port = f.port;
	runtime_submit(&f.runtime.base, &client.job);
	FIXTURE_WAIT(&f, client.is_done);
	assert_int_equal(client.reason, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
	assert_int_equal(f.handled_count, 0);
	rpc_fixture_close(&f);
}

static void chain_that_the_server_does_not_trust_is_denied_on_the_wire(void **state)
{
	struct rpc_fixture f;
	struct raw_stream raw;

	(void)state;
	rpc_fixture_init(&f, true);
	tls_context_destroy(f.server_tls);
	f.server_tls = test_certs_context(&f.certs, "other-ca", "node-1");
	f.server_options.tls = f.server_tls;
	rpc_fixture_start_server(&f);
	raw_stream_attach(&raw,
			  stream_tls_create(&f.runtime.base,
					    stream_tcp_connect(&f.runtime, "127.0.0.1", f.port, 0, 4096),
					    f.client_tls, false));
	FIXTURE_WAIT(&f, raw.ended_count == 1);
	assert_int_equal(raw.ended_status, ST_DENIED);
	close_raw(&f, &raw);
	rpc_fixture_close(&f);
}

static void peer_that_never_says_hello_is_closed(void **state)
{
	struct rpc_fixture f;
	struct raw_stream raw;

	(void)state;
	rpc_fixture_init(&f, false);
	f.server_options.connect_timeout_ms = 20;
	rpc_fixture_start_server(&f);
	connect_raw(&f, &raw);
	FIXTURE_WAIT(&f, raw.ended_count == 1);
	close_raw(&f, &raw);
	rpc_fixture_close(&f);
}

static void connections_over_the_limit_are_closed(void **state)
{
	struct rpc_fixture f;
	struct raw_stream raw;

	(void)state;
	rpc_fixture_init(&f, false);
	f.server_options.connection_count_max = 1;
	rpc_fixture_start(&f);
	connect_raw(&f, &raw);
	FIXTURE_WAIT(&f, raw.ended_count == 1);
	assert_int_equal(f.server.listener.refused_count, 1);
	close_raw(&f, &raw);
	rpc_fixture_close(&f);
}

/* ---- load and end ---- */

static void requests_over_the_limit_of_a_connection_are_shed_at_once(void **state)
{
	struct rpc_fixture f;
	struct fixture_call held[2];
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	f.server_options.requests_per_connection_max = 2;
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &held[0], FIXTURE_HOLD, "x", 5000);
	fixture_call_start(&f.client.base, &held[1], FIXTURE_HOLD, "x", 5000);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OVERLOADED);
	assert_int_equal(f.held_count, 2);
	rpc_fixture_answer_held(&f, ST_OK);
	FIXTURE_WAIT(&f, held[1].done_count == 1);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OK);
	rpc_fixture_close(&f);
}

static void requests_over_the_total_limit_are_shed_at_once(void **state)
{
	struct rpc_fixture f;
	struct fixture_call held;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	f.server_options.requests_max = 1;
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &held, FIXTURE_HOLD, "x", 5000);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OVERLOADED);
	rpc_fixture_close(&f);
}

static void body_stays_valid_until_the_reply(void **state)
{
	static char large[8000];
	struct rpc_fixture f;
	struct fixture_call held[64];

	(void)state;
	memset(large, 'a', sizeof(large) - 1);
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	for (int i = 0; i < 64; i++) {
		large[0] = (char)('0' + i);
		large[7] = (char)(i % 2 == 0 ? 'a' : 0); /* large and small bodies */
		fixture_call_start(&f.client.base, &held[i], FIXTURE_HOLD, large, 20000);
	}
	FIXTURE_WAIT(&f, f.held_count == 64);
	rpc_fixture_answer_held(&f, ST_OK);
	FIXTURE_WAIT(&f, held[63].done_count == 1);
	for (int i = 0; i < 64; i++)
		assert_int_equal(held[i].reply_size, i % 2 == 0 ? sizeof(large) - 1 : 7);
	assert_int_equal(held[63].reply[0], '0' + 63);
	rpc_fixture_close(&f);
}

static void stop_waits_for_requests_under_way_and_refuses_new_ones(void **state)
{
	struct rpc_fixture f;
	struct fixture_call held;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &held, FIXTURE_HOLD, "x", 20000);
	FIXTURE_WAIT(&f, f.held_count == 1);
	rpc_server_stop(&f.server, 20000, rpc_fixture_server_stopped);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_UNAVAILABLE);
	assert_true(f.is_server_running);
	rpc_fixture_answer_held(&f, ST_OK);
	FIXTURE_WAIT(&f, !f.is_server_running);
	FIXTURE_WAIT(&f, held.done_count == 1);
	assert_int_equal(held.status, ST_OK); /* the answer was sent before the end */
	rpc_fixture_close(&f);
}

static void port_in_use_is_reported(void **state)
{
	struct rpc_fixture f;
	struct rpc_server second;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start_server(&f);
	f.server_options.port = f.port;
	assert_int_equal(rpc_server_start(&second, &f.server_options), ST_EXISTS);
	f.server_options.host = "no address";
	assert_int_equal(rpc_server_start(&second, &f.server_options), ST_INVALID);
	rpc_fixture_close(&f);
}

static void on_pause_over(struct runtime_timer *timer)
{
	(void)timer; /* that it is not active any more says it all */
}

/* A peer that asks and does not read makes the server stop reading from it. */
static void peer_that_does_not_read_is_not_read_from(void **state)
{
	static uint8_t body[1024 * 1024];
	const struct rpc_identity own = { .cluster_id = "0123456789abcde", .role = RPC_ROLE_COORDINATOR };
	const struct wire_frame frame = { .type = WIRE_FRAME_REQUEST,
					  .method = FIXTURE_ECHO,
					  .timeout_ms = 60000,
					  .body = { body, sizeof(body) } };
	enum { REQUESTS = 64 };
	struct rpc_fixture f;
	struct raw_stream raw;
	struct buf out;
	struct runtime_timer pause;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start_server(&f);
	connect_raw(&f, &raw);
	buf_init(&out, 80u * 1024 * 1024);
	rpc_hello_append(&out, &own, ST_OK);
	for (int i = 0; i < REQUESTS; i++)
		wire_frame_append(&out, &frame);
	assert_int_equal(out.status, ST_OK);
	stream_read_stop(raw.stream);
	assert_int_equal(raw_stream_write(&raw, out.data, out.size), ST_OK);
	FIXTURE_WAIT(&f, f.handled_count >= RPC_QUEUED_BYTES_PAUSE / sizeof(body));
	runtime_timer_init(&pause, on_pause_over);
	runtime_timer_start(&f.runtime.base, &pause,
			    50 * 1000); /* enough to handle all, if it wrongly went on */
	FIXTURE_WAIT(&f, !runtime_timer_is_active(&pause));
	assert_true(f.handled_count < REQUESTS);
	stream_read_start(raw.stream);
	FIXTURE_WAIT(&f, f.handled_count == REQUESTS);
	FIXTURE_WAIT(&f, raw.received.size > REQUESTS * sizeof(body));
	buf_close(&out);
	close_raw(&f, &raw);
	rpc_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_of_another_cluster_is_refused),
		cmocka_unit_test(peer_that_admit_refuses_hears_the_reason),
		cmocka_unit_test(certificate_of_another_ca_is_refused),
		cmocka_unit_test(expired_certificate_is_refused),
		cmocka_unit_test(certificate_of_another_role_is_refused),
		cmocka_unit_test(certificate_of_another_node_is_refused),
		cmocka_unit_test(certificate_with_a_meaningless_name_is_refused),
		cmocka_unit_test(server_with_a_certificate_of_another_ca_is_refused_by_the_client),
		cmocka_unit_test(request_carries_the_authenticated_caller),
		cmocka_unit_test(garbage_closes_the_connection),
		cmocka_unit_test(garbage_closes_a_tls_connection),
		cmocka_unit_test(plain_hello_to_a_tls_port_is_refused),
		cmocka_unit_test(request_before_the_hello_closes_the_connection),
		cmocka_unit_test(large_body_before_the_hello_closes_the_connection),
		cmocka_unit_test(hello_with_another_protocol_version_is_answered_with_the_reason),
		cmocka_unit_test(peer_without_a_certificate_is_refused),
		cmocka_unit_test(chain_that_the_server_does_not_trust_is_denied_on_the_wire),
		cmocka_unit_test(peer_that_never_says_hello_is_closed),
		cmocka_unit_test(connections_over_the_limit_are_closed),
		cmocka_unit_test(requests_over_the_limit_of_a_connection_are_shed_at_once),
		cmocka_unit_test(requests_over_the_total_limit_are_shed_at_once),
		cmocka_unit_test(body_stays_valid_until_the_reply),
		cmocka_unit_test(stop_waits_for_requests_under_way_and_refuses_new_ones),
		cmocka_unit_test(port_in_use_is_reported),
		cmocka_unit_test(peer_that_does_not_read_is_not_read_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
