#include "tests/sim/sim_probe.h"

#include <inttypes.h>

#include "proto/model/limits.h"
#include "proto/wire/catalog.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "replication/group/group_internal.h"
#include "tests/sim/sim_item.h"

enum {
	TRACE_PROBE = 45,
	LOOK_US_MIN = 2 * SIM_MS,
	LOOK_US_MAX = 8 * SIM_MS,
	REST_US_MAX = 40 * SIM_MS, /* after an operation */
	TIMEOUT_MS = 1000,
	STALE_TIMEOUT_MS = 5000, /* of whom may stand still */
	CATALOG_PERCENT = 25,
	REFUSALS_PERCENT = 50, /* of what an older leader of the catalog is asked */
	ACKED_KEY_PERCENT = 50,
	NEWEST_OPS_MAX = 40,
	PADDING_MAX = 100,
	ITEM_SIZE_MAX = 1024,
	BODY_SIZE_MAX = 4096,
	ARENA_BYTES_MAX = 1024 * 1024,
};

static struct sim_probes *probes_of(const struct sim_probe *probe)
{
	const struct sim_probe *first = probe - (probe->client - SIM_CLIENTS);

	return CONTAINER_OF(first, struct sim_probes, list[0]);
}

static struct rng *rng_of(const struct sim_probe *probe)
{
	return &probe->cluster->world.client_rng;
}

static struct sim_op *op_of(const struct sim_probe *probe)
{
	return &probe->cluster->workload.ops[probe->op_index];
}

static void look_again(struct sim_probe *probe, uint64_t us_min, uint64_t us_max)
{
	sim_event_in(&probe->cluster->world, &probe->event, sim_range(rng_of(probe), us_min, us_max));
}

/* --- requests --- */

static void send(struct sim_probe *probe, uint64_t node_id, uint16_t method, const ProtobufCMessage *message,
		 uint32_t timeout_ms)
{
	uint8_t *room;

	buf_reset(&probe->body);
	if (message != NULL) {
		room = buf_extend(&probe->body, protobuf_c_message_get_packed_size(message));
		CHECK(room != NULL);
		(void)protobuf_c_message_pack(message, room);
	}
	probe->call.peer_id = node_id;
	probe->call.method = method;
	probe->call.body = buf_slice(&probe->body);
	probe->call.timeout_ms = timeout_ms;
	probe->is_busy = true;
	rpc_call_start(&probe->coordinator->endpoint.base, &probe->call);
}

/* The partition of an item as this coordinator knows it; NULL if it does not. */
static const struct partition_info *locate(struct sim_probe *probe, uint32_t key)
{
	const struct table_info *table = sim_coordinator_table(probe->coordinator, SIM_MAIN_TABLE);

	if (table == NULL)
		return NULL;
	sim_item_key(&probe->item, probe->cluster->workload.keys[key].name);
	sim_item_row_key(&probe->row_key, table, buf_slice(&probe->item));
	return catalog_view_find_partition(&probe->coordinator->router.view, buf_slice(&probe->row_key));
}

static ProtobufCBinaryData borrow(struct slice bytes)
{
	return (ProtobufCBinaryData){ bytes.size, (uint8_t *)(uintptr_t)bytes.data };
}

static void note(struct sim_probe *probe, enum sim_op_kind kind, uint32_t key)
{
	struct sim_workload *workload = &probe->cluster->workload;
	struct sim_op op = {
		.kind = kind,
		.client = probe->client,
		.key = key,
		.attempt_count = 1,
		.knows_old = kind == SIM_PUT,
		.call_us = workload->world->now_us,
		.return_us = UINT64_MAX,
	};

	if (kind == SIM_PUT)
		op.value = ++workload->next_value;
	probe->op_index = sim_workload_note(workload, &op);
}

static void start_read(struct sim_probe *probe, enum sim_op_kind kind, uint64_t node_id, uint32_t key,
		       uint32_t timeout_ms)
{
	Cleave__GetItemRequest message = CLEAVE__GET_ITEM_REQUEST__INIT;
	const struct partition_info *partition = locate(probe, key);

	probe->next_node_id = 0;
	if (partition == NULL)
		return;
	note(probe, kind, key);
	message.partition_id = partition->partition_id;
	message.epoch = partition->epoch;
	message.row_key = borrow(buf_slice(&probe->row_key));
	message.consistent_read = kind == SIM_READ;
	send(probe, node_id, METHOD_GET_ITEM, &message.base, timeout_ms);
}

