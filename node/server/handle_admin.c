#include "node/server/handle_admin.h"

#include <inttypes.h>

#include "node/server/server.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/admin.pb-c.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/proto_borrow.h"
#include "replication/group/group_member.h"

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024, REPLY_BYTES_MAX = 32 * 1024 * 1024 };

static char *state_text(const struct group_status *status)
{
	static char *const names[] = {
		[RAFT_STATE_FOLLOWER] = "follower",
		[RAFT_STATE_CANDIDATE] = "candidate",
		[RAFT_STATE_LEADER] = "leader",
	};
	static char installing[] = "installing";
	static char waiting[] = "waiting";

	if (status->is_installing)
		return installing;
	return status->is_waiting_for_snapshot ? waiting : names[status->state];
}

static bool describe_feeds(const struct partition *partition, struct arena *arena,
			   Cleave__ReplicaStatus *replica)
{
	uint32_t count = partition->indexes.feed_count;
	Cleave__FeedStatus *feeds = arena_alloc(arena, (count + 1) * sizeof(*feeds));

	replica->feeds = arena_alloc(arena, (count + 1) * sizeof(*replica->feeds));
	if (feeds == NULL || replica->feeds == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct partition_feed *feed = &partition->indexes.feeds[i];

		cleave__feed_status__init(&feeds[i]);
		feeds[i].index_table_id = feed->index_table_id;
		feeds[i].backfilled_percent = partition_feed_percent(feed, buf_slice(&partition->range_start),
								     buf_slice(&partition->range_end));
		replica->feeds[i] = &feeds[i];
	}
	replica->n_feeds = count;
	return true;
}

static Cleave__ReplicaStatus *describe_replica(struct server *server, struct arena *arena,
					       const struct group *group)
{
	Cleave__ReplicaStatus *replica = arena_alloc(arena, sizeof(*replica));
	const struct partition *partition;
	struct group_status status;

	if (replica == NULL)
		return NULL;
	cleave__replica_status__init(replica);
	group_get_status(group, &status);
	replica->partition_id = status.group_id;
	replica->replica_id = status.replica_id;
	replica->state = state_text(&status);
	replica->leader_node_id = status.leader_node_id;
	replica->term = status.term;
	replica->applied_index = status.applied_index;
	replica->commit_index = status.commit_index;
	replica->last_index = status.last_index;
	replica->first_index = status.first_index;
	partition = partition_table_find(server->partitions, status.group_id);
	if (partition != NULL) {
		replica->table_id = partition->table_id;
		replica->epoch = partition->epoch;
		replica->range_start = proto_borrow_bytes(buf_slice(&partition->range_start));
		replica->range_end = proto_borrow_bytes(buf_slice(&partition->range_end));
		if (!describe_feeds(partition, arena, replica))
			return NULL;
	}
	return replica;
}

static bool describe_replicas(struct server *server, struct arena *arena, Cleave__NodeStatusReply *reply)
{
	struct group *group;
	size_t cursor = 0;

	reply->replicas = arena_alloc(arena, (server->groups->groups.count + 1) * sizeof(*reply->replicas));
	if (reply->replicas == NULL)
		return false;
	while ((group = group_table_next(server->groups, &cursor)) != NULL) {
		Cleave__ReplicaStatus *replica = describe_replica(server, arena, group);

		if (replica == NULL)
			return false;
		reply->replicas[reply->n_replicas++] = replica;
	}
	return true;
}

