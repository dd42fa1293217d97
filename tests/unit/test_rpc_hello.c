#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/rpc/rpc_hello.h"

static const struct rpc_identity own = {
	.cluster_id = "0123456789abcde", .role = RPC_ROLE_NODE, .node_id = 3, .incarnation = "fedcba987654321"
};

static void hello_comes_back_as_it_was(void **state)
{
	struct buf out;
	struct wire_frame frame;
	struct rpc_identity got;
	size_t size_bytes;

	(void)state;
	buf_init(&out, 4096);
	rpc_hello_append(&out, &own, ST_FORGOTTEN);
	assert_int_equal(wire_frame_decode(buf_slice(&out), RPC_HELLO_BODY_SIZE_MAX, &frame, &size_bytes),
			 ST_OK);
	assert_int_equal(frame.type, WIRE_FRAME_HELLO);
	assert_int_equal(frame.status, ST_FORGOTTEN);
	assert_int_equal(rpc_hello_decode(frame.body, &got), ST_OK);
	assert_int_equal(got.role, RPC_ROLE_NODE);
	assert_int_equal(got.node_id, 3);
	assert_memory_equal(got.cluster_id, own.cluster_id, RPC_CLUSTER_ID_SIZE);
	assert_memory_equal(got.incarnation, own.incarnation, RPC_INCARNATION_SIZE);
	buf_close(&out);
}

static enum status decode(const char *bytes, size_t size_bytes)
{
	struct rpc_identity got;

	return rpc_hello_decode(slice_of(bytes, size_bytes), &got);
}

#define SIXTEEN "0123456789abcdef"

static void malformed_hellos_are_refused(void **state)
{
	static const char node_zero[] = "\x08\x01\x12\x10" SIXTEEN "\x2a\x10" SIXTEEN;
	static const char tool_with_node[] = "\x08\x01\x12\x10" SIXTEEN "\x18\x02\x20\x05\x2a\x10" SIXTEEN;
	static const char bad_role[] = "\x08\x01\x12\x10" SIXTEEN "\x18\x09\x2a\x10" SIXTEEN;
	static const char good[] = "\x08\x01\x12\x10" SIXTEEN "\x18\x02\x2a\x10" SIXTEEN;

	(void)state;
	assert_int_equal(decode(good, sizeof(good) - 1), ST_OK);
	assert_int_equal(decode(good, sizeof(good) - 2), ST_CORRUPT);
	assert_int_equal(decode("\x08\x01\x12\x01x", 5), ST_CORRUPT);
	assert_int_equal(decode(node_zero, sizeof(node_zero) - 1), ST_CORRUPT);
	assert_int_equal(decode(tool_with_node, sizeof(tool_with_node) - 1), ST_CORRUPT);
	assert_int_equal(decode(bad_role, sizeof(bad_role) - 1), ST_CORRUPT);
	assert_int_equal(decode("\x08\x02", 2), ST_VERSION);
	assert_int_equal(decode("", 0), ST_VERSION); /* version 0 */
}

static void certificate_must_speak_for_the_claim(void **state)
{
	struct rpc_identity claimed = own;
	struct tls_identity certificate = { TLS_ROLE_NODE, 3 };

	(void)state;
	assert_int_equal(rpc_hello_check(&own, &claimed, NULL), ST_OK);
	assert_int_equal(rpc_hello_check(&own, &claimed, &certificate), ST_OK);
	certificate.node_id = 4;
	assert_int_equal(rpc_hello_check(&own, &claimed, &certificate), ST_DENIED);
	certificate = (struct tls_identity){ TLS_ROLE_TOOL, 0 };
	assert_int_equal(rpc_hello_check(&own, &claimed, &certificate), ST_DENIED);
	claimed.role = RPC_ROLE_TOOL;
	claimed.node_id = 0;
	assert_int_equal(rpc_hello_check(&own, &claimed, &certificate), ST_OK);
	certificate = (struct tls_identity){ TLS_ROLE_NONE, 0 };
	assert_int_equal(rpc_hello_check(&own, &claimed, &certificate), ST_DENIED);
	claimed.cluster_id[15] ^= 1;
	assert_int_equal(rpc_hello_check(&own, &claimed, NULL), ST_WRONG_CLUSTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_comes_back_as_it_was),
		cmocka_unit_test(malformed_hellos_are_refused),
		cmocka_unit_test(certificate_must_speak_for_the_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
