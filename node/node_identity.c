#include "node/node_identity.h"

enum {
	OWN_KEY_SIZE = 9,
	PEER_KEY_SIZE = 17,
	VERSION = 1,
	OWN_SIZE = 1 + RPC_CLUSTER_ID_SIZE + 8 + RPC_INCARNATION_SIZE,
	PEER_SIZE = 1 + RPC_INCARNATION_SIZE,
};

static struct slice own_key(uint8_t key[OWN_KEY_SIZE])
{
	put_u64_be(key, 0);
	key[8] = 'N';
	return slice_of(key, OWN_KEY_SIZE);
}

static struct slice peer_key(uint8_t key[PEER_KEY_SIZE], uint64_t node_id)
{
	put_u64_be(key, 0);
	key[8] = 'P';
	put_u64_be(key + 9, node_id);
	return slice_of(key, PEER_KEY_SIZE);
}

static enum status check_own(struct slice value, struct rpc_identity *own, uint64_t *found_node_id_out)
{
	struct reader reader;
	struct slice cluster_id;
	struct slice incarnation;

	reader_init(&reader, value);
	if (reader_u8(&reader) != VERSION)
		return value.size == 0 ? ST_CORRUPT : ST_VERSION;
	cluster_id = reader_bytes(&reader, RPC_CLUSTER_ID_SIZE);
	*found_node_id_out = reader_u64_be(&reader);
	incarnation = reader_bytes(&reader, RPC_INCARNATION_SIZE);
	if (reader.status != ST_OK)
		return ST_CORRUPT;
	if (memcmp(cluster_id.data, own->cluster_id, RPC_CLUSTER_ID_SIZE) != 0)
		return ST_WRONG_CLUSTER;
	if (*found_node_id_out != own->node_id)
		return ST_EXISTS;
	memcpy(own->incarnation, incarnation.data, RPC_INCARNATION_SIZE);
	return ST_OK;
}

static enum status write_own(struct engine *engine, struct rng *rng, struct rpc_identity *own)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t key[OWN_KEY_SIZE];
	uint8_t value[OWN_SIZE];
	enum status status;

	if (batch == NULL)
		return ST_NO_MEMORY;
	rng_fill(rng, own->incarnation, RPC_INCARNATION_SIZE);
	value[0] = VERSION;
	memcpy(value + 1, own->cluster_id, RPC_CLUSTER_ID_SIZE);
	put_u64_be(value + 1 + RPC_CLUSTER_ID_SIZE, own->node_id);
	memcpy(value + 9 + RPC_CLUSTER_ID_SIZE, own->incarnation, RPC_INCARNATION_SIZE);
	engine_batch_put(engine, batch, FAMILY_RAFT_STATE, own_key(key), slice_of(value, sizeof(value)));
	status = engine_write(engine, batch);
	if (status == ST_OK)
		status = engine_sync(engine);
	engine_batch_destroy(engine, batch);
	return status;
}

enum status node_identity_open(struct engine *engine, struct rng *rng, struct rpc_identity *own,
			       uint64_t *found_node_id_out)
{
	struct engine_value value;
	uint8_t key[OWN_KEY_SIZE];
	enum status status = engine_get(engine, FAMILY_RAFT_STATE, own_key(key), ENGINE_READ_MAY_BLOCK,
					&value);

	*found_node_id_out = own->node_id;
	if (status == ST_NOT_FOUND)
		return write_own(engine, rng, own);
	if (status != ST_OK)
		return status;
	status = check_own(value.slice, own, found_node_id_out);
	engine_value_release(&value);
	return status;
}

enum status node_identity_admit(struct log_commit *commit, const struct rpc_identity *peer)
{
	struct engine_value value;
	uint8_t key[PEER_KEY_SIZE];
	uint8_t record[PEER_SIZE];
	enum status status;

	if (peer->role != RPC_ROLE_NODE)
		return ST_OK;
	record[0] = VERSION;
	memcpy(record + 1, peer->incarnation, RPC_INCARNATION_SIZE);
	/* A few small rows: in memory but for the first time after a start. */
	status = engine_get(commit->engine, FAMILY_RAFT_STATE, peer_key(key, peer->node_id),
			    ENGINE_READ_MAY_BLOCK, &value);
	if (status == ST_NOT_FOUND) {
		engine_batch_put(commit->engine, log_commit_batch(commit), FAMILY_RAFT_STATE,
				 peer_key(key, peer->node_id), slice_of(record, sizeof(record)));
		return ST_OK;
	}
	if (status != ST_OK)
		return status;
	if (!slice_equal(value.slice, slice_of(record, sizeof(record))))
		status = ST_FORGOTTEN;
	engine_value_release(&value);
	return status;
}
