/* The inside of the serving catalog, shared by the files of this folder. */
#ifndef NODE_CATALOG_CATALOG_INTERNAL_H
#define NODE_CATALOG_CATALOG_INTERNAL_H

#include "node/catalog/catalog.h"
#include "node/catalog/catalog_fsm.h"

enum {
	CATALOG_PENDING_MAX = 256, /* changes between evaluation and apply */
	CATALOG_WATCHERS_MAX = 4096,
	CATALOG_READS_MAX = 4096, /* syncs and refusals that wait for a confirmation round */
	CATALOG_REQUEST_ARENA_SIZE_MAX = 64 * 1024 * 1024,
	CATALOG_UPDATE_SIZE_MAX = 32 * 1024 * 1024,
};

/* A change that was proposed and is not applied yet. */
struct catalog_pending {
	uint64_t index;
	uint64_t key;                /* of the record it changes */
	struct rpc_request *request; /* NULL: the driver's */
	uint8_t request_id[CATALOG_REQUEST_ID_SIZE_MAX];
	size_t request_id_size;
};

struct catalog {
	struct catalog_fsm fsm;
	struct group_table *table;
	struct runtime *runtime;
	struct group *group; /* NULL: not attached */
	struct catalog_driver *driver;
	struct catalog_settings initial_settings;
	bool leads;
	struct runtime_task after_apply;

	/* Ids given out in proposals come from here: ahead of the applied ones. */
	uint32_t next_table_id;
	uint64_t next_partition_id;
	uint64_t next_replica_id;
	struct catalog_pending pending[CATALOG_PENDING_MAX]; /* ring, ascending by index */
	uint32_t pending_head;
	uint32_t pending_count;

	struct queue watchers;
	uint32_t watcher_count;
	struct buf update; /* the last one packed: most watchers want the same */
	uint64_t update_from_version;
	uint64_t update_version;
	struct queue reads;
	uint32_t read_count;
};

/* Propose a command for a request (NULL: the driver's), which is answered when it has been
 * applied.  On failure the request is the caller's to answer. */
enum status catalog_submit(struct catalog *catalog, Cleave__CatalogCommand *command,
			   struct rpc_request *request) MUST_CHECK;
void catalog_reply_not_leader(struct catalog *catalog, struct rpc_request *request);
/* Answer with a packed message. */
void catalog_reply_message(struct rpc_request *request, const ProtobufCMessage *message);

/* catalog_watch.c: watches, syncs and refusals */
void catalog_handle_watch(struct catalog *catalog, struct rpc_request *request);
void catalog_handle_sync(struct catalog *catalog, struct rpc_request *request);
/* Refuse a request.  What the state of the catalog is the reason for, for all the caller knows, is
 * said once it is confirmed that this replica leads: another leader may have changed it meanwhile. */
void catalog_refuse(struct catalog *catalog, struct rpc_request *request, enum status status);
void catalog_watch_on_applied(struct catalog *catalog);
/* Answer all that wait. */
void catalog_watch_stop(struct catalog *catalog);

/* catalog_statistics.c: at the leader */
void catalog_handle_statistics(struct catalog *catalog, struct rpc_request *request);

/* catalog_tables.c: METHOD_CATALOG_{CREATE,UPDATE,DELETE,TAG}_TABLE at the leader */
void catalog_handle_table(struct catalog *catalog, struct rpc_request *request);

#endif
