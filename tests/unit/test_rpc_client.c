#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>

#include "tests/support/rpc_fixture.h"

static void echo_returns_the_body(bool is_tls)
{
	struct rpc_fixture f;
	struct fixture_call call;

	rpc_fixture_init(&f, is_tls);
	rpc_fixture_start(&f);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "hello", 5000), ST_OK);
	assert_int_equal(call.reply_size, 5);
	assert_memory_equal(call.reply, "hello", 5);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "", 5000), ST_OK);
	assert_int_equal(call.reply_size, 0);
	rpc_fixture_close(&f);
}

static void call_is_answered_over_plain_tcp(void **state)
{
	(void)state;
	echo_returns_the_body(false);
}

static void call_is_answered_over_tls(void **state)
{
	(void)state;
	echo_returns_the_body(true);
}

static void status_and_details_of_a_failure_reach_the_caller(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_FAIL, "hint", 5000), ST_NOT_LEADER);
	assert_memory_equal(call.reply, "hint", 4);
	assert_int_equal(fixture_call_run(&f, &call, 63, "", 5000), ST_UNSUPPORTED);
	rpc_fixture_close(&f);
}

/* A window of calls that start the next one from within done(). */
struct burst {
	struct rpc_call call;
	struct rpc_fixture *fixture;
	uint32_t *left;
	uint32_t *done_count;
	const uint8_t *body;
	uint64_t next_size;
};

static void burst_start(struct burst *burst)
{
	burst->next_size = (burst->next_size * 7 + 13) % 3000;
	burst->call.body = slice_of(burst->body, burst->next_size);
	rpc_call_start(&burst->fixture->client.base, &burst->call);
}

static void on_burst_done(struct rpc_call *call)
{
	struct burst *burst = CONTAINER_OF(call, struct burst, call);

	assert_int_equal(call->status, ST_OK);
	assert_true(slice_equal(call->reply, slice_of(burst->body, burst->next_size)));
	++*burst->done_count;
	if (*burst->left > 0) {
		--*burst->left;
		burst_start(burst);
	}
}

enum { BURST_WINDOW = 100, BURST_CALLS = 10000 };

static void ten_thousand_calls_are_all_answered(bool is_tls)
{
	static uint8_t body[3000];
	static struct burst bursts[BURST_WINDOW];
	struct rpc_fixture f;
	uint32_t left = BURST_CALLS - BURST_WINDOW;
	uint32_t done_count = 0;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31);
	rpc_fixture_init(&f, is_tls);
	rpc_fixture_start(&f);
	for (uint32_t i = 0; i < BURST_WINDOW; i++) {
		bursts[i] = (struct burst){ .fixture = &f, .left = &left, .done_count = &done_count };
		bursts[i].body = body;
		bursts[i].next_size = i;
		bursts[i].call.peer_id = FIXTURE_NODE_ID;
		bursts[i].call.method = FIXTURE_ECHO;
		bursts[i].call.timeout_ms = 20000;
		bursts[i].call.done = on_burst_done;
		burst_start(&bursts[i]);
	}
	FIXTURE_WAIT(&f, done_count == BURST_CALLS);
	assert_int_equal(f.handled_count, BURST_CALLS);
	rpc_fixture_close(&f);
}

static void ten_thousand_calls_are_answered_over_plain_tcp(void **state)
{
	(void)state;
	ten_thousand_calls_are_all_answered(false);
}

static void ten_thousand_calls_are_answered_over_tls(void **state)
{
	(void)state;
	ten_thousand_calls_are_all_answered(true);
}

static void body_of_largest_size_arrives_and_a_larger_one_is_refused(bool is_tls)
{
	struct rpc_fixture f;
	struct fixture_call call;
	size_t size_bytes = WIRE_FRAME_BODY_SIZE_MAX;
	uint8_t *body = calloc(1, size_bytes + 1);

	assert_non_null(body);
	rpc_fixture_init(&f, is_tls);
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &call, 63, "", 5000); /* fills in the call */
	FIXTURE_WAIT(&f, call.done_count == 1);
	call.call.method = FIXTURE_ECHO;
	call.call.timeout_ms = 20000;
	call.call.body = slice_of(body, size_bytes);
	rpc_call_start(&f.client.base, &call.call);
	FIXTURE_WAIT(&f, call.done_count == 2);
	assert_int_equal(call.status, ST_OK);
	assert_int_equal(call.reply_size, size_bytes);
	call.call.body.size++;
	rpc_call_start(&f.client.base, &call.call);
	FIXTURE_WAIT(&f, call.done_count == 3);
	assert_int_equal(call.status, ST_TOO_BIG);
	rpc_fixture_close(&f);
	free(body);
}

