/* The first frame of a connection in each direction: who is there.
 *
 * The client speaks first.  The server checks it and answers with its own hello, whose
 * frame status is ST_OK or the reason of refusal; then the client checks the server's.
 *
 * Threads  pure functions.
 * Errors   ST_CORRUPT (not a hello), ST_VERSION, ST_WRONG_CLUSTER, ST_DENIED (the
 *          certificate does not speak for the claimed role and node).
 */
#ifndef PROTO_RPC_RPC_HELLO_H
#define PROTO_RPC_RPC_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/status.h"
#include "proto/net/tls_context.h"
#include "proto/rpc/rpc_limits.h"

enum rpc_role { RPC_ROLE_NODE, RPC_ROLE_COORDINATOR, RPC_ROLE_TOOL };

struct rpc_identity {
	uint8_t cluster_id[RPC_CLUSTER_ID_SIZE];
	enum rpc_role role;
	uint64_t node_id;                          /* 0 unless RPC_ROLE_NODE */
	uint8_t incarnation[RPC_INCARNATION_SIZE]; /* zeroes unless RPC_ROLE_NODE */
};

/* Append a hello frame.  status is what a server answers; ST_OK from a client. */
void rpc_hello_append(struct buf *out, const struct rpc_identity *own, enum status status);

/* Decode a hello's body and check its protocol version. */
enum status rpc_hello_decode(struct slice body, struct rpc_identity *identity_out) MUST_CHECK;

/* Does the claim fit our cluster, and the certificate the claim?  certificate is NULL on
 * an insecure connection. */
enum status rpc_hello_check(const struct rpc_identity *own, const struct rpc_identity *claimed,
			    const struct tls_identity *certificate) MUST_CHECK;

#endif
