#include "replication/group/group_table.h"

#include <inttypes.h>

#include "proto/base/log.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

/* The group that a message is for; NULL if it is to be dropped.
 *
 * A peer is authenticated as a node, but names the replica that it speaks for: a node that spoke
 * for another's replica could vote twice, or confirm a deposed leader.  Which node a replica
 * lives on never changes, and its id is never used again, so what any configuration known here
 * says of it is true for ever, however old that configuration is: to refuse who contradicts it
 * costs no progress.  A replica that is unknown here is heard.  It may belong to a newer
 * configuration, whose leader and voters must be followed before the entry that names them has
 * come; or to none at all, while this replica waits for its first snapshot. */
static struct group *group_for(struct group_table *table, uint64_t group_id, uint64_t from_node_id,
			       uint64_t from_replica_id)
{
	struct group *group = group_table_find(table, group_id);

	if (group == NULL || group_member_may_speak(group, from_node_id, from_replica_id))
		return group;
	log_error("group", "refused message in another's name",
		  "group=%" PRIu64 " node=%" PRIu64 " replica=%" PRIu64, group_id, from_node_id,
		  from_replica_id);
	return NULL;
}

static void on_message(void *context, uint64_t group_id, uint64_t to_replica_id,
		       const struct raft_engine_message *message, uint64_t sent_mono_us)
{
	struct group *group = group_for(context, group_id, message->peer_node_id, message->peer_replica_id);

	/* A message for a replica that was removed, or not made yet, is lost. */
	if (group != NULL && group->replica_id == to_replica_id)
		group_receive(group, message, sent_mono_us);
}

static void on_confirm_request(void *context, uint64_t from_node_id, const struct peer_link_confirm *confirm)
{
	struct group *group = group_for(context, confirm->group_id, from_node_id, confirm->replica_id);

	if (group != NULL)
		group_read_on_confirm_request(group, from_node_id, confirm);
}

static void on_confirm_reply(void *context, uint64_t from_node_id, const struct peer_link_confirm *confirm)
{
	struct group *group = group_for(context, confirm->group_id, from_node_id, confirm->replica_id);

	if (group != NULL)
		group_read_on_confirm_reply(group, confirm);
}

static void on_lease_echo(void *context, uint64_t from_node_id, const struct peer_link_echo *echo)
{
	struct group *group = group_for(context, echo->group_id, from_node_id, echo->replica_id);

	if (group != NULL)
		group_read_on_echo(group, echo);
}

static void on_peer_changed(struct rpc_peer_observer *observer, uint64_t peer_id, bool is_up)
{
	struct group_table *table = CONTAINER_OF(observer, struct group_table, observer);
	struct group *group;
	size_t cursor = 0;

	while ((group = group_table_next(table, &cursor)) != NULL) {
		if (is_up)
			group_node_up(group);
		else
			group_node_down(group, peer_id);
	}
}

static void set_default(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

static void fill_settings(struct group_settings *settings)
{
	set_default(&settings->compact_entries, GROUP_COMPACT_ENTRIES);
	set_default(&settings->compact_bytes, GROUP_COMPACT_BYTES);
	set_default(&settings->trailing_entries, GROUP_TRAILING_ENTRIES);
	set_default(&settings->behind_entries_max, GROUP_BEHIND_ENTRIES_MAX);
	CHECK(settings->trailing_entries <= settings->compact_entries);
}

enum status group_table_init(struct group_table *table, struct runtime *runtime, struct engine *engine,
			     struct rpc_transport *transport, uint64_t node_id,
			     const struct group_settings *settings, log_commit_fatal_cb fatal,
			     void *fatal_context)
{
	struct peer_link_receiver receiver = {
		.message = on_message,
		.confirm_request = on_confirm_request,
		.confirm_reply = on_confirm_reply,
		.lease_echo = on_lease_echo,
		.context = table,
	};
	enum status status;

	*table = (struct group_table){
		.runtime = runtime,
		.engine = engine,
		.transport = transport,
		.node_id = node_id,
		.settings = *settings,
		.started_mono_ms = runtime_mono_ms(runtime),
		.next_stage_id = 1,
		.fatal = fatal,
		.fatal_context = fatal_context,
	};
	fill_settings(&table->settings);
	status = log_commit_init(&table->commit, runtime, engine, fatal, fatal_context);
	if (status != ST_OK)
		return status;
	table->apply_batch = engine_batch_create(engine);
	if (table->apply_batch == NULL) {
		log_commit_close(&table->commit);
		return ST_NO_MEMORY;
	}
	queue_init(&table->apply_waiting);
	queue_init(&table->applying);
	runtime_task_init(&table->apply_task, group_apply_waiting);
	table->apply_task.stage = RUNTIME_STAGE_LAST; /* beside what the log thread does meanwhile */
	peer_link_init(&table->link, runtime, transport, &receiver);
	hash_map_init(&table->groups, GROUP_TABLE_GROUPS_MAX);
	hash_map_init(&table->receiving, GROUP_TABLE_GROUPS_MAX);
	table->observer.changed = on_peer_changed;
	queue_init(&table->observer.link);
	queue_push_tail(&transport->observers, &table->observer.link);
	return ST_OK;
}

void group_table_set_disk(struct group_table *table, bool is_disk_full, bool refuses_entries)
{
	table->is_disk_full = is_disk_full;
	table->refuses_entries = refuses_entries;
	table->link.is_disk_full = is_disk_full;
	table->link.refuses_entries = refuses_entries;
}

bool group_table_is_idle(const struct group_table *table)
{
	return log_commit_is_idle(&table->commit) && !snapshot_recv_is_busy(table);
}

void group_table_close(struct group_table *table)
{
	CHECK(table->groups.count == 0);
	queue_remove(&table->observer.link);
	snapshot_recv_close_all(table);
	hash_map_close(&table->groups);
	hash_map_close(&table->receiving);
	peer_link_close(&table->link);
	runtime_task_cancel(&table->apply_task);
	engine_batch_destroy(table->engine, table->apply_batch);
	log_commit_close(&table->commit);
}

struct group *group_table_find(const struct group_table *table, uint64_t group_id)
{
	return hash_map_get(&table->groups, group_id);
}

struct group *group_table_next(const struct group_table *table, size_t *cursor)
{
	return hash_map_next(&table->groups, cursor);
}

enum status group_table_receive(struct group_table *table, uint64_t from_node_id, struct slice body)
{
	return peer_link_receive(&table->link, from_node_id, body);
}
