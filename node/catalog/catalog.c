#include "node/catalog/catalog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/catalog/catalog_internal.h"
#include "node/catalog/catalog_load.h"
#include "proto/base/digest.h"
#include "proto/base/log.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum {
	COMMAND_SIZE_MAX = 8 * 1024 * 1024,
	MESSAGE_SIZE_MAX = 1024 * 1024,
	ELECTION_TIMEOUT_MS = 1000,
	HEARTBEAT_MS = 100,
	ON_DEMAND_PARTITIONS = 4,
	REPLICA_COUNT = 3,
};

/* --- answers --- */

void catalog_reply_message(struct rpc_request *request, const ProtobufCMessage *message)
{
	struct buf packed;
	uint8_t *room;

	buf_init(&packed, MESSAGE_SIZE_MAX);
	room = buf_extend(&packed, protobuf_c_message_get_packed_size(message));
	if (room != NULL)
		(void)protobuf_c_message_pack(message, room);
	if (packed.status == ST_OK)
		rpc_request_reply(request, ST_OK, buf_slice(&packed));
	else
		rpc_request_reply_status(request, packed.status);
	buf_close(&packed);
}

void catalog_reply_not_leader(struct catalog *catalog, struct rpc_request *request)
{
	Cleave__RoutingHint hint = CLEAVE__ROUTING_HINT__INIT;
	uint8_t packed[64];

	hint.leader_node_id = catalog->group == NULL ? 0 : group_leader_node_id(catalog->group);
	if (hint.leader_node_id == catalog->table->node_id)
		hint.leader_node_id = 0; /* elected, but not ready yet */
	hint.catalog_version = catalog->fsm.state.version;
	rpc_request_reply(request, ST_NOT_LEADER,
			  slice_of(packed, cleave__routing_hint__pack(&hint, packed)));
}

/* --- changes on their way --- */

enum key_kind { KEY_NODE = 1, KEY_TABLE, KEY_PARTITION, KEY_SETTINGS };

/* Two records that share a key by chance only wait for each other. */
static uint64_t key_of_id(enum key_kind kind, uint64_t id)
{
	return digest_hash64(slice_of(&id, sizeof(id)), kind);
}

static uint64_t key_of_name(const char *name)
{
	return digest_hash64(slice_of_string(name), KEY_TABLE);
}

static uint64_t key_of(const struct catalog *catalog, const Cleave__CatalogCommand *command)
{
	const struct table_info *table;

	switch (command->command_case) {
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_NODE:
		return key_of_id(KEY_NODE, command->put_node->node_id);
	case CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE:
		return key_of_name(command->create_table->table->name);
	case CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_INDEX:
		return key_of_name(command->create_index->table->name);
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE:
		return key_of_name(command->put_table->name);
	case CLEAVE__CATALOG_COMMAND__COMMAND_REMOVE_TABLE:
		table = catalog_state_table(&catalog->fsm.state, command->remove_table->table_id);
		return key_of_name(table == NULL ? "" : table->name);
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_PARTITION:
		return key_of_id(KEY_PARTITION, command->put_partition->partition_id);
	default:
		return key_of_id(KEY_SETTINGS, 0);
	}
}

static struct catalog_pending *pending_at(struct catalog *catalog, uint32_t position)
{
	return &catalog->pending[(catalog->pending_head + position) % CATALOG_PENDING_MAX];
}

static bool is_pending(const struct catalog *catalog, uint64_t key)
{
	for (uint32_t i = 0; i < catalog->pending_count; i++) {
		if (catalog->pending[(catalog->pending_head + i) % CATALOG_PENDING_MAX].key == key)
			return true;
	}
	return false;
}

bool catalog_table_is_changing(const struct catalog *catalog, const char *name)
{
	return is_pending(catalog, key_of_name(name));
}

static struct catalog_pending pop_pending(struct catalog *catalog)
{
	struct catalog_pending pending = *pending_at(catalog, 0);