static void start_put(struct sim_probe *probe, uint64_t node_id, uint32_t key, uint64_t then_node_id)
{
	Cleave__WriteItemRequest message = CLEAVE__WRITE_ITEM_REQUEST__INIT;
	const struct partition_info *partition = locate(probe, key);

	if (partition == NULL)
		return;
	note(probe, SIM_PUT, key);
	sim_item_register(&probe->item, probe->cluster->workload.keys[key].name, op_of(probe)->value,
			  sim_range(rng_of(probe), 0, PADDING_MAX));
	rng_fill(rng_of(probe), probe->request_id, sizeof(probe->request_id));
	message.partition_id = partition->partition_id;
	message.epoch = partition->epoch;
	message.row_key = borrow(buf_slice(&probe->row_key));
	message.kind = CLEAVE__WRITE_ITEM_REQUEST__KIND__PUT;
	message.item = borrow(buf_slice(&probe->item));
	message.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD;
	message.request_id = borrow(slice_of(probe->request_id, sizeof(probe->request_id)));
	probe->next_node_id = then_node_id;
	send(probe, node_id, METHOD_WRITE_ITEM, &message.base, TIMEOUT_MS);
}

/* The newest version that any process has seen. */
static uint64_t newest_version(const struct sim_probe *probe)
{
	const struct catalog_state *state = sim_cluster_newest_state(probe->cluster);
	uint64_t newest = state == NULL ? 0 : state->version;

	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		const struct sim_coordinator *coordinator = &probe->cluster->coordinators[i];

		if (coordinator->is_running && coordinator->router.view.state.version > newest)
			newest = coordinator->router.view.state.version;
	}
	return newest;
}

static void start_sync(struct sim_probe *probe, uint64_t node_id)
{
	probe->version_before = newest_version(probe);
	send(probe, node_id, METHOD_CATALOG_SYNC, NULL, STALE_TIMEOUT_MS);
}

/* A change that is refused whether the table is there or not: no table has this version. */
static void start_vain_update(struct sim_probe *probe, uint64_t node_id)
{
	Cleave__UpdateTableRequest message = CLEAVE__UPDATE_TABLE_REQUEST__INIT;
	Cleave__TableRecord table = CLEAVE__TABLE_RECORD__INIT;
	char name[SIM_NAME_SIZE];

	probe->table = (uint32_t)rng_below(rng_of(probe), SIM_PASSING_TABLES);
	probe->call_us = probe->cluster->world.now_us;
	sim_passing_table_name(name, probe->table);
	rng_fill(rng_of(probe), probe->request_id, sizeof(probe->request_id));
	table.name = name;
	table.version = UINT64_MAX;
	message.table = &table;
	message.request_id = borrow(slice_of(probe->request_id, sizeof(probe->request_id)));
	send(probe, node_id, METHOD_CATALOG_UPDATE_TABLE, &message.base, STALE_TIMEOUT_MS);
}

/* --- answers --- */

/* As item_op.c has it: what else ends a write says that it did not happen. */
static bool leaves_doubt(enum status status)
{
	return status == ST_CLOSED || status == ST_TIMEOUT || status == ST_CANCELED ||
	       status == ST_UNKNOWN_OUTCOME || status == ST_NO_MEMORY;
}

static void take_value(struct sim_probe *probe, struct slice item, uint64_t *value_out)
{
	struct sim_op *op = op_of(probe);

	*value_out = 0;
	if (item.size > 0 && !sim_item_value(item, probe->cluster->workload.keys[op->key].name, value_out))
		sim_cluster_fail(probe->cluster, "unreadable answer to client %" PRIu32, probe->client);
	op->outcome = SIM_DONE;
}

static void take_read(struct sim_probe *probe)
{
	Cleave__GetItemReply *reply = cleave__get_item_reply__unpack(NULL, probe->call.reply.size,
								     probe->call.reply.data);

	CHECK(reply != NULL);
	take_value(probe, slice_of(reply->item.data, reply->item.len), &op_of(probe)->value);
	cleave__get_item_reply__free_unpacked(reply, NULL);
}

static void take_put(struct sim_probe *probe)
{
	Cleave__WriteItemReply *reply = cleave__write_item_reply__unpack(NULL, probe->call.reply.size,
									 probe->call.reply.data);

	CHECK(reply != NULL);
	take_value(probe, slice_of(reply->returned.data, reply->returned.len), &op_of(probe)->old);
	cleave__write_item_reply__free_unpacked(reply, NULL);
}

static void take_sync(struct sim_probe *probe)
{
	Cleave__CatalogSyncReply *reply;

	if (probe->call.status != ST_OK)
		return;
	reply = cleave__catalog_sync_reply__unpack(NULL, probe->call.reply.size, probe->call.reply.data);
	CHECK(reply != NULL);
	if (reply->version < probe->version_before)
		sim_cluster_fail(probe->cluster,
				 "stale sync: node %" PRIu64 " says that the catalog is at version %" PRIu64
				 ", but somebody had seen %" PRIu64 " before it was asked",
				 probe->call.peer_id, reply->version, probe->version_before);
	cleave__catalog_sync_reply__free_unpacked(reply, NULL);
}

