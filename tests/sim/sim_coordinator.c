#include "tests/sim/sim_coordinator.h"

#include <inttypes.h>

enum { TRACE_COORDINATOR = 25, ZONES = 3, RATE_PPM_MAX = 1000 };

void sim_coordinator_init(struct sim_coordinator *coordinator, struct sim_world *world, struct sim_net *net,
			  uint64_t id, uint32_t seed_count)
{
	*coordinator = (struct sim_coordinator){
		.world = world,
		.net = net,
		.id = id,
		.seed_count = seed_count,
	};
	coordinator->zone[0] = (char)('a' + id % ZONES);
	queue_init(&coordinator->users);
}

void sim_coordinator_add(struct sim_coordinator *coordinator, struct sim_user *user)
{
	queue_init(&user->link);
	queue_push_tail(&coordinator->users, &user->link);
}

static void tell_users(struct sim_coordinator *coordinator, bool begins)
{
	for (struct queue *link = coordinator->users.next; link != &coordinator->users; link = link->next) {
		struct sim_user *user = CONTAINER_OF(link, struct sim_user, link);

		if (begins)
			user->begin(user);
		else
			user->end(user);
	}
}

void sim_coordinator_start(struct sim_coordinator *coordinator)
{
	struct rpc_transport *transport = &coordinator->endpoint.base;
	uint64_t seeds[CATALOG_SEEDS_MAX];

	CHECK(!coordinator->is_running);
	coordinator->is_running = true;
	coordinator->is_closed = false;
	coordinator->start_count++;
	sim_world_trace(coordinator->world, TRACE_COORDINATOR, coordinator->id);
	sim_world_say(coordinator->world, "coordinator %" PRIu64 " starts", coordinator->id);
	sim_runtime_init(&coordinator->runtime, coordinator->world, coordinator->id);
	coordinator->runtime.rate_ppm = (int64_t)sim_range(&coordinator->world->disk_rng, 0,
							   2 * RATE_PPM_MAX) -
					RATE_PPM_MAX;
	sim_net_start(coordinator->net, &coordinator->endpoint, &coordinator->runtime, coordinator->id, 0,
		      NULL);
	sim_runtime_enter(&coordinator->runtime);
	for (uint32_t i = 0; i < coordinator->seed_count; i++) {
		seeds[i] = i + 1;
		transport->ops->set_peer(transport, seeds[i], "sim", 1);
	}
	router_init(&coordinator->router, transport, seeds, coordinator->seed_count, coordinator->zone);
	router_start(&coordinator->router);
	tell_users(coordinator, true);
	sim_runtime_leave(&coordinator->runtime);
}

static void on_closed(struct catalog_view *view)
{
	CONTAINER_OF(view, struct sim_coordinator, router.view)->is_closed = true;
}

void sim_coordinator_crash(struct sim_coordinator *coordinator)
{
	if (!coordinator->is_running)
		return;
	coordinator->is_running = false;
	sim_world_trace(coordinator->world, TRACE_COORDINATOR + 1, coordinator->id);
	sim_world_say(coordinator->world, "coordinator %" PRIu64 " ends", coordinator->id);
	sim_net_stop(&coordinator->endpoint, false);
	sim_runtime_enter(&coordinator->runtime);
	tell_users(coordinator, false);
	router_stop(&coordinator->router, on_closed);
	sim_runtime_leave(&coordinator->runtime);
	CHECK(sim_runtime_drain(&coordinator->runtime));
	CHECK(coordinator->is_closed);
	router_close(&coordinator->router);
	sim_runtime_close(&coordinator->runtime);
}

bool sim_coordinator_may_answer(const struct sim_coordinator *coordinator, enum status status)
{
	if (status == ST_CANCELED)
		return !coordinator->is_running;
	return status_is_retryable(status);
}

const struct table_info *sim_coordinator_table(const struct sim_coordinator *coordinator, const char *name)
{
	const struct table_info *table;

	if (!coordinator->is_running)
		return NULL;
	table = catalog_state_table_named(&coordinator->router.view.state, slice_of_string(name));
	return table != NULL && table_info_is_usable(table) ? table : NULL;
}
