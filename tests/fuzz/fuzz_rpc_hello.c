/* Who says hello: the body of a hello and the name in a certificate, from arbitrary bytes.
 *
 * Input: one byte for the size of the name, the name, the body.  What decodes must encode to what
 * decodes to the same, and a claim passes only if the certificate says the same. */
#include "proto/rpc/rpc_hello.h"
#include "proto/wire/wire_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct rpc_identity *claimed)
{
	struct rpc_identity again;
	struct wire_frame frame;
	struct buf out;
	size_t used;

	buf_init(&out, 4096);
	rpc_hello_append(&out, claimed, ST_OK);
	CHECK(out.status == ST_OK);
	CHECK(wire_frame_decode(buf_slice(&out), out.size, &frame, &used) == ST_OK && used == out.size);
	CHECK(rpc_hello_decode(frame.body, &again) == ST_OK);
	CHECK(again.role == claimed->role && again.node_id == claimed->node_id);
	CHECK(memcmp(again.cluster_id, claimed->cluster_id, sizeof(again.cluster_id)) == 0);
	CHECK(memcmp(again.incarnation, claimed->incarnation, sizeof(again.incarnation)) == 0);
	buf_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_identity own = { .role = RPC_ROLE_NODE, .node_id = 1 };
	struct tls_identity certificate = { TLS_ROLE_NONE, 0 };
	struct rpc_identity claimed;
	struct reader input;
	struct slice name;
	char text[256] = { 0 };
	size_t name_size;

	reader_init(&input, slice_of(data, size));
	name_size = reader_u8(&input);
	name = reader_bytes(&input, name_size < input.size ? name_size : input.size);
	if (name.size > 0)
		memcpy(text, name.data, name.size);
	(void)tls_context_parse_name(text, &certificate);
	if (rpc_hello_decode(slice_of(input.data, input.size), &claimed) != ST_OK)
		return 0;
	check_again(&claimed);
	if (rpc_hello_check(&own, &claimed, &certificate) == ST_OK) {
		CHECK(memcmp(claimed.cluster_id, own.cluster_id, sizeof(own.cluster_id)) == 0);
		CHECK(claimed.role != RPC_ROLE_NODE || certificate.node_id == claimed.node_id);
	}
	(void)rpc_hello_check(&own, &claimed, NULL);
	return 0;
}
