#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/metrics.h"
#include "replication/group/group_member.h"

enum { US_PER_MS = 1000 };

static struct metric metric_writes = { .name = "cleave_node_writes_total",
				       .help = "Writes evaluated at this node",
				       .kind = METRIC_COUNTER };
static struct metric metric_reads = { .name = "cleave_node_reads_total",
				      .help = "Reads started at this node",
				      .kind = METRIC_COUNTER };
static struct metric metric_syncs = { .name = "cleave_node_log_syncs_total",
				      .help = "Syncs of the write-ahead log",
				      .kind = METRIC_COUNTER };
static struct metric metric_applied = { .name = "cleave_node_entries_applied_total",
					.help = "Log entries applied by all replicas",
					.kind = METRIC_COUNTER };
static struct metric metric_replicas = { .name = "cleave_node_replicas",
					 .help = "Replicas hosted",
					 .kind = METRIC_GAUGE };
static struct metric metric_leaders = { .name = "cleave_node_leaders",
					.help = "Replicas that lead",
					.kind = METRIC_GAUGE };
static struct metric metric_won = { .name = "cleave_node_elections_won_total",
				    .help = "Times that a replica began to lead",
				    .kind = METRIC_COUNTER };
static struct metric metric_yields = { .name = "cleave_node_full_disk_hand_overs_total",
				       .help = "Hand-overs begun because this node's disk is full",
				       .kind = METRIC_COUNTER };
static struct metric metric_free_bytes = { .name = "cleave_node_disk_free_bytes",
					   .help = "Free bytes below the data directory",
					   .kind = METRIC_GAUGE };
static struct metric metric_dropped = { .name = "cleave_node_peer_messages_dropped_total",
					.help = "Raft messages that could not be queued or sent",
					.kind = METRIC_COUNTER };

static void register_metrics(void)
{
	static struct metric *const all[] = { &metric_writes,  &metric_reads,    &metric_syncs,
					      &metric_applied, &metric_replicas, &metric_leaders,
					      &metric_won,     &metric_yields,   &metric_free_bytes,
					      &metric_dropped };
	static bool is_registered;

	for (size_t i = 0; !is_registered && i < ARRAY_COUNT(all); i++)
		metrics_register(all[i]);
	is_registered = true;
}

void node_update_metrics(struct node *node)
{
	struct group *group;
	size_t cursor = 0;
	int64_t leaders = 0;

	while ((group = group_table_next(&node->groups, &cursor)) != NULL)
		leaders += group_is_ready(group);
	metric_set(&metric_writes, (int64_t)node->partitions.env.write_count);
	metric_set(&metric_reads, (int64_t)node->partitions.env.read_count);
	metric_set(&metric_syncs, (int64_t)node->groups.commit.sync_count);
	metric_set(&metric_applied, (int64_t)node->groups.applied_count);
	metric_set(&metric_replicas, (int64_t)node->groups.groups.count);
	metric_set(&metric_leaders, leaders);
	metric_set(&metric_won, (int64_t)node->groups.won_count);
	metric_set(&metric_yields, (int64_t)node->groups.yield_count);
	metric_set(&metric_free_bytes, (int64_t)engine_free_bytes(node->engine));
	metric_set(&metric_dropped, (int64_t)node->groups.link.dropped_count);
}

/* --- following the world --- */

/* Leases are safe only if every node keeps the same timing: a node that was started with other
 * settings than the cluster's must not take part. */
static void check_settings(struct node *node)
{
	const struct catalog_settings *agreed = &node->view.state.settings;
	const struct catalog_settings *own = &node->options.settings;

	if (agreed->version == 0 ||
	    (agreed->election_timeout_ms == own->election_timeout_ms &&
	     agreed->heartbeat_ms == own->heartbeat_ms && agreed->leases == own->leases))
		return;
	log_error("node", "started with other settings than the cluster's",
		  "election_timeout_ms=%u heartbeat_ms=%u leases=%d", agreed->election_timeout_ms,
		  agreed->heartbeat_ms, agreed->leases);
	node->options.fatal(node->options.fatal_context, ST_INVALID);
}

static void on_view_changed(struct catalog_observer *observer)
{
	struct node *node = CONTAINER_OF(observer, struct node, view_observer);
	const struct node_info *info;
	size_t cursor = 0;

	check_settings(node);
	while ((info = catalog_state_next_node(&node->view.state, &cursor)) != NULL)
		node->transport->ops->set_peer(node->transport, info->node_id, info->host, info->port);
	partition_table_follow(&node->partitions, &node->view);
}