	catalog->pending_head = (catalog->pending_head + 1) % CATALOG_PENDING_MAX;
	catalog->pending_count--;
	return pending;
}

static enum status propose(struct catalog *catalog, Cleave__CatalogCommand *command, uint64_t *index_out)
{
	struct buf packed;
	uint8_t *room;
	enum status status;

	buf_init(&packed, COMMAND_SIZE_MAX);
	room = buf_extend(&packed, cleave__catalog_command__get_packed_size(command));
	if (room != NULL)
		(void)cleave__catalog_command__pack(command, room);
	status = packed.status;
	if (status == ST_OK)
		status = group_propose(catalog->group, buf_slice(&packed), index_out);
	buf_close(&packed);
	return status;
}

enum status catalog_submit(struct catalog *catalog, Cleave__CatalogCommand *command,
			   struct rpc_request *request)
{
	struct catalog_pending pending = { .request = request };
	enum status status;

	if (!catalog->leads)
		return ST_NOT_LEADER;
	CHECK(command->request_id.len <= sizeof(pending.request_id));
	pending.request_id_size = command->request_id.len;
	if (pending.request_id_size > 0)
		memcpy(pending.request_id, command->request_id.data, pending.request_id_size);
	pending.key = key_of(catalog, command);
	if (is_pending(catalog, pending.key))
		return ST_BUSY;
	if (catalog->pending_count == CATALOG_PENDING_MAX)
		return ST_OVERLOADED;
	command->leader_wall_us = runtime_wall_us(catalog->runtime);
	status = propose(catalog, command, &pending.index);
	if (status != ST_OK)
		return status;
	if (!catalog->leads)
		return ST_UNKNOWN_OUTCOME; /* lost while proposing */
	*pending_at(catalog, catalog->pending_count) = pending;
	catalog->pending_count++;
	return ST_OK;
}

/* A new node beyond the bound must not get into the log. */
static bool has_room_for(const struct catalog *catalog, const Cleave__CatalogCommand *command)
{
	if (command->command_case != CLEAVE__CATALOG_COMMAND__COMMAND_PUT_NODE ||
	    catalog_state_node(&catalog->fsm.state, command->put_node->node_id) != NULL)
		return true;
	return catalog->fsm.state.nodes.count + catalog->pending_count < CATALOG_NODES_MAX;
}

enum status catalog_propose(struct catalog *catalog, Cleave__CatalogCommand *command)
{
	CHECK(command->command_case != CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE);
	if (!has_room_for(catalog, command))
		return ST_TOO_BIG;
	return catalog_submit(catalog, command, NULL);
}

/* --- the replicated state's events --- */

static struct catalog *catalog_of(struct catalog_fsm *fsm)
{
	return CONTAINER_OF(fsm, struct catalog, fsm);
}

static void answer_applied(struct catalog *catalog, const struct catalog_pending *pending)
{
	const struct catalog_outcome *outcome;

	if (pending->request == NULL)
		return;
	outcome = catalog_outcomes_find(&catalog->fsm.outcomes,
					slice_of(pending->request_id, pending->request_id_size));
	if (outcome == NULL)
		rpc_request_reply_status(pending->request, ST_UNKNOWN_OUTCOME);
	else
		rpc_request_reply(pending->request, ST_OK, outcome->reply);
}

static void on_applied(struct catalog_fsm *fsm, uint64_t index)
{
	struct catalog *catalog = catalog_of(fsm);

	while (catalog->pending_count > 0 && pending_at(catalog, 0)->index <= index) {
		struct catalog_pending pending = pop_pending(catalog);

		answer_applied(catalog, &pending);
	}
	runtime_defer(catalog->runtime, &catalog->after_apply);
}