void handle_admin_status(struct server *server, struct rpc_request *request)
{
	static char version[] = CLEAVE_VERSION;
	const char *problem = server->problem(server->problem_context);
	Cleave__NodeStatusReply reply;
	struct arena arena;
	struct buf packed;
	uint8_t *start = NULL;

	cleave__node_status_reply__init(&reply);
	arena_init(&arena, ARENA_BYTES_MAX);
	buf_init(&packed, REPLY_BYTES_MAX);
	reply.node_id = server->node_id;
	reply.zone = (char *)(uintptr_t)server->zone;
	reply.catalog_version = partition_table_catalog_version(server->partitions);
	reply.uptime_ms = runtime_mono_ms(server->runtime) - server->started_mono_ms;
	reply.is_ready = problem == NULL;
	if (problem != NULL)
		reply.problem = (char *)(uintptr_t)problem;
	reply.build_version = version;
	if (describe_replicas(server, &arena, &reply))
		start = buf_extend(&packed, cleave__node_status_reply__get_packed_size(&reply));
	if (start != NULL)
		(void)cleave__node_status_reply__pack(&reply, start);
	rpc_request_reply(request, start == NULL ? ST_NO_MEMORY : ST_OK, buf_slice(&packed));
	buf_close(&packed);
	arena_close(&arena);
}

void handle_admin_fault(struct server *server, struct rpc_request *request)
{
	Cleave__FaultRequest *message = cleave__fault_request__unpack(NULL, request->body.size,
								      request->body.data);
	enum fault_point point;
	enum status status = ST_OK;

	(void)server;
	if (message == NULL) {
		rpc_request_reply_status(request, ST_INVALID);
		return;
	}
	point = fault_parse(message->point);
	if (message->point[0] == '\0')
		fault_clear_all();
	else if (point == FAULT_NONE)
		status = ST_NOT_FOUND;
	else
		fault_set(point, message->per_million, message->delay_ms);
	log_warn("admin", "fault", "point=%s per_million=%u delay_ms=%u status=%s", message->point,
		 message->per_million, message->delay_ms, status_name(status));
	cleave__fault_request__free_unpacked(message, NULL);
	rpc_request_reply_status(request, status);
}

void handle_admin_transfer(struct server *server, struct rpc_request *request)
{
	Cleave__TransferRequest *message = cleave__transfer_request__unpack(NULL, request->body.size,
									    request->body.data);
	struct group *group;
	enum status status = ST_NOT_FOUND;

	if (message == NULL) {
		rpc_request_reply_status(request, ST_INVALID);
		return;
	}
	group = group_table_find(server->groups, message->partition_id);
	if (group != NULL)
		status = group_member_transfer(group, message->to_node_id);
	cleave__transfer_request__free_unpacked(message, NULL);
	rpc_request_reply_status(request, status);
}

/* A slip in a number must not hit another node's replica. */
static bool is_on_node(const struct group *group, uint64_t replica_id, uint64_t node_id)
{
	struct raft_engine_configuration configuration;

	group_member_list(group, &configuration);
	for (uint32_t i = 0; i < configuration.count; i++) {
		if (configuration.members[i].replica_id == replica_id)
			return configuration.members[i].node_id == node_id;
	}
	return false;
}

static enum status change_member(struct group *group, const Cleave__MemberRequest *message)
{
	if (message->action != CLEAVE__MEMBER_REQUEST__ACTION__ADD_STANDBY &&
	    !is_on_node(group, message->replica_id, message->node_id))
		return ST_NOT_FOUND;
	switch (message->action) {
	case CLEAVE__MEMBER_REQUEST__ACTION__ADD_STANDBY:
		return group_member_add_standby(group, message->replica_id, message->node_id);
	case CLEAVE__MEMBER_REQUEST__ACTION__PROMOTE:
		return group_member_promote(group, message->replica_id);
	case CLEAVE__MEMBER_REQUEST__ACTION__REMOVE:
		return group_member_remove(group, message->replica_id);
	default:
		return ST_INVALID;
	}
}

void handle_admin_member(struct server *server, struct rpc_request *request)
{
	Cleave__MemberRequest *message = cleave__member_request__unpack(NULL, request->body.size,
									request->body.data);
	struct group *group;
	enum status status = ST_NOT_FOUND;

	if (message == NULL) {
		rpc_request_reply_status(request, ST_INVALID);
		return;
	}
	group = group_table_find(server->groups, message->partition_id);
	if (group != NULL)
		status = change_member(group, message);
	cleave__member_request__free_unpacked(message, NULL);
	rpc_request_reply_status(request, status);
}