static void largest_body_passes_plain_tcp(void **state)
{
	(void)state;
	body_of_largest_size_arrives_and_a_larger_one_is_refused(false);
}

static void largest_body_passes_tls(void **state)
{
	(void)state;
	body_of_largest_size_arrives_and_a_larger_one_is_refused(true);
}

static void call_to_an_unknown_peer_or_one_that_is_down_is_unreachable(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start_server(&f);
	rpc_fixture_start_client(&f); /* not up yet: no loop turn has passed */
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_UNREACHABLE);
	FIXTURE_WAIT(&f, f.up_count == 1);
	f.client.base.ops->remove_peer(&f.client.base, FIXTURE_NODE_ID);
	assert_int_equal(f.down_count, 1);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_UNREACHABLE);
	assert_int_equal(rpc_post(&f.client.base, FIXTURE_NODE_ID, FIXTURE_ECHO, slice_of("x", 1)),
			 ST_UNREACHABLE);
	rpc_fixture_close(&f);
}

static void deadline_ends_a_call_that_is_not_answered(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;
	uint64_t start_us;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	start_us = runtime_mono_us(&f.runtime.base);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_HOLD, "x", 30), ST_TIMEOUT);
	assert_true(runtime_mono_us(&f.runtime.base) - start_us >= 30000);
	rpc_fixture_answer_held(&f, ST_OK); /* the late reply finds nobody */
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "y", 5000), ST_OK);
	assert_memory_equal(call.reply, "y", 1);
	rpc_fixture_close(&f);
}

static void cancel_ends_a_call_once_and_not_at_once(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &call, FIXTURE_HOLD, "x", 5000);
	FIXTURE_WAIT(&f, f.held_count == 1);
	rpc_call_cancel(&call.call);
	rpc_call_cancel(&call.call);
	assert_int_equal(call.done_count, 0);
	FIXTURE_WAIT(&f, call.done_count == 1);
	assert_int_equal(call.status, ST_CANCELED);
	rpc_call_cancel(&call.call); /* harmless afterwards */
	rpc_fixture_answer_held(&f, ST_OK);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "y", 5000), ST_OK);
	rpc_fixture_close(&f);
}

static void broken_connection_ends_calls_in_flight_at_once(void **state)
{
	struct rpc_fixture f;
	struct fixture_call calls[3];

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	for (int i = 0; i < 3; i++)
		fixture_call_start(&f.client.base, &calls[i], FIXTURE_HOLD, "x", 60000);
	FIXTURE_WAIT(&f, f.held_count == 3);
	rpc_server_stop(&f.server, 0, rpc_fixture_server_stopped);
	FIXTURE_WAIT(&f, f.down_count == 1);
	FIXTURE_WAIT(&f, calls[2].done_count == 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(calls[i].status, ST_CLOSED);
	assert_false(f.client.base.ops->is_up(&f.client.base, FIXTURE_NODE_ID));
	assert_true(f.is_server_running); /* the service still has its requests */
	rpc_fixture_answer_held(&f, ST_OK);
	FIXTURE_WAIT(&f, !f.is_server_running);
	rpc_fixture_close(&f);
}

static void client_reconnects_after_the_server_restarted(bool is_tls)
{
	struct rpc_fixture f;
	struct fixture_call call;

	rpc_fixture_init(&f, is_tls);
	rpc_fixture_start(&f);
	for (uint32_t round = 1; round <= 3; round++) {
		rpc_fixture_stop_server(&f, 100);
		FIXTURE_WAIT(&f, f.down_count == round);
		assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_UNREACHABLE);
		rpc_fixture_start_server(&f);
		FIXTURE_WAIT(&f, f.up_count == round + 1);
		assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OK);
	}
	rpc_fixture_close(&f);
}

static void client_reconnects_over_plain_tcp(void **state)
{
	(void)state;
	client_reconnects_after_the_server_restarted(false);
}

static void client_reconnects_over_tls(void **state)
{
	(void)state;
	client_reconnects_after_the_server_restarted(true);
}

static void too_many_calls_to_one_peer_are_shed_by_the_client(void **state)
{
	struct rpc_fixture f;
	struct fixture_call first;
	struct fixture_call second;

	(void)state;
	rpc_fixture_init(&f, false);
	f.client_options.calls_per_peer_max = 1;
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &first, FIXTURE_HOLD, "x", 5000);
	assert_int_equal(fixture_call_run(&f, &second, FIXTURE_ECHO, "x", 5000), ST_OVERLOADED);
	FIXTURE_WAIT(&f, f.held_count == 1);
	rpc_fixture_answer_held(&f, ST_OK);
	FIXTURE_WAIT(&f, first.done_count == 1);
	assert_int_equal(fixture_call_run(&f, &second, FIXTURE_ECHO, "x", 5000), ST_OK);
	rpc_fixture_close(&f);
}

