/* The catalog on a node that hosts a replica of it: watches, control requests, reports.
 *
 *   request --> evaluate at the leader, on applied state --> propose --> applied --> answer
 *
 * At most one change of the same table or node is between evaluation and apply; another one is
 * answered ST_OVERLOADED, which catalog_call tries again.  Any replica serves watches.
 *
 * Life     catalog_create(); group_open() or, for a first start, group_create() with
 *          catalog_bootstrap_members(), both with catalog_group_fsm(); catalog_attach() in the same
 *          turn.  To stop: catalog_detach(), group_close(), catalog_destroy().
 * Threads  loop thread of the group table.
 * Memory   created and destroyed here; borrows the group table and the driver.
 * Errors   answered to requests: ST_NOT_LEADER with a RoutingHint, ST_UNAVAILABLE (not attached,
 *          no state yet, too few nodes), ST_STALE (this replica hears no leader: watch another),
 *          ST_OVERLOADED, ST_UNKNOWN_OUTCOME (leadership was lost on the way), ST_INVALID, and
 *          what each request says in proto/wire/catalog.proto; ST_DENIED for deletion protection
 *          and for a report of another node than the caller.
 */
#ifndef NODE_CATALOG_CATALOG_H
#define NODE_CATALOG_CATALOG_H

#include "proto/catalog/catalog_state.h"
#include "proto/rpc/rpc.h"
#include "replication/group/group.h"

struct catalog;
struct catalog_driver;

/* A table about to be created: how its partitions shall lie. */
struct catalog_placement {
	uint32_t partition_count; /* as requested; 0: by capacity */
	const struct table_info *table;
	uint64_t first_partition_id; /* ids to give out, ascending */
	uint64_t first_replica_id;
};

struct catalog_rows_count {
	uint64_t count;
	uint64_t size_bytes;
};

/* What nodes have told of a table's rows. */
struct catalog_table_count {
	struct catalog_rows_count items;
	struct catalog_rows_count local_indexes[LIMIT_LOCAL_INDEX_COUNT]; /* by number, from 1 */
};

/* What the catalog needs from placement (node/placement implements it).  Called at the leader
 * only, between leader_ready() and leader_lost(). */
struct catalog_driver_ops {
	void (*leader_ready)(struct catalog_driver *driver);
	void (*leader_lost)(struct catalog_driver *driver);
	/* The applied state moved on: look again what is to do. */
	void (*changed)(struct catalog_driver *driver);
	/* *partitions_out: arena records with ids from the placement's first ones on, in order.
	 * ST_UNAVAILABLE: fewer nodes than replicas.  ST_INVALID: too many partitions. */
	enum status (*place)(struct catalog_driver *driver, const struct catalog_placement *placement,
			     struct arena *arena, Cleave__PartitionRecord ***partitions_out,
			     size_t *count_out);
	/* ST_OK with the reply filled in, or what to answer. */
	enum status (*report)(struct catalog_driver *driver, const Cleave__NodeReport *report,
			      Cleave__NodeReportReply *reply_out);
	void (*count)(struct catalog_driver *driver, uint32_t table_id,
		      struct catalog_table_count *count_out);
};

struct catalog_driver {
	const struct catalog_driver_ops *ops;
};

/* settings: what the first leader proposes if the catalog has none. */
enum status catalog_create(struct group_table *table, const struct catalog_settings *settings,
			   struct catalog **catalog_out) MUST_CHECK;
/* After group_close(); every request has been answered then. */
void catalog_destroy(struct catalog *catalog);
/* Before catalog_attach(). */
void catalog_set_driver(struct catalog *catalog, struct catalog_driver *driver);

struct group_fsm *catalog_group_fsm(struct catalog *catalog);
/* The members of the catalog's group at its birth: replica id = node id. */
void catalog_bootstrap_members(const uint64_t *seed_node_ids, uint32_t seed_count,
			       struct raft_engine_configuration *configuration_out);
/* What the first leader of a cluster with this many seeds proposes. */
struct catalog_settings catalog_default_settings(uint32_t seed_count);
/* Load the state from the store (blocks; start-up) and begin to serve. */
enum status catalog_attach(struct catalog *catalog, struct group *group) MUST_CHECK;
/* Answer everything that waits with ST_CLOSED, and all that comes from now on. */
void catalog_detach(struct catalog *catalog);

/* METHOD_CATALOG_*. */
void catalog_handle(struct catalog *catalog, struct rpc_request *request);

/* For the driver and status pages: the applied state of this replica. */
const struct catalog_state *catalog_applied_state(const struct catalog *catalog);
bool catalog_leads(const struct catalog *catalog);
/* Is a change of the table of this name between evaluation and apply? */
bool catalog_table_is_changing(const struct catalog *catalog, const char *name);
/* Propose a change that the driver evaluated on the applied state; changed() follows when it has
 * been applied.  Of put_node, put_table, remove_table, put_partition and put_settings.
 *   ST_BUSY        a change of the same record is under way: evaluate again when changed() comes
 *   ST_NOT_LEADER, ST_OVERLOADED, ST_NO_MEMORY */
enum status catalog_propose(struct catalog *catalog, Cleave__CatalogCommand *command) MUST_CHECK;

#endif
