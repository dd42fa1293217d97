#include "tests/sim/sim_node.h"

#include <inttypes.h>
#include <stdio.h>

#include "node/node_identity.h"
#include "proto/wire/methods.h"
#include "replication/group/group_internal.h"

enum {
	TRACE_START = 20,
	TRACE_CRASH = 21,
	DEATH_IN_SNAPSHOT_US_MAX = 8 * SIM_MS,
	DEATH_IN_INSTALL_US_MAX = 3 * SIM_MS,
	INSTALL_LOOK_US = 50,
	INSTALL_LOOKS_MAX = 400,
	MONO_OFFSET_S_MAX = 3600,
	ZONES = 3,
};

/* --- serving --- */

static void die_within(struct sim_node *node, uint64_t us_max)
{
	node->dies_in_snapshot = false;
	node->is_dying = true;
	sim_event_in(node->world, &node->death, sim_range(&node->world->disk_rng, 0, us_max));
}

static bool is_installing(const struct sim_node *node)
{
	struct group *group;
	size_t cursor = 0;

	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL) {
		if (group->is_installing)
			return true;
	}
	return false;
}

static void on_look(struct sim_event *event)
{
	struct sim_node *node = CONTAINER_OF(event, struct sim_node, install_look);

	if (!node->is_running || node->is_dying || !node->dies_in_snapshot || node->node->is_stopping)
		return;
	if (is_installing(node))
		die_within(node, DEATH_IN_INSTALL_US_MAX);
	else if (node->looks_left-- > 0)
		sim_event_in(node->world, event, INSTALL_LOOK_US);
}

/* While the chunks come, or once all have come and their rows replace the old ones. */
static void die_by_chunk(struct sim_node *node)
{
	if (sim_percent(&node->world->disk_rng, 20)) {
		die_within(node, DEATH_IN_SNAPSHOT_US_MAX);
		return;
	}
	node->looks_left = INSTALL_LOOKS_MAX;
	sim_event_in(node->world, &node->install_look, INSTALL_LOOK_US);
}

static void handle(struct rpc_service *service, struct rpc_request *request)
{
	struct sim_node *node = CONTAINER_OF(service, struct sim_node, service);

	if (request->method == METHOD_SNAPSHOT_CHUNK && node->dies_in_snapshot && !node->is_dying)
		die_by_chunk(node);
	node->node->server.service.handle(&node->node->server.service, request);
}

static bool admit(struct sim_endpoint *endpoint, const struct sim_endpoint *peer)
{
	struct sim_node *node = CONTAINER_OF(endpoint, struct sim_node, endpoint);

	return node_identity_admit(&node->node->groups.commit,
				   &CONTAINER_OF(peer, struct sim_node, endpoint)->own) == ST_OK;
}

/* --- ending --- */

