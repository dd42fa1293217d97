/* A connection to a cluster for one command: the catalog, each node's own words, single calls.
 *
 * The tool does one thing after the other, so these functions turn the loop until they are done.
 *
 * Threads  one.
 * Memory   the caller owns struct tool_cluster from open to close; what a survey borrows lives in
 *          its arena until the next survey.
 * Errors   open and survey print what is wrong, and with whom, to standard error.
 * Limits   TOOL_CLUSTER_LOAD_MS to load the catalog, TOOL_CLUSTER_SYNC_MS more to be current, and
 *          TOOL_CLUSTER_STATUS_MS for the nodes.
 */
#ifndef DEPLOY_CLEAVE_TOOL_CLUSTER_H
#define DEPLOY_CLEAVE_TOOL_CLUSTER_H

#include "deploy/cleave/tool_flags.h"
#include "deploy/cleave/tool_survey.h"
#include "proto/catalog/catalog_view.h"
#include "proto/net/endpoint.h"
#include "proto/rpc/rpc_client.h"

enum {
	TOOL_CLUSTER_LOAD_MS = 5000,
	TOOL_CLUSTER_SYNC_MS = 1000,
	TOOL_CLUSTER_STATUS_MS = 2000,
	TOOL_CLUSTER_CALL_MS = 5000,
	TOOL_CLUSTER_ARENA_BYTES_MAX = 1024 * 1024 * 1024,
};

struct tool_cluster {
	const char *program;
	struct endpoint_seeds seeds;
	struct tls_context *tls;
	struct runtime_uv runtime;
	struct rpc_client client;
	struct catalog_view view;
	struct runtime_timer guard; /* ends a wait */
	struct hash_map refusals;   /* node id -> its enum status as a pointer */
	struct catalog_sync sync;   /* after loading */
	struct arena arena;         /* of the survey */
	bool is_sync_over;
	bool is_view_closed;
	bool is_client_stopped;
};

/* Connect and load the catalog; false: it is said why, nothing is left open. */
bool tool_cluster_open(struct tool_cluster *cluster, const char *program,
		       const struct tool_flags *flags) MUST_CHECK;
void tool_cluster_close(struct tool_cluster *cluster);

/* Ask every node for its status, all at once, and join the answers; false: it is said why. */
bool tool_cluster_survey(struct tool_cluster *cluster, struct tool_survey *survey) MUST_CHECK;

/* Before a call to a node that no survey named; false: it is said that there is none. */
bool tool_cluster_connect(struct tool_cluster *cluster, uint64_t node_id) MUST_CHECK;

/* One call; the status of rpc.h or the answer's.  The answer's body is dropped. */
enum status tool_cluster_call(struct tool_cluster *cluster, uint64_t node_id, uint16_t method,
			      struct slice body);

/* Let time pass. */
void tool_cluster_pause(struct tool_cluster *cluster, uint32_t pause_ms);

/* Exit code for an operator's request to a node: says on standard error why it failed. */
int tool_cluster_report(const struct tool_cluster *cluster, uint64_t node_id, enum status status);

#endif