static void server_with_another_node_id_is_refused_by_the_client(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, false);
	f.server_options.own.node_id = 2;
	rpc_fixture_start_server(&f);
	rpc_fixture_start_client(&f);
	FIXTURE_WAIT(&f, f.refused_count >= 2); /* and it tries again */
	assert_int_equal(f.refused_status, ST_DENIED);
	assert_int_equal(f.up_count, 0);
	rpc_fixture_close(&f);
}

static void posts_arrive_in_order_without_a_reply(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;
	const char *letters = "abcdefgh";

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			rpc_post(&f.client.base, FIXTURE_NODE_ID, FIXTURE_HOLD, slice_of(letters + i, 1)),
			ST_OK);
	assert_int_equal(fixture_call_run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_OK);
	assert_int_equal(f.held_count, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_true(f.held[i]->is_one_way);
		assert_int_equal(f.held[i]->body.data[0], letters[i]);
	}
	rpc_fixture_close(&f);
}

/* ---- a port that accepts and never says a word ---- */

static void on_connection(uv_stream_t *server, int status)
{
	(void)server; /* the kernel has accepted; nobody answers */
	(void)status;
}

static void silent_peer_is_given_up_and_tried_again(void **state)
{
	struct rpc_fixture f;
	struct sockaddr_storage address;
	int address_size = sizeof(address);
	uv_tcp_t silent;

	(void)state;
	rpc_fixture_init(&f, false);
	assert_int_equal(uv_tcp_init(&f.runtime.loop, &silent), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&address), 0);
	assert_int_equal(uv_tcp_bind(&silent, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&silent, 8, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&silent, (struct sockaddr *)&address, &address_size), 0);
	f.port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	f.client_options.connect_timeout_ms = 30;
	rpc_fixture_start_client(&f);
	FIXTURE_WAIT(&f, f.client.connection_count == 1);
	FIXTURE_WAIT(&f, f.client.connection_count == 0); /* given up */
	FIXTURE_WAIT(&f, f.client.connection_count == 1); /* and tried again */
	assert_int_equal(f.up_count, 0);
	uv_close((uv_handle_t *)&silent, NULL);
	rpc_fixture_stop_client(&f);
	rpc_fixture_close(&f);
}

static void client_wants_exactly_one_of_tls_and_insecure(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, false);
	f.client_options.is_insecure = false;
	assert_int_equal(rpc_client_init(&f.client, &f.client_options), ST_INVALID);
	f.server_options.is_insecure = false;
	assert_int_equal(rpc_server_start(&f.server, &f.server_options), ST_INVALID);
	rpc_fixture_close(&f);
}

static void stopping_the_client_ends_its_calls(void **state)
{
	struct rpc_fixture f;
	struct fixture_call call;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	fixture_call_start(&f.client.base, &call, FIXTURE_HOLD, "x", 5000);
	rpc_fixture_stop_client(&f);
	assert_int_equal(call.done_count, 1);
	assert_int_equal(call.status, ST_CLOSED);
	rpc_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_is_answered_over_plain_tcp),
		cmocka_unit_test(call_is_answered_over_tls),
		cmocka_unit_test(status_and_details_of_a_failure_reach_the_caller),
		cmocka_unit_test(ten_thousand_calls_are_answered_over_plain_tcp),
		cmocka_unit_test(ten_thousand_calls_are_answered_over_tls),
		cmocka_unit_test(largest_body_passes_plain_tcp),
		cmocka_unit_test(largest_body_passes_tls),
		cmocka_unit_test(call_to_an_unknown_peer_or_one_that_is_down_is_unreachable),
		cmocka_unit_test(deadline_ends_a_call_that_is_not_answered),
		cmocka_unit_test(cancel_ends_a_call_once_and_not_at_once),
		cmocka_unit_test(broken_connection_ends_calls_in_flight_at_once),
		cmocka_unit_test(client_reconnects_over_plain_tcp),
		cmocka_unit_test(client_reconnects_over_tls),
		cmocka_unit_test(too_many_calls_to_one_peer_are_shed_by_the_client),
		cmocka_unit_test(server_with_another_node_id_is_refused_by_the_client),
		cmocka_unit_test(posts_arrive_in_order_without_a_reply),
		cmocka_unit_test(silent_peer_is_given_up_and_tried_again),
		cmocka_unit_test(client_wants_exactly_one_of_tls_and_insecure),
		cmocka_unit_test(stopping_the_client_ends_its_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