static void on_leader_ready(struct catalog_fsm *fsm)
{
	struct catalog *catalog = catalog_of(fsm);

	if (catalog->group == NULL)
		return; /* detached: about to be closed */
	log_info("catalog", "leads", "version=%" PRIu64, fsm->state.version);
	catalog->leads = true;
	catalog->next_table_id = fsm->next_table_id;
	catalog->next_partition_id = fsm->next_partition_id;
	catalog->next_replica_id = fsm->next_replica_id;
	if (catalog->driver != NULL)
		catalog->driver->ops->leader_ready(catalog->driver);
	runtime_defer(catalog->runtime, &catalog->after_apply);
}

static void on_leader_lost(struct catalog_fsm *fsm)
{
	struct catalog *catalog = catalog_of(fsm);

	if (!catalog->leads)
		return;
	catalog->leads = false;
	while (catalog->pending_count > 0) {
		struct catalog_pending pending = pop_pending(catalog);

		if (pending.request != NULL)
			rpc_request_reply_status(pending.request, ST_UNKNOWN_OUTCOME);
	}
	if (catalog->driver != NULL)
		catalog->driver->ops->leader_lost(catalog->driver);
}

static const struct catalog_fsm_events events = {
	.applied = on_applied,
	.leader_ready = on_leader_ready,
	.leader_lost = on_leader_lost,
};

/* The first leader of a cluster writes the settings; a failure is tried again after the next
 * apply or by the next leader. */
static void propose_settings(struct catalog *catalog)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	struct arena arena;
	enum status status = ST_NO_MEMORY;

	arena_init(&arena, MESSAGE_SIZE_MAX);
	command.put_settings = catalog_settings_encode(&catalog->initial_settings, &arena);
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_SETTINGS;
	if (command.put_settings != NULL)
		status = catalog_propose(catalog, &command);
	arena_close(&arena);
	if (status != ST_OK && status != ST_BUSY)
		log_warn("catalog", "cannot propose settings", "status=%s", status_name(status));
}

/* End of the turn: whatever was applied in it, watchers and driver hear of once. */
static void on_after_apply(struct runtime_task *task)
{
	struct catalog *catalog = CONTAINER_OF(task, struct catalog, after_apply);

	catalog_watch_on_applied(catalog);
	if (catalog->leads && catalog->fsm.state.settings.version == 0)
		propose_settings(catalog);
	if (catalog->leads && catalog->driver != NULL)
		catalog->driver->ops->changed(catalog->driver);
}

/* --- requests --- */

static enum status take_report(struct catalog *catalog, const Cleave__NodeReport *report,
			       Cleave__NodeReportReply *reply_out)
{
	struct node_info node;

	if (report->node == NULL || node_info_decode(report->node, &node) != ST_OK)
		return ST_INVALID;
	if (catalog->driver == NULL)
		return ST_UNAVAILABLE;
	reply_out->catalog_version = catalog->fsm.state.version;
	return catalog->driver->ops->report(catalog->driver, report, reply_out);
}

