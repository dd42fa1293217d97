#include "tests/support/rpc_fixture.h"

static void handle(struct rpc_service *service, struct rpc_request *request)
{
	struct rpc_fixture *fixture = CONTAINER_OF(service, struct rpc_fixture, service);

	fixture->handled_count++;
	fixture->last_caller_id = request->caller_id;
	if (request->method == FIXTURE_ECHO) {
		rpc_request_reply(request, ST_OK, request->body);
	} else if (request->method == FIXTURE_FAIL) {
		rpc_request_reply(request, ST_NOT_LEADER, request->body);
	} else if (request->method == FIXTURE_HOLD) {
		CHECK(fixture->held_count < FIXTURE_HELD_MAX);
		fixture->held[fixture->held_count++] = request;
	} else {
		rpc_request_reply_status(request, ST_UNSUPPORTED);
	}
}

static void on_changed(struct rpc_peer_observer *observer, uint64_t peer_id, bool is_up)
{
	struct rpc_fixture *fixture = CONTAINER_OF(observer, struct rpc_fixture, observer);

	CHECK(peer_id == FIXTURE_NODE_ID);
	if (is_up)
		fixture->up_count++;
	else
		fixture->down_count++;
}

static void on_refused(void *context, uint64_t peer_id, enum status status)
{
	struct rpc_fixture *fixture = context;

	CHECK(peer_id == FIXTURE_NODE_ID);
	fixture->refused_count++;
	fixture->refused_status = status;
}

static void on_patience_over(struct runtime_timer *timer)
{
	(void)timer;
	CHECK(false && "the test waits for something that does not happen");
}

void rpc_fixture_start_patience(struct rpc_fixture *fixture)
{
	runtime_timer_start(&fixture->runtime.base, &fixture->patience, FIXTURE_PATIENCE_MS * 1000ull);
}

static void make_contexts(struct rpc_fixture *fixture)
{
	test_certs_make_ca(&fixture->certs, "ca");
	test_certs_make_ca(&fixture->certs, "other-ca");
	test_certs_issue(&fixture->certs, "ca", "node-1", "node-1", 3600);
	test_certs_issue(&fixture->certs, "ca", "coordinator", "coordinator", 3600);
	fixture->server_tls = test_certs_context(&fixture->certs, "ca", "node-1");
	fixture->client_tls = test_certs_context(&fixture->certs, "ca", "coordinator");
}

void rpc_fixture_init(struct rpc_fixture *fixture, bool is_tls)
{
	static const struct rpc_identity node = { .cluster_id = "0123456789abcde",
						  .role = RPC_ROLE_NODE,
						  .node_id = FIXTURE_NODE_ID };
	static const struct rpc_identity coordinator = { .cluster_id = "0123456789abcde",
							 .role = RPC_ROLE_COORDINATOR };

	*fixture = (struct rpc_fixture){ .service.handle = handle, .observer.changed = on_changed };
	CHECK(runtime_uv_init(&fixture->runtime, 1) == ST_OK);
	runtime_timer_init(&fixture->patience, on_patience_over);
	test_certs_init(&fixture->certs);
	if (is_tls)
		make_contexts(fixture);
	fixture->server_options = (struct rpc_server_options){ .runtime = &fixture->runtime,
							       .host = "127.0.0.1",
							       .own = node,
							       .tls = fixture->server_tls,
							       .is_insecure = !is_tls,
							       .service = &fixture->service };
	fixture->client_options = (struct rpc_client_options){ .runtime = &fixture->runtime,
							       .own = coordinator,
							       .tls = fixture->client_tls,
							       .is_insecure = !is_tls,
							       .refused = on_refused,
							       .context = fixture };
}

void rpc_fixture_start_server(struct rpc_fixture *fixture)
{
	fixture->server_options.port = fixture->port;
	CHECK(rpc_server_start(&fixture->server, &fixture->server_options) == ST_OK);
	fixture->port = rpc_server_port(&fixture->server);
	fixture->is_server_running = true;
}

void rpc_fixture_start_client(struct rpc_fixture *fixture)
{
	struct rpc_transport *transport = &fixture->client.base;

	CHECK(rpc_client_init(&fixture->client, &fixture->client_options) == ST_OK);
	fixture->is_client_running = true;
	queue_push_tail(&transport->observers, &fixture->observer.link);
	transport->ops->set_peer(transport, FIXTURE_NODE_ID, "127.0.0.1", fixture->port);
}

void rpc_fixture_start(struct rpc_fixture *fixture)
{
	rpc_fixture_start_server(fixture);
	rpc_fixture_start_client(fixture);
	FIXTURE_WAIT(fixture, fixture->up_count == 1);
}

void rpc_fixture_server_stopped(struct rpc_server *server)
{
	CONTAINER_OF(server, struct rpc_fixture, server)->is_server_running = false;
}

void rpc_fixture_stop_server(struct rpc_fixture *fixture, uint32_t grace_ms)
{
	rpc_server_stop(&fixture->server, grace_ms, rpc_fixture_server_stopped);
	FIXTURE_WAIT(fixture, !fixture->is_server_running);
}

static void on_client_stopped(struct rpc_client *client)
{
	CONTAINER_OF(client, struct rpc_fixture, client)->is_client_running = false;
}

void rpc_fixture_stop_client(struct rpc_fixture *fixture)
{
	rpc_client_stop(&fixture->client, on_client_stopped);
	FIXTURE_WAIT(fixture, !fixture->is_client_running);
}

void rpc_fixture_answer_held(struct rpc_fixture *fixture, enum status status)
{
	for (uint32_t i = 0; i < fixture->held_count; i++)
		rpc_request_reply(fixture->held[i], status, fixture->held[i]->body);
	fixture->held_count = 0;
}

void rpc_fixture_close(struct rpc_fixture *fixture)
{
	rpc_fixture_answer_held(fixture, ST_OK);
	if (fixture->is_client_running)
		rpc_fixture_stop_client(fixture);
	if (fixture->is_server_running)
		rpc_fixture_stop_server(fixture, 0);
	tls_context_destroy(fixture->server_tls);
	tls_context_destroy(fixture->client_tls);
	test_certs_close(&fixture->certs);
	runtime_uv_close(&fixture->runtime);
}

static void on_done(struct rpc_call *base)
{
	struct fixture_call *call = CONTAINER_OF(base, struct fixture_call, call);

	call->done_count++;
	call->status = base->status;
	call->reply_size = base->reply.size;
	if (base->reply.size > 0 && base->reply.size <= sizeof(call->reply))
		memcpy(call->reply, base->reply.data, base->reply.size);
}

void fixture_call_start(struct rpc_transport *transport, struct fixture_call *call, uint16_t method,
			const char *body, uint32_t timeout_ms)
{
	*call = (struct fixture_call){ .call = { .peer_id = FIXTURE_NODE_ID,
						 .method = method,
						 .timeout_ms = timeout_ms,
						 .body = slice_of_string(body),
						 .done = on_done } };
	rpc_call_start(transport, &call->call);
	CHECK(call->done_count == 0);
}

enum status fixture_call_run(struct rpc_fixture *fixture, struct fixture_call *call, uint16_t method,
			     const char *body, uint32_t timeout_ms)
{
	fixture_call_start(&fixture->client.base, call, method, body, timeout_ms);
	FIXTURE_WAIT(fixture, call->done_count > 0);
	CHECK(call->done_count == 1 && !call->call.is_in_flight);
	return call->status;
}