static void on_leader_changed(struct partition_env *env)
{
	struct partition_table *partitions = CONTAINER_OF(env, struct partition_table, env);
	struct node *node = CONTAINER_OF(partitions, struct node, partitions);

	if (!node->is_stopping)
		node_report_soon(&node->report);
}

static void on_caught_up(struct index_feeders *feeders)
{
	struct node *node = CONTAINER_OF(feeders, struct node, feeders);

	if (!node->is_stopping)
		node_report_soon(&node->report);
}

/* --- the catalog's replica --- */

static bool is_seed(const struct node *node)
{
	for (uint32_t i = 0; i < node->options.seed_count; i++) {
		if (node->options.seed_node_ids[i] == node->options.node_id)
			return true;
	}
	return false;
}

static enum status open_catalog_group(struct node *node)
{
	struct raft_engine_configuration members;
	struct group_fsm *fsm = catalog_group_fsm(node->catalog);
	enum status status = group_open(&node->groups, CATALOG_GROUP_ID, fsm, &node->catalog_group);

	if (status != ST_NOT_FOUND)
		return status;
	catalog_bootstrap_members(node->options.seed_node_ids, node->options.seed_count, &members);
	return group_create(&node->groups, CATALOG_GROUP_ID, node->options.node_id, &members, fsm,
			    &node->catalog_group);
}

static enum status start_catalog(struct node *node)
{
	enum status status;

	if (!is_seed(node))
		return ST_OK;
	status = catalog_create(&node->groups, &node->options.settings, &node->catalog);
	if (status == ST_OK)
		status = driver_create(node->catalog, node->runtime, &node->driver);
	if (status == ST_OK)
		status = open_catalog_group(node);
	if (status == ST_OK)
		status = catalog_attach(node->catalog, node->catalog_group);
	node->server.catalog = node->catalog;
	return status;
}

/* --- life --- */

static void describe_self(const struct node_options *options, struct node_info *self)
{
	*self = (struct node_info){ .node_id = options->node_id, .port = options->port };
	(void)snprintf(self->zone, sizeof(self->zone), "%s", options->zone);
	(void)snprintf(self->host, sizeof(self->host), "%s", options->host);
	memcpy(self->incarnation, options->incarnation, sizeof(self->incarnation));
}

/* A replica that is further behind than the entries kept needs a snapshot. */
static void set_log_keep(struct group_settings *settings, uint32_t keep_entries)
{
	settings->behind_entries_max = keep_entries;
	settings->trailing_entries = keep_entries < NODE_LOG_TRAILING_MAX ? keep_entries : 0;
	settings->compact_entries = keep_entries < NODE_LOG_TRAILING_MAX ? 2 * keep_entries : 0;
}

static enum status start_groups(struct node *node)
{
	const struct catalog_settings *wanted = &node->options.settings;
	struct group_settings settings = {
		.election_timeout_ms = wanted->election_timeout_ms,
		.heartbeat_ms = wanted->heartbeat_ms,
		.uses_leases = wanted->leases,
	};
	struct partition_env env = {
		.runtime = node->runtime,
		.engine = node->engine,
		.groups = &node->groups,
		.hash_seed = rng_u64(&node->runtime->rng),
		.leader_changed = on_leader_changed,
		.feeders = &node->feeders.base,
		.waits_for_indexes = node->options.waits_for_indexes,
		.collection_size_bytes_max = node->options.collection_size_bytes_max,
	};
	enum status status;

	set_log_keep(&settings, node->options.log_keep_entries);
	status = group_table_init(&node->groups, node->runtime, node->engine, node->transport,
				  node->options.node_id, &settings, node->options.fatal,
				  node->options.fatal_context);
	if (status != ST_OK)
		return status;
	partition_table_init(&node->partitions, &env);
	return ST_OK;
}

static void on_drain(struct runtime_timer *timer)
{
	struct node *node = CONTAINER_OF(timer, struct node, drain_timer);

	if (group_table_is_idle(&node->groups) && index_feeders_is_idle(&node->feeders) &&
	    item_census_is_idle(&node->census))
		node->stopped(node);
	else
		runtime_timer_start(node->runtime, timer, (uint64_t)NODE_DRAIN_CHECK_MS * US_PER_MS);
}

static const char *problem(void *context)
{
	return node_problem(context);
}