static void take_refusal(struct sim_probe *probe)
{
	if (probe->call.status == ST_OK)
		sim_cluster_fail(probe->cluster, "a table of a version that none has was changed");
	else if (probe->call.status == ST_NOT_FOUND)
		sim_tables_note_absent(&probe->cluster->tables, probe->client, probe->table, probe->call_us);
}

static void end_item_op(struct sim_probe *probe)
{
	struct sim_op *op = op_of(probe);

	op->status = probe->call.status;
	op->return_us = probe->cluster->world.now_us;
	if (op->status == ST_OK && op->kind == SIM_PUT)
		take_put(probe);
	else if (op->status == ST_OK)
		take_read(probe);
	else if (op->kind == SIM_PUT && !leaves_doubt(op->status))
		op->outcome = SIM_FAILED;
}

static void on_reply(struct rpc_call *call)
{
	struct sim_probe *probe = CONTAINER_OF(call, struct sim_probe, call);
	uint64_t next_node_id = probe->next_node_id;

	sim_world_trace(&probe->cluster->world, TRACE_PROBE + 100 * (uint64_t)call->method,
			(uint64_t)(int64_t)call->status);
	probe->is_busy = false;
	if (call->method == METHOD_CATALOG_SYNC)
		take_sync(probe);
	else if (call->method == METHOD_CATALOG_UPDATE_TABLE)
		take_refusal(probe);
	else
		end_item_op(probe);
	probe->next_node_id = 0;
	if (call->status == ST_OK && next_node_id != 0)
		start_read(probe, SIM_READ, next_node_id, op_of(probe)->key, STALE_TIMEOUT_MS);
	if (!probe->is_busy)
		look_again(probe, 0, REST_US_MAX);
}

/* --- looking around --- */

/* A process that leads the group in an older term than the newest one does; 0 if there is none. */
static uint64_t older_leader(const struct sim_probe *probe, uint64_t group_id, const struct group *newest)
{
	for (uint64_t id = 1; id <= probe->cluster->node_count; id++) {
		const struct group *group = sim_node_group(sim_cluster_node(probe->cluster, id), group_id);

		if (group != NULL && group->was_leader && group->leader_term < newest->leader_term)
			return id;
	}
	return 0;
}

/* A process that leads the group and has not applied the first entry of its term. */
static uint64_t fresh_leader(const struct sim_probe *probe, uint64_t group_id)
{
	for (uint64_t id = 1; id <= probe->cluster->node_count; id++) {
		const struct group *group = sim_node_group(sim_cluster_node(probe->cluster, id), group_id);

		if (group != NULL && group->was_leader && group->applied.term < group->leader_term)
			return id;
	}
	return 0;
}

/* A process that has applied what is committed, while the leader, whose disk is slower, has not;
 * 0 if there is none. */
static uint64_t ahead_of(const struct sim_probe *probe, const struct group *leader)
{
	for (uint64_t id = 1; id <= probe->cluster->node_count; id++) {
		const struct group *group = sim_node_group(sim_cluster_node(probe->cluster, id), leader->id);

		if (group != NULL && group->applied.index > leader->applied.index)
			return id;
	}
	return 0;
}

/* The key of the partition that is being written, the given one if none is. */
static uint32_t newest_key(const struct sim_probe *probe, uint32_t partition, uint32_t key)
{
	const struct sim_workload *workload = &probe->cluster->workload;

	for (size_t i = workload->op_count; i > 0 && i + NEWEST_OPS_MAX > workload->op_count; i--) {
		const struct sim_op *op = &workload->ops[i - 1];

		if (sim_op_is_write(op) && op->return_us == UINT64_MAX && workload->keys[op->key].is_main &&
		    workload->keys[op->key].partition == partition)
			return op->key;
	}
	return key;
}

static uint32_t choose_key(const struct sim_probe *probe, uint32_t partition)
{
	const struct sim_workload *workload = &probe->cluster->workload;
	uint32_t nth = (uint32_t)rng_below(rng_of(probe), workload->main_keys);

	if (workload->acked_call_us[partition] > 0 && sim_percent(rng_of(probe), ACKED_KEY_PERCENT))
		return workload->acked_key[partition];
	nth -= nth % workload->main_partitions;
	nth += partition;
	return workload->main_key_first + (nth < workload->main_keys ? nth : partition);
}