static void on_stopped(struct node *stopped)
{
	struct sim_node *node = CONTAINER_OF(stopped->runtime, struct sim_node, runtime.base);

	node->is_stopped = true;
	if (node->is_running)
		sim_event_in(node->world, &node->death, 0);
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

/* What is left of the process is taken apart; nothing of it reaches disk or network. */
static void tear_down(struct sim_node *node)
{
	if (!node->node->is_stopping) {
		sim_runtime_enter(&node->runtime);
		node_stop(node->node, on_stopped);
		sim_runtime_leave(&node->runtime);
	}
	CHECK(sim_runtime_drain(&node->runtime));
	CHECK(node->is_stopped);
	sim_runtime_enter(&node->runtime);
	node_destroy(node->node);
	node->node = NULL;
	sim_runtime_leave(&node->runtime);
	CHECK(sim_runtime_drain(&node->runtime));
	CHECK(node->endpoint.request_count == 0); /* each request was answered */
	sim_disk_close(&node->disk);
	sim_runtime_close(&node->runtime);
}

static void end_process(struct sim_node *node, bool is_silent)
{
	node->is_running = false;
	node->is_dying = false;
	sim_event_cancel(node->world, &node->death);
	sim_event_cancel(node->world, &node->install_look);
	node->mono_offset_us = node->runtime.mono_offset_us;
	sim_net_stop(&node->endpoint, is_silent);
}

void sim_node_crash(struct sim_node *node, bool is_silent)
{
	uint64_t kept;

	if (!node->is_running)
		return;
	if (node->witness != NULL)
		node->witness->crashing(node->witness, node);
	end_process(node, is_silent);
	sim_disk_cut_power(&node->disk);
	sim_runtime_tear_jobs(&node->runtime);
	kept = sim_disk_crash(&node->disk, &node->world->disk_rng);
	sim_world_trace(node->world, TRACE_CRASH, node->id * 1000000 + kept);
	sim_world_say(node->world, "node %" PRIu64 " crashes, keeps %" PRIu64 " of what was not synced",
		      node->id, kept);
	tear_down(node);
}

void sim_node_stop(struct sim_node *node)
{
	if (!node->is_running || node->node->is_stopping)
		return;
	sim_world_say(node->world, "node %" PRIu64 " is asked to stop", node->id);
	sim_runtime_enter(&node->runtime);
	node_stop(node->node, on_stopped);
	sim_runtime_leave(&node->runtime);
}

static void on_death(struct sim_event *event)
{
	struct sim_node *node = CONTAINER_OF(event, struct sim_node, death);

	if (!node->is_stopped || node->is_dying) {
		sim_node_crash(node, false);
		return;
	}
	sim_world_say(node->world, "node %" PRIu64 " has stopped", node->id);
	end_process(node, false);
	tear_down(node);
}

/* --- life --- */

void sim_node_init(struct sim_node *node, struct sim_world *world, struct sim_net *net, uint64_t id,
		   const struct sim_node_settings *settings, enum sim_disk_kind disk_kind)
{
	*node = (struct sim_node){ .world = world, .net = net, .id = id, .settings = *settings };
	node->zone[0] = (char)('a' + (id - 1) % ZONES);
	sim_disk_init(&node->disk, disk_kind, id);
	node->service.handle = handle;
	sim_event_init(&node->death, NULL, on_death);
	sim_event_init(&node->install_look, NULL, on_look);
}

void sim_node_close(struct sim_node *node)
{
	sim_node_crash(node, false);
	sim_disk_destroy(&node->disk);
}

static void set_clocks(struct sim_node *node)
{
	/* A new process on the same machine, or the machine began anew. */
	if (sim_percent(&node->world->disk_rng, 30))
		node->mono_offset_us = sim_range(&node->world->disk_rng, 0,
						 MONO_OFFSET_S_MAX * (uint64_t)SIM_SECOND);
	node->runtime.mono_offset_us = node->mono_offset_us;
	node->runtime.rate_ppm = node->rate_ppm;
	node->runtime.wall_offset_us = node->wall_offset_us;
}

static void connect_to_seeds(struct sim_node *node)
{
	struct rpc_transport *transport = &node->endpoint.base;

	for (uint64_t id = 1; id <= node->settings.seed_count; id++)
		transport->ops->set_peer(transport, id, "sim", 1);
}

/* As main.c does it. */
static void start_process(struct sim_node *node)
{
	struct node_options options = {
		.node_id = node->id,
		.zone = node->zone,
		.host = "sim",
		.port = 1,
		.seed_count = node->settings.seed_count,
		.settings = node->settings.catalog,
		.reserve_bytes = SIM_RESERVE_BYTES,
		.log_keep_entries = node->settings.log_keep_entries,
		.fatal = on_fatal,
		.fatal_context = node,
	};
	uint64_t found_node_id;

	for (uint32_t i = 0; i < options.seed_count; i++)
		options.seed_node_ids[i] = i + 1;
	node->own = (struct rpc_identity){ .role = RPC_ROLE_NODE, .node_id = node->id };
	CHECK(node_identity_open(node->disk.engine, &node->runtime.base.rng, &node->own, &found_node_id) ==
	      ST_OK);
	memcpy(options.incarnation, node->own.incarnation, sizeof(options.incarnation));
	connect_to_seeds(node);
	CHECK(node_create(&node->runtime.base, &node->endpoint.base, node->disk.engine, &options,
			  &node->node) == ST_OK);
}

void sim_node_start(struct sim_node *node)
{
	CHECK(!node->is_running);
	sim_disk_make_room(&node->disk);
	sim_disk_open(&node->disk);
	sim_runtime_init(&node->runtime, node->world, node->id);
	set_clocks(node);
	node->is_running = true;
	node->is_stopped = false;
	node->start_count++;
	sim_world_trace(node->world, TRACE_START, node->id);
	sim_world_say(node->world, "node %" PRIu64 " starts", node->id);
	sim_net_start(node->net, &node->endpoint, &node->runtime, node->id, node->id, &node->service);
	node->endpoint.admit = admit;
	sim_runtime_enter(&node->runtime);
	start_process(node);
	if (node->witness != NULL)
		node->witness->started(node->witness, node);
	sim_runtime_leave(&node->runtime);
}

/* --- questions --- */

bool sim_node_is_paused(const struct sim_node *node)
{
	return node->runtime.process.paused_until_us > node->world->now_us;
}

struct group *sim_node_group(const struct sim_node *node, uint64_t group_id)
{
	return node->is_running && !node->node->is_stopping ? group_table_find(&node->node->groups, group_id)
							    : NULL;
}

struct partition *sim_node_partition(const struct sim_node *node, uint64_t partition_id)
{
	return node->is_running && !node->node->is_stopping
		       ? partition_table_find(&node->node->partitions, partition_id)
		       : NULL;
}
