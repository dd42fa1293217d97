#include "proto/rpc/rpc_hello.h"

#include <string.h>

#include "proto/base/arena.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/rpc.pb-c.h"

enum { HELLO_ARENA_SIZE_MAX = 16 * 1024 };

static_assert((int)RPC_ROLE_NODE == (int)CLEAVE__HELLO__ROLE__NODE, "roles are numbered as on the wire");
static_assert((int)RPC_ROLE_COORDINATOR == (int)CLEAVE__HELLO__ROLE__COORDINATOR, "as above");
static_assert((int)RPC_ROLE_TOOL == (int)CLEAVE__HELLO__ROLE__TOOL, "as above");

static ProtobufCBinaryData bytes_of(const uint8_t *data, size_t size_bytes)
{
	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)data, .len = size_bytes };
}

void rpc_hello_append(struct buf *out, const struct rpc_identity *own, enum status status)
{
	Cleave__Hello hello = CLEAVE__HELLO__INIT;
	uint8_t packed[RPC_HELLO_BODY_SIZE_MAX];
	struct wire_frame frame = { .type = WIRE_FRAME_HELLO, .method = METHOD_HELLO, .status = status };
	size_t size_bytes;

	hello.protocol_version = RPC_PROTOCOL_VERSION;
	hello.cluster_id = bytes_of(own->cluster_id, sizeof(own->cluster_id));
	hello.role = (Cleave__Hello__Role)own->role;
	hello.node_id = own->node_id;
	hello.incarnation = bytes_of(own->incarnation, sizeof(own->incarnation));
	size_bytes = cleave__hello__get_packed_size(&hello);
	CHECK(size_bytes <= sizeof(packed));
	(void)cleave__hello__pack(&hello, packed); /* gives the same size again */
	frame.body = slice_of(packed, size_bytes);
	wire_frame_append(out, &frame);
}

static enum status convert(const Cleave__Hello *hello, struct rpc_identity *identity)
{
	if (hello->protocol_version != RPC_PROTOCOL_VERSION)
		return ST_VERSION; /* first: the other fields are that version's business */
	if (hello->cluster_id.len != RPC_CLUSTER_ID_SIZE || hello->incarnation.len != RPC_INCARNATION_SIZE)
		return ST_CORRUPT;
	if (hello->role != CLEAVE__HELLO__ROLE__NODE && hello->role != CLEAVE__HELLO__ROLE__COORDINATOR &&
	    hello->role != CLEAVE__HELLO__ROLE__TOOL)
		return ST_CORRUPT;
	if ((hello->role == CLEAVE__HELLO__ROLE__NODE) != (hello->node_id != 0))
		return ST_CORRUPT;
	memcpy(identity->cluster_id, hello->cluster_id.data, RPC_CLUSTER_ID_SIZE);
	memcpy(identity->incarnation, hello->incarnation.data, RPC_INCARNATION_SIZE);
	identity->role = (enum rpc_role)hello->role;
	identity->node_id = hello->node_id;
	return ST_OK;
}

enum status rpc_hello_decode(struct slice body, struct rpc_identity *identity_out)
{
	enum status status = ST_CORRUPT;
	struct arena arena;
	ProtobufCAllocator allocator;
	Cleave__Hello *hello;

	arena_init(&arena, HELLO_ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	hello = cleave__hello__unpack(&allocator, body.size, body.data);
	if (hello != NULL)
		status = convert(hello, identity_out);
	arena_close(&arena);
	return status;
}

static enum tls_role tls_role_of(enum rpc_role role)
{
	switch (role) {
	case RPC_ROLE_NODE:
		return TLS_ROLE_NODE;
	case RPC_ROLE_COORDINATOR:
		return TLS_ROLE_COORDINATOR;
	case RPC_ROLE_TOOL:
		return TLS_ROLE_TOOL;
	default:
		return TLS_ROLE_NONE;
	}
}

enum status rpc_hello_check(const struct rpc_identity *own, const struct rpc_identity *claimed,
			    const struct tls_identity *certificate)
{
	if (memcmp(own->cluster_id, claimed->cluster_id, RPC_CLUSTER_ID_SIZE) != 0)
		return ST_WRONG_CLUSTER;
	if (certificate == NULL)
		return ST_OK;
	if (certificate->role != tls_role_of(claimed->role) || certificate->node_id != claimed->node_id)
		return ST_DENIED;
	return ST_OK;
}