static void start_services(struct node *node)
{
	struct node_info self;

	node->server = (struct server){
		.runtime = node->runtime,
		.groups = &node->groups,
		.partitions = &node->partitions,
		.node_id = node->options.node_id,
		.zone = node->options.zone,
		.started_mono_ms = runtime_mono_ms(node->runtime),
		.problem = problem,
		.problem_context = node,
	};
	server_init(&node->server);
	catalog_view_init(&node->view, node->runtime, node->transport, node->options.seed_node_ids,
			  node->options.seed_count);
	route_init(&node->route, &node->view, node->transport, node->options.zone);
	route_env_init(&node->route_env, &node->view, &node->route, node->transport);
	index_feeders_init(&node->feeders, node->runtime, node->engine, &node->route_env);
	node->feeders.caught_up = on_caught_up;
	item_census_start(&node->census, node->runtime, node->engine, &node->partitions);
	describe_self(&node->options, &self);
	node_report_start(&node->report, node->runtime, &node->view, &node->partitions, &self);
	node->view_observer.changed = on_view_changed;
	catalog_view_observe(&node->view, &node->view_observer);
	disk_watch_init(&node->disk_watch, node->runtime, node->engine, &node->groups,
			node->options.reserve_bytes);
	runtime_timer_init(&node->drain_timer, on_drain);
}

static void close_groups(struct node *node)
{
	partition_table_close(&node->partitions);
	if (node->catalog != NULL)
		catalog_detach(node->catalog);
	if (node->catalog_group != NULL)
		group_close(node->catalog_group);
	node->catalog_group = NULL;
	catalog_destroy(node->catalog);
	driver_destroy(node->driver);
	node->catalog = NULL;
	node->server.catalog = NULL;
	node->driver = NULL;
}

enum status node_create(struct runtime *runtime, struct rpc_transport *transport, struct engine *engine,
			const struct node_options *options, struct node **node_out)
{
	struct node *node = calloc(1, sizeof(*node));
	enum status status;

	if (node == NULL)
		return ST_NO_MEMORY;
	register_metrics();
	node->options = *options;
	node->runtime = runtime;
	node->transport = transport;
	node->engine = engine;
	status = start_groups(node);
	if (status != ST_OK) {
		free(node);
		return status;
	}
	start_services(node);
	status = start_catalog(node);
	if (status == ST_OK)
		status = partition_table_open_all(&node->partitions);
	if (status != ST_OK) {
		log_error("node", "cannot start", "status=%s", status_name(status));
		node->is_stopping = true;
		node_destroy(node);
		return status;
	}
	catalog_view_start(&node->view);
	disk_watch_start(&node->disk_watch);
	*node_out = node;
	return ST_OK;
}

static void on_view_closed(struct catalog_view *view)
{
	struct node *node = CONTAINER_OF(view, struct node, view);

	close_groups(node);
	on_drain(&node->drain_timer);
}

/* Leaders hand over first, so that clients do not wait for a timeout. */
static void hand_over(struct node *node)
{
	struct group *group;
	size_t cursor = 0;

	while ((group = group_table_next(&node->groups, &cursor)) != NULL) {
		/* Best effort: a group without another voter stays where it is. */
		if (group_is_ready(group) && group_member_transfer(group, 0) != ST_OK)
			log_debug("node", "no hand-over", "group=%" PRIu64, group_id(group));
	}
}

void node_stop(struct node *node, void (*stopped)(struct node *node))
{
	node->is_stopping = true;
	node->server.is_stopping = true;
	node->stopped = stopped;
	hand_over(node);
	node_report_stop(&node->report);
	item_census_stop(&node->census);
	disk_watch_stop(&node->disk_watch);
	catalog_view_unobserve(&node->view_observer);
	catalog_view_stop(&node->view, on_view_closed);
}

void node_destroy(struct node *node)
{
	if (node == NULL)
		return;
	close_groups(node);
	node_report_stop(&node->report);
	disk_watch_stop(&node->disk_watch);
	runtime_timer_stop(node->runtime, &node->drain_timer);
	item_census_stop(&node->census);
	item_census_close(&node->census);
	route_env_close(&node->route_env);
	route_close(&node->route);
	catalog_view_close(&node->view);
	server_close(&node->server);
	group_table_close(&node->groups);
	free(node);
}

const char *node_problem(struct node *node)
{
	if (node->view.state.version == 0)
		(void)snprintf(node->problem, sizeof(node->problem), "waiting for the catalog");
	else if (catalog_state_node(&node->view.state, node->options.node_id) == NULL)
		(void)snprintf(node->problem, sizeof(node->problem),
			       "waiting to be registered in the catalog");
	else if (node->groups.is_disk_full)
		(void)snprintf(node->problem, sizeof(node->problem), "disk is full: writes are refused");
	else
		return NULL;
	return node->problem;
}
