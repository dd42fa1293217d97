#include "tests/sim/sim_node.h"

#include <inttypes.h>

#include "proto/model/limits.h"
#include "proto/model/row_key.h"
#include "proto/wire/methods.h"
#include "replication/group/snapshot_recv.h"
#include "tests/sim/sim_workload.h"

enum {
	TRACE_START = 20,
	TRACE_CRASH = 21,
	HASH_SEED = 99,
	REGION = 1,
	DEATH_IN_SNAPSHOT_US_MAX = 8 * SIM_MS
};

/* --- serving --- */

static void die_soon(struct sim_node *node)
{
	node->dies_in_snapshot = false;
	node->is_dying = true;
	sim_event_in(node->world, &node->death,
		     sim_range(&node->world->disk_rng, 0, DEATH_IN_SNAPSHOT_US_MAX));
}

static void handle(struct rpc_service *service, struct rpc_request *request)
{
	struct sim_node *node = CONTAINER_OF(service, struct sim_node, service);

	switch (request->method) {
	case METHOD_RAFT_MESSAGES:
		rpc_request_reply_status(
			request, group_table_receive(&node->groups, request->caller_id, request->body));
		return;
	case METHOD_SNAPSHOT_CHUNK:
		if (node->dies_in_snapshot && !node->is_dying)
			die_soon(node);
		snapshot_recv_chunk(&node->groups, request);
		return;
	case METHOD_GET_ITEM:
		handle_item_get(&node->items, request);
		return;
	case METHOD_WRITE_ITEM:
		handle_item_write(&node->items, request);
		return;
	default:
		UNREACHABLE();
	}
}

/* --- dying --- */

static void on_death(struct sim_event *event)
{
	struct sim_node *node = CONTAINER_OF(event, struct sim_node, death);

	sim_node_crash(node, false);
}

static void on_fatal(void *context, enum status status)
{
	struct sim_node *node = context;

	if (!node->is_running)
		return; /* a dead process's last words */
	sim_world_say(node->world, "node %" PRIu64 " ends itself: %s", node->id, status_name(status));
	node->is_dying = true;
	sim_event_in(node->world, &node->death, 0);
}

/* What the disk had before the lights went out. */
static void lose_power(struct sim_node *node)
{
	uint64_t unsynced_count;
	uint64_t kept_count;

	engine_memory_disk_fail_sync(node->disk);
	sim_runtime_tear_jobs(&node->runtime);
	unsynced_count = engine_memory_unsynced_count(node->engine);
	kept_count = sim_range(&node->world->disk_rng, 0, unsynced_count);
	engine_memory_crash(node->engine, kept_count);
	sim_world_trace(node->world, TRACE_CRASH, node->id * 1000000 + kept_count);
	sim_world_say(node->world,
		      "node %" PRIu64 " crashes, keeps %" PRIu64 " of %" PRIu64 " unsynced batches", node->id,
		      kept_count, unsynced_count);
}

/* What is left of the process is taken apart; nothing of it reaches disk or network. */
static void tear_down(struct sim_node *node)
{
	sim_runtime_enter(&node->runtime);
	partition_table_close(&node->partitions);
	sim_runtime_leave(&node->runtime);
	CHECK(sim_runtime_drain(&node->runtime));
	sim_runtime_enter(&node->runtime);
	group_table_close(&node->groups);
	sim_runtime_leave(&node->runtime);
	CHECK(sim_runtime_drain(&node->runtime));
	handle_item_close(&node->items);
	CHECK(node->endpoint.request_count == 0); /* each request was answered */
	engine_close(node->engine);
	sim_runtime_close(&node->runtime);
}

void sim_node_crash(struct sim_node *node, bool is_silent)
{
	if (!node->is_running)
		return;
	node->is_running = false;
	node->is_dying = false;
	sim_event_cancel(node->world, &node->death);
	node->mono_offset_us = node->runtime.mono_offset_us;
	sim_net_stop(&node->endpoint, is_silent);
	lose_power(node);
	tear_down(node);
}

/* --- life --- */

void sim_node_init(struct sim_node *node, struct sim_world *world, struct sim_net *net, uint64_t id,
		   const struct group_settings *settings)
{
	*node = (struct sim_node){ .world = world, .net = net, .id = id, .settings = *settings };
	node->disk = engine_memory_disk_create();
	CHECK(node->disk != NULL);
	node->service.handle = handle;
	sim_event_init(&node->death, NULL, on_death);
}

void sim_node_close(struct sim_node *node)
{
	sim_node_crash(node, false);
	engine_memory_disk_destroy(node->disk);
}

static void set_clocks(struct sim_node *node)
{
	/* A new process on the same machine, or the machine began anew. */
	if (sim_percent(&node->world->disk_rng, 30))
		node->mono_offset_us = sim_range(&node->world->disk_rng, 0, 3600 * (uint64_t)SIM_SECOND);
	node->runtime.mono_offset_us = node->mono_offset_us;
	node->runtime.rate_ppm = node->rate_ppm;
	node->runtime.wall_offset_us = node->wall_offset_us;
}

void sim_node_start(struct sim_node *node)
{
	struct partition_env env = {
		.runtime = &node->runtime.base,
		.groups = &node->groups,
		.hash_seed = HASH_SEED,
		.region = REGION,
	};

	CHECK(!node->is_running);
	CHECK(engine_memory_open(node->disk, &node->engine) == ST_OK);
	engine_memory_disk_miss_every(node->disk, node->miss_every);
	env.engine = node->engine;
	sim_runtime_init(&node->runtime, node->world, node->id);
	set_clocks(node);
	node->is_running = true;
	node->start_count++;
	sim_world_trace(node->world, TRACE_START, node->id);
	sim_world_say(node->world, "node %" PRIu64 " starts", node->id);
	sim_net_start(node->net, &node->endpoint, &node->runtime, node->id, node->id, &node->service);
	sim_runtime_enter(&node->runtime);
	CHECK(group_table_init(&node->groups, &node->runtime.base, node->engine, &node->endpoint.base,
			       node->id, &node->settings, on_fatal, node) == ST_OK);
	partition_table_init(&node->partitions, &env);
	handle_item_init(&node->items, &node->partitions);
	CHECK(partition_table_open_all(&node->partitions) == ST_OK);
	sim_runtime_leave(&node->runtime);
}

bool sim_node_create_replica(struct sim_node *node, uint64_t partition_id, uint64_t replica_id,
			     const struct raft_engine_configuration *members)
{
	static const struct raft_engine_configuration nobody;
	struct partition_meta meta = { .partition_id = partition_id, .table_id = SIM_TABLE_ID, .epoch = 1 };
	struct buf start;
	struct buf end;
	enum status status;

	buf_init(&start, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&end, LIMIT_ROW_KEY_SIZE_BYTES);
	row_key_token_start(&start, SIM_TABLE_ID, sim_workload_token(partition_id));
	row_key_token_start(&end, SIM_TABLE_ID, sim_workload_token(partition_id + 1));
	meta.range_start = buf_slice(&start);
	meta.range_end = buf_slice(&end);
	sim_runtime_enter(&node->runtime);
	status = partition_table_create(&node->partitions, &meta, replica_id,
					members == NULL ? &nobody : members);
	sim_runtime_leave(&node->runtime);
	buf_close(&start);
	buf_close(&end);
	return status == ST_OK;
}

struct partition *sim_node_partition(const struct sim_node *node, uint64_t partition_id)
{
	return node->is_running ? partition_table_find(&node->partitions, partition_id) : NULL;
}