static void handle_report(struct catalog *catalog, struct rpc_request *request)
{
	struct arena arena;
	ProtobufCAllocator allocator;
	const Cleave__NodeReport *report;
	Cleave__NodeReportReply reply = CLEAVE__NODE_REPORT_REPLY__INIT;
	enum status status = ST_INVALID;

	arena_init(&arena, CATALOG_REQUEST_ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	report = cleave__node_report__unpack(&allocator, request->body.size, request->body.data);
	/* A node that reported for another could move that one's address. */
	if (report != NULL && report->node != NULL && report->node->node_id != request->caller_id)
		status = ST_DENIED;
	else if (report != NULL)
		status = take_report(catalog, report, &reply);
	arena_close(&arena);
	if (status == ST_OK)
		catalog_reply_message(request, &reply.base);
	else
		rpc_request_reply_status(request, status);
}

void catalog_handle(struct catalog *catalog, struct rpc_request *request)
{
	if (catalog->group == NULL) {
		rpc_request_reply_status(request, ST_UNAVAILABLE);
	} else if (request->method == METHOD_CATALOG_WATCH) {
		catalog_handle_watch(catalog, request);
	} else if (!catalog->leads) {
		catalog_reply_not_leader(catalog, request);
	} else {
		switch (request->method) {
		case METHOD_CATALOG_SYNC:
			catalog_handle_sync(catalog, request);
			break;
		case METHOD_CATALOG_STATISTICS:
			catalog_handle_statistics(catalog, request);
			break;
		case METHOD_CATALOG_REPORT:
			handle_report(catalog, request);
			break;
		case METHOD_CATALOG_CREATE_TABLE:
		case METHOD_CATALOG_UPDATE_TABLE:
		case METHOD_CATALOG_DELETE_TABLE:
		case METHOD_CATALOG_TAG_TABLE:
			catalog_handle_table(catalog, request);
			break;
		default:
			rpc_request_reply_status(request, ST_UNSUPPORTED);
		}
	}
}

/* --- life --- */

enum status catalog_create(struct group_table *table, const struct catalog_settings *settings,
			   struct catalog **catalog_out)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	if (catalog == NULL)
		return ST_NO_MEMORY;
	catalog->table = table;
	catalog->runtime = table->runtime;
	catalog->initial_settings = *settings;
	catalog_fsm_init(&catalog->fsm, table->engine, &events);
	runtime_task_init(&catalog->after_apply, on_after_apply);
	buf_init(&catalog->update, CATALOG_UPDATE_SIZE_MAX);
	queue_init(&catalog->watchers);
	queue_init(&catalog->reads);
	*catalog_out = catalog;
	return ST_OK;
}

void catalog_destroy(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	CHECK(catalog->group == NULL && catalog->pending_count == 0);
	runtime_task_cancel(&catalog->after_apply);
	catalog_fsm_forget(&catalog->fsm);
	buf_close(&catalog->update);
	free(catalog);
}

void catalog_set_driver(struct catalog *catalog, struct catalog_driver *driver)
{
	CHECK(catalog->group == NULL);
	catalog->driver = driver;
}

struct group_fsm *catalog_group_fsm(struct catalog *catalog)
{
	return &catalog->fsm.base;
}

void catalog_bootstrap_members(const uint64_t *seed_node_ids, uint32_t seed_count,
			       struct raft_engine_configuration *configuration_out)
{
	CHECK(seed_count > 0 && seed_count <= RAFT_ENGINE_MEMBERS_MAX);
	*configuration_out = (struct raft_engine_configuration){ .count = seed_count };
	for (uint32_t i = 0; i < seed_count; i++)
		configuration_out->members[i] = (struct raft_engine_member){
			.replica_id = seed_node_ids[i],
			.node_id = seed_node_ids[i],
			.role = RAFT_ROLE_VOTER,
		};
}

struct catalog_settings catalog_default_settings(uint32_t seed_count)
{
	return (struct catalog_settings){
		.election_timeout_ms = ELECTION_TIMEOUT_MS,
		.heartbeat_ms = HEARTBEAT_MS,
		.on_demand_partitions = ON_DEMAND_PARTITIONS,
		.replica_count = seed_count < REPLICA_COUNT ? seed_count : REPLICA_COUNT,
	};
}

enum status catalog_attach(struct catalog *catalog, struct group *group)
{
	enum status status;

	CHECK(catalog->group == NULL);
	status = catalog_load(&catalog->fsm);
	if (status == ST_OK)
		catalog->group = group;
	return status;
}

void catalog_detach(struct catalog *catalog)
{
	if (catalog->group == NULL)
		return;
	on_leader_lost(&catalog->fsm);
	catalog_watch_stop(catalog);
	catalog->group = NULL;
}

const struct catalog_state *catalog_applied_state(const struct catalog *catalog)
{
	return &catalog->fsm.state;
}

bool catalog_leads(const struct catalog *catalog)
{
	return catalog->leads;
}