static void look_at_partition(struct sim_probe *probe)
{
	struct sim_workload *workload = &probe->cluster->workload;
	uint32_t partition = (uint32_t)rng_below(rng_of(probe), workload->main_partitions);
	uint32_t key = choose_key(probe, partition);
	const struct partition_info *info = locate(probe, key);
	struct sim_node *node = NULL;
	struct group *newest;
	uint64_t fresh;
	uint64_t older = 0;

	if (info == NULL)
		return;
	fresh = fresh_leader(probe, info->partition_id);
	newest = sim_cluster_leader(probe->cluster, info->partition_id, &node);
	if (newest != NULL)
		older = older_leader(probe, info->partition_id, newest);
	if (older != 0 && !sim_node_is_paused(node)) {
		probes_of(probe)->stale_count++;
		start_put(probe, node->id, key, older);
	} else if (fresh != 0) {
		probes_of(probe)->fresh_count++;
		start_read(probe, SIM_READ, fresh, key, TIMEOUT_MS);
	} else if (newest != NULL && ahead_of(probe, newest) != 0) {
		probes_of(probe)->behind_count++;
		start_read(probe, SIM_READ_EVENTUAL, ahead_of(probe, newest),
			   newest_key(probe, partition, key), TIMEOUT_MS);
		probe->next_node_id = probe->is_busy ? node->id : 0;
	}
}

static void look_at_catalog(struct sim_probe *probe)
{
	struct sim_node *node = NULL;
	struct group *newest = sim_cluster_leader(probe->cluster, CATALOG_GROUP_ID, &node);
	uint64_t older = newest == NULL ? 0 : older_leader(probe, CATALOG_GROUP_ID, newest);

	if (older != 0) {
		probes_of(probe)->stale_count++;
		if (sim_percent(rng_of(probe), REFUSALS_PERCENT))
			start_vain_update(probe, older);
		else
			start_sync(probe, older);
	} else if (newest != NULL && ahead_of(probe, newest) != 0) {
		probes_of(probe)->behind_count++;
		start_sync(probe, node->id);
	}
}

static void on_look(struct sim_event *event)
{
	struct sim_probe *probe = CONTAINER_OF(event, struct sim_probe, event);
	struct sim_coordinator *coordinator = probe->coordinator;

	if (coordinator->is_running && !probes_of(probe)->is_stopping &&
	    coordinator->runtime.process.paused_until_us <= probe->cluster->world.now_us) {
		sim_runtime_enter(&coordinator->runtime);
		if (sim_percent(rng_of(probe), CATALOG_PERCENT))
			look_at_catalog(probe);
		else if (probe->cluster->workload.has_main)
			look_at_partition(probe);
		sim_runtime_leave(&coordinator->runtime);
	}
	if (!probe->is_busy)
		look_again(probe, LOOK_US_MIN, LOOK_US_MAX);
}

/* --- life --- */

static void on_begin(struct sim_user *user)
{
	(void)user; /* it looks on its own time */
}

static void on_end(struct sim_user *user)
{
	struct sim_probe *probe = CONTAINER_OF(user, struct sim_probe, user);

	probe->next_node_id = 0;
	if (probe->is_busy)
		rpc_call_cancel(&probe->call);
}

void sim_probes_init(struct sim_probes *probes, struct sim_cluster *cluster)
{
	*probes = (struct sim_probes){ .is_stopping = false };
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		struct sim_probe *probe = &probes->list[i];

		probe->cluster = cluster;
		probe->coordinator = &cluster->coordinators[i];
		probe->client = SIM_CLIENTS + i;
		probe->user.begin = on_begin;
		probe->user.end = on_end;
		probe->call.done = on_reply;
		buf_init(&probe->body, BODY_SIZE_MAX);
		buf_init(&probe->item, ITEM_SIZE_MAX);
		buf_init(&probe->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
		sim_event_init(&probe->event, NULL, on_look);
		sim_coordinator_add(probe->coordinator, &probe->user);
	}
}

void sim_probes_begin(struct sim_probes *probes)
{
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		look_again(&probes->list[i], LOOK_US_MIN, LOOK_US_MAX);
}

void sim_probes_stop(struct sim_probes *probes)
{
	probes->is_stopping = true;
}

bool sim_probes_is_idle(const struct sim_probes *probes)
{
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		if (probes->list[i].is_busy)
			return false;
	}
	return true;
}

void sim_probes_close(struct sim_probes *probes)
{
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		struct sim_probe *probe = &probes->list[i];

		CHECK(!probe->is_busy);
		buf_close(&probe->body);
		buf_close(&probe->item);
		buf_close(&probe->row_key);
	}
}
