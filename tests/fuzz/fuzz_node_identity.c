/* Whose a data directory is, from arbitrary bytes on disk: ours as it stands there, or refused. */
#include "node/node_identity.h"
#include "storage/engine/engine_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void put_record(struct engine *engine, struct slice value)
{
	static const uint8_t key[] = { 0, 0, 0, 0, 0, 0, 0, 0, 'N' };
	struct engine_batch *batch = engine_batch_create(engine);

	CHECK(batch != NULL);
	engine_batch_put(engine, batch, FAMILY_RAFT_STATE, slice_of(key, sizeof(key)), value);
	CHECK(engine_write(engine, batch) == ST_OK);
	engine_batch_destroy(engine, batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct rpc_identity own = { .role = RPC_ROLE_NODE, .node_id = 1, .cluster_id = "0123456789abcde" };
	struct engine_memory_disk *disk = engine_memory_disk_create();
	struct engine *engine;
	struct rng rng;
	uint64_t found = 0;

	rng_seed(&rng, 1);
	CHECK(disk != NULL && engine_memory_open(disk, &engine) == ST_OK);
	put_record(engine, slice_of(data, size_bytes));
	if (node_identity_open(engine, &rng, &own, &found) == ST_OK) {
		CHECK(found == 1 && size_bytes >= 1 + RPC_CLUSTER_ID_SIZE + 8 + RPC_INCARNATION_SIZE);
		CHECK(memcmp(own.incarnation, data + 1 + RPC_CLUSTER_ID_SIZE + 8, RPC_INCARNATION_SIZE) == 0);
	}
	engine_close(engine);
	engine_memory_disk_destroy(disk);
	return 0;
}
