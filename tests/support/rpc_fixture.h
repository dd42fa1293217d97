/* One loop with an echo server (node 1) and a client on it, for tests of calls.
 *
 * The service answers FIXTURE_ECHO with the body, FIXTURE_FAIL with ST_NOT_LEADER and the
 * body, and keeps FIXTURE_HOLD until rpc_fixture_answer_held().
 *
 * Threads  one.
 * Memory   the caller owns the fixture; everything is closed by rpc_fixture_close().
 * Errors   a wait that takes over FIXTURE_PATIENCE_MS ends the program.
 */
#ifndef TESTS_SUPPORT_RPC_FIXTURE_H
#define TESTS_SUPPORT_RPC_FIXTURE_H

#include <stdbool.h>

#include "proto/base/runtime_uv.h"
#include "proto/rpc/rpc_client.h"
#include "proto/rpc/rpc_server.h"
#include "tests/support/test_certs.h"

enum { FIXTURE_ECHO = 20, FIXTURE_FAIL = 21, FIXTURE_HOLD = 22 };
enum { FIXTURE_NODE_ID = 1, FIXTURE_HELD_MAX = 256, FIXTURE_PATIENCE_MS = 20000 };

struct rpc_fixture {
	struct runtime_uv runtime;
	struct runtime_timer patience;
	struct test_certs certs;
	struct tls_context *server_tls; /* NULL: plain */
	struct tls_context *client_tls;
	struct rpc_server_options server_options; /* change before rpc_fixture_start_server() */
	struct rpc_client_options client_options; /* change before rpc_fixture_start_client() */
	struct rpc_server server;
	struct rpc_client client;
	bool is_server_running;
	bool is_client_running;
	uint16_t port; /* stays the same over restarts of the server */
	struct rpc_service service;
	struct rpc_request *held[FIXTURE_HELD_MAX];
	uint32_t held_count;
	uint64_t handled_count;
	uint64_t last_caller_id;
	struct rpc_peer_observer observer;
	uint32_t up_count;
	uint32_t down_count;
	uint32_t refused_count;
	enum status refused_status;
};

/* One call that remembers how it ended. */
struct fixture_call {
	struct rpc_call call;
	uint32_t done_count;
	enum status status;
	uint8_t reply[256]; /* the beginning */
	size_t reply_size;
};

/* Run loop turns until the condition holds. */
#define FIXTURE_WAIT(fixture, condition)                                                                     \
	do {                                                                                                 \
		rpc_fixture_start_patience(fixture);                                                         \
		while (!(condition))                                                                         \
			runtime_uv_turn(&(fixture)->runtime);                                                \
		runtime_timer_stop(&(fixture)->runtime.base, &(fixture)->patience);                          \
	} while (0)

/* Options are filled in, nothing runs yet.  With TLS: CAs "ca" and "other-ca" exist, the
 * server shows "node-1", the client "coordinator". */
void rpc_fixture_init(struct rpc_fixture *fixture, bool is_tls);
void rpc_fixture_start_server(struct rpc_fixture *fixture);
/* Starts the client and gives it the server as peer FIXTURE_NODE_ID. */
void rpc_fixture_start_client(struct rpc_fixture *fixture);
/* Server, client, and waits until the peer is up. */
void rpc_fixture_start(struct rpc_fixture *fixture);
void rpc_fixture_stop_server(struct rpc_fixture *fixture, uint32_t grace_ms);
/* The callback for a test that calls rpc_server_stop() itself. */
void rpc_fixture_server_stopped(struct rpc_server *server);
void rpc_fixture_stop_client(struct rpc_fixture *fixture);
void rpc_fixture_answer_held(struct rpc_fixture *fixture, enum status status);
void rpc_fixture_close(struct rpc_fixture *fixture);
void rpc_fixture_start_patience(struct rpc_fixture *fixture);

void fixture_call_start(struct rpc_transport *transport, struct fixture_call *call, uint16_t method,
			const char *body, uint32_t timeout_ms);
/* Start, wait, and check what holds for every call: done() once, and not from within the start. */
enum status fixture_call_run(struct rpc_fixture *fixture, struct fixture_call *call, uint16_t method,
			     const char *body, uint32_t timeout_ms);

#endif
