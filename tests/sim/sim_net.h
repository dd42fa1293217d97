/* The network of a run: struct rpc_transport between simulated processes.
 *
 * One connection per ordered pair of processes carries calls and posts one way and replies the
 * other, like rpc_client's.  Semantics are those of proto/rpc/rpc.h, used to the full:
 *
 *   posts     may be lost, doubled, and overtake each other as if the connection had changed
 *   calls     are never lost silently: a lost packet costs a retransmission, a link that stays
 *             cut breaks the connection (ST_CLOSED), and the peer may have run the call or not
 *   observers hear of a broken connection, at once when a process dies, late when a machine
 *             does or a link is cut
 *   peers     are those that set_peer() named; a process may be its own peer
 *
 * Threads  one.
 * Memory   an endpoint is embedded in its process and lives as long as the network.
 */
#ifndef TESTS_SIM_SIM_NET_H
#define TESTS_SIM_SIM_NET_H

#include "proto/rpc/rpc.h"
#include "tests/sim/sim_runtime.h"

enum { SIM_ENDPOINTS_MAX = 12 };

struct sim_net;

struct sim_endpoint {
	struct rpc_transport base; /* first */
	struct sim_net *net;
	struct sim_runtime *runtime;
	uint64_t id;                 /* below SIM_ENDPOINTS_MAX */
	uint64_t caller_id;          /* what peers are told: the id of a node, 0 of a coordinator */
	struct rpc_service *service; /* NULL: serves nothing */
	/* May this process connect?  NULL: any may. */
	bool (*admit)(struct sim_endpoint *endpoint, const struct sim_endpoint *peer);
	bool is_running;
	uint64_t incarnation;
	uint64_t next_call_id;
	struct queue calls;    /* in flight */
	struct queue finished; /* done() is to come */
	struct runtime_task finish_task;
	uint32_t request_count; /* with the service, not answered */
};

/* One direction between two processes. */
struct sim_link {
	uint32_t cut_count; /* reasons why nothing passes */
	uint64_t extra_us_max;
};

struct sim_connection {
	struct sim_event event; /* connect again, or notice that it is dead */
	struct sim_net *net;
	uint64_t from;
	uint64_t to;
	bool is_wanted; /* by its beginning: set_peer() */
	bool is_up;
	bool is_doomed; /* something was lost for good: it will break */
	uint64_t generation;
	uint64_t last_us[2]; /* newest arrival: requests, replies */
};

struct sim_net {
	struct sim_world *world;
	uint32_t loss_permille;
	uint32_t duplicate_permille;
	uint32_t overtake_permille;
	uint64_t stray_us_max; /* how late a doubled or overtaken post comes */
	uint64_t delay_us_min;
	uint64_t delay_us_max;
	struct sim_endpoint *endpoints[SIM_ENDPOINTS_MAX];
	struct sim_link links[SIM_ENDPOINTS_MAX][SIM_ENDPOINTS_MAX];
	struct sim_connection connections[SIM_ENDPOINTS_MAX][SIM_ENDPOINTS_MAX];
	struct queue messages;
	uint64_t delivered_count;
};

void sim_net_init(struct sim_net *net, struct sim_world *world);
void sim_net_close(struct sim_net *net);

/* A process begins, without peers. */
void sim_net_start(struct sim_net *net, struct sim_endpoint *endpoint, struct sim_runtime *runtime,
		   uint64_t id, uint64_t caller_id, struct rpc_service *service);
/* It ends: its calls are ST_CLOSED in what is left of it.  Silently: no peer is told, as when a
 * machine loses power. */
void sim_net_stop(struct sim_endpoint *endpoint, bool is_silent);

/* Cuts nest: each must be healed. */
void sim_net_cut(struct sim_net *net, uint64_t from, uint64_t to);
void sim_net_heal(struct sim_net *net, uint64_t from, uint64_t to);
/* Is a request of this kind on its way? */
bool sim_net_is_asking(const struct sim_net *net, uint64_t from, uint64_t to, uint16_t method);
/* The connection breaks for no reason and comes back soon. */
void sim_net_reset(struct sim_net *net, uint64_t from, uint64_t to);

#endif
