/* A process's copy of the catalog, kept current by long polls against the seed nodes.
 *
 * The copy may be behind; the replica that serves a request has the last word, answers
 * ST_MOVED with the version to refresh to, and catalog_view_refresh() gets it.  To be sure that
 * something is *not* there, catalog_view_sync() asks the catalog's leader first.
 *
 * Threads  loop thread of the runtime.
 * Memory   in place; the owner keeps it until catalog_view_close().  What is borrowed from
 *          view->state (catalog_state.h has the look-ups) is valid until the next turn.
 * Errors   the watch never gives up: it goes from seed to seed with jittered pauses.
 */
#ifndef PROTO_CATALOG_CATALOG_VIEW_H
#define PROTO_CATALOG_CATALOG_VIEW_H

#include "proto/catalog/catalog_call.h"
#include "proto/catalog/catalog_state.h"

struct catalog_observer {
	struct queue link;
	/* After each update that changed something; must not change the list of observers. */
	void (*changed)(struct catalog_observer *observer);
};

struct catalog_view {
	struct catalog_state state;
	struct catalog_seeds seeds; /* for catalog_call_start() */
	/* The view's own. */
	struct rpc_call watch;
	struct runtime_timer retry;
	struct queue observers;
	struct queue syncs;      /* all that are under way */
	uint64_t wanted_version; /* somebody knows that this exists */
	uint32_t seed_at;        /* whom the watch asks */
	uint32_t failure_count;  /* in a row */
	bool is_watching;        /* a call is under way */
	bool is_restarting;      /* it was canceled to ask somebody else at once */
	bool is_closing;
	struct runtime_task closing;
	void (*closed)(struct catalog_view *view);
};

void catalog_view_init(struct catalog_view *view, struct runtime *runtime, struct rpc_transport *transport,
		       const uint64_t *seed_node_ids, uint32_t seed_count);
void catalog_view_start(struct catalog_view *view);
/* Stop the watch; syncs end with ST_CANCELED.  closed() is called once, later (at the end of
 * this turn at the earliest); then catalog_view_close() frees the copy. */
void catalog_view_stop(struct catalog_view *view, void (*closed)(struct catalog_view *view));
void catalog_view_close(struct catalog_view *view);

void catalog_view_observe(struct catalog_view *view, struct catalog_observer *observer);
void catalog_view_unobserve(struct catalog_observer *observer);

/* The catalog is known to have reached min_version: get it now. */
void catalog_view_refresh(struct catalog_view *view, uint64_t min_version);

static inline const struct partition_info *catalog_view_find_partition(const struct catalog_view *view,
								       struct slice row_key)
{
	return catalog_state_find_partition(&view->state, row_key);
}

struct catalog_sync;

typedef void (*catalog_sync_cb)(struct catalog_sync *sync);

/* Embedded in the caller's operation until its cb ran. */
struct catalog_sync {
	enum status status; /* valid in the callback */
	struct catalog_view *view;
	struct catalog_call call;
	struct queue link;
	struct runtime_timer deadline;
	uint64_t version; /* to wait for; 0: the catalog has not answered yet */
	uint64_t deadline_mono_us;
	catalog_sync_cb done;
};

/* Bring the view to all that the catalog had committed when this was called.  done() runs once,
 * never from inside start: ST_OK, ST_TIMEOUT, ST_CANCELED or the call's status. */
void catalog_view_sync(struct catalog_view *view, struct catalog_sync *sync, uint32_t timeout_ms,
		       catalog_sync_cb done);
/* done() still comes, once, later, with ST_CANCELED.  Harmless when not under way. */
void catalog_view_sync_cancel(struct catalog_sync *sync);

#endif
