#include "proto/catalog/catalog_view.h"

#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/catalog/catalog_update.h"
#include "proto/wire/methods.h"

enum {
	US_PER_MS = 1000,
	WATCH_WAIT_MS = 10000,
	CHASE_WAIT_MS = 100,   /* while a version is known to exist elsewhere */
	WATCH_GRACE_MS = 2000, /* for the answer to come after the wait */
	PAUSE_MS_MIN = 20,
	PAUSE_DOUBLINGS_MAX = 5,
	UNCHANGED_PAUSE_MS = 10, /* a replica that answers early and empty must not make us spin */
	WATCH_REQUEST_SIZE_MAX = 64,
};

static void start_watch(struct catalog_view *view);

/* --- whom to ask --- */

static bool is_chasing(const struct catalog_view *view)
{
	return view->wanted_version > view->state.version;
}

static void rotate(struct catalog_view *view)
{
	view->seed_at = (view->seed_at + 1) % view->seeds.count;
}

/* The leader has what others may not have yet. */
static void turn_to_leader(struct catalog_view *view)
{
	for (uint32_t i = 0; i < view->seeds.count; i++) {
		if (view->seeds.node_ids[i] == view->seeds.leader_node_id && i != view->seed_at) {
			view->seed_at = i;
			return;
		}
	}
	rotate(view);
}

/* --- closing --- */

static void maybe_close(struct catalog_view *view)
{
	if (view->is_closing && !view->is_watching && queue_is_empty(&view->syncs))
		runtime_defer(view->seeds.runtime, &view->closing);
}

static void on_closing(struct runtime_task *task)
{
	struct catalog_view *view = CONTAINER_OF(task, struct catalog_view, closing);

	view->closed(view);
}

/* --- syncs --- */

static void finish_sync(struct catalog_sync *sync, enum status status)
{
	struct catalog_view *view = sync->view;

	runtime_timer_stop(view->seeds.runtime, &sync->deadline);
	queue_remove(&sync->link);
	maybe_close(view);
	sync->status = status;
	sync->done(sync); /* the sync may be gone afterwards */
}

static void finish_reached_syncs(struct catalog_view *view)
{
	struct queue ready;
	struct queue *link;

	queue_init(&ready);
	for (link = view->syncs.next; link != &view->syncs;) {
		struct catalog_sync *sync = CONTAINER_OF(link, struct catalog_sync, link);

		link = link->next;
		if (sync->version == 0 || sync->version > view->state.version)
			continue;
		queue_remove(&sync->link);
		queue_push_tail(&ready, &sync->link);
	}
	while (!queue_is_empty(&ready))
		finish_sync(CONTAINER_OF(ready.next, struct catalog_sync, link), ST_OK);
}

static void on_sync_deadline(struct runtime_timer *timer)
{
	struct catalog_sync *sync = CONTAINER_OF(timer, struct catalog_sync, deadline);

	finish_sync(sync, sync->call.is_canceled ? ST_CANCELED : ST_TIMEOUT);
}

static void on_sync_reply(struct catalog_call *call)
{
	struct catalog_sync *sync = CONTAINER_OF(call, struct catalog_sync, call);
	struct catalog_view *view = sync->view;
	Cleave__CatalogSyncReply *reply;

	if (call->status != ST_OK) {
		finish_sync(sync, call->status);
		return;
	}
	reply = cleave__catalog_sync_reply__unpack(NULL, call->reply.size, call->reply.data);
	if (reply == NULL) {
		finish_sync(sync, ST_CORRUPT);
		return;
	}
	sync->version = reply->version;
	cleave__catalog_sync_reply__free_unpacked(reply, NULL);
	if (sync->version <= view->state.version) {
		finish_sync(sync, ST_OK);
		return;
	}
	runtime_timer_start_at(view->seeds.runtime, &sync->deadline, sync->deadline_mono_us);
	catalog_view_refresh(view, sync->version);
}

void catalog_view_sync(struct catalog_view *view, struct catalog_sync *sync, uint32_t timeout_ms,
		       catalog_sync_cb done)
{
	*sync = (struct catalog_sync){ .view = view, .done = done };
	sync->deadline_mono_us = runtime_mono_us(view->seeds.runtime) + (uint64_t)timeout_ms * US_PER_MS;
	runtime_timer_init(&sync->deadline, on_sync_deadline);
	queue_init(&sync->link);
	queue_push_tail(&view->syncs, &sync->link);
	catalog_call_start(&view->seeds, &sync->call, METHOD_CATALOG_SYNC, slice_of(NULL, 0), timeout_ms,
			   on_sync_reply);
	if (view->is_closing)
		catalog_call_cancel(&sync->call);
}

void catalog_view_sync_cancel(struct catalog_sync *sync)
{
	if (sync->call.is_active) {
		catalog_call_cancel(&sync->call);
	} else if (runtime_timer_is_active(&sync->deadline)) {
		sync->call.is_canceled = true;
		runtime_timer_start(sync->view->seeds.runtime, &sync->deadline, 0);
	}
}

/* --- the watch --- */

static void notify(struct catalog_view *view)
{
	struct queue *link = view->observers.next;

	while (link != &view->observers) {
		struct catalog_observer *observer = CONTAINER_OF(link, struct catalog_observer, link);

		link = link->next;
		observer->changed(observer);
	}
}

static void pause_watch(struct catalog_view *view)
{
	struct runtime *runtime = view->seeds.runtime;
	uint32_t doublings = view->failure_count < PAUSE_DOUBLINGS_MAX ? view->failure_count
								       : PAUSE_DOUBLINGS_MAX;
	uint64_t longest_us = ((uint64_t)PAUSE_MS_MIN << doublings) * US_PER_MS;

	runtime_timer_start(runtime, &view->retry, longest_us / 2 + rng_below(&runtime->rng, longest_us / 2));
}

static void fail_watch(struct catalog_view *view, enum status status)
{
	log_debug("catalog", "watch failed", "seed=%" PRIu64 " status=%s", view->watch.peer_id,
		  status_name(status));
	rotate(view);
	pause_watch(view);
	view->failure_count++;
}

/* An answer came, with news or without. */
static void take_answer(struct catalog_view *view, struct slice body)
{
	bool has_changed;
	enum status status = catalog_update_apply(&view->state, body, &has_changed);

	if (status != ST_OK) {
		log_warn("catalog", "cannot apply update", "seed=%" PRIu64 " status=%s", view->watch.peer_id,
			 status_name(status));
		fail_watch(view, status);
		return;
	}
	view->failure_count = 0;
	if (!has_changed) {
		rotate(view); /* so one replica that is cut off cannot keep us behind */
		runtime_timer_start(view->seeds.runtime, &view->retry, UNCHANGED_PAUSE_MS * US_PER_MS);
		return;
	}
	notify(view);
	finish_reached_syncs(view);
	if (!view->is_closing && !view->is_watching)
		start_watch(view);
}

static void on_watch(struct rpc_call *call)
{
	struct catalog_view *view = CONTAINER_OF(call, struct catalog_view, watch);
	bool was_restarting = view->is_restarting;

	view->is_watching = false;
	view->is_restarting = false;
	if (view->is_closing)
		maybe_close(view);
	else if (call->status == ST_OK)
		take_answer(view, call->reply);
	else if (call->status == ST_CANCELED && was_restarting)
		start_watch(view);
	else
		fail_watch(view, call->status);
}

static void start_watch(struct catalog_view *view)
{
	Cleave__CatalogWatchRequest request = CLEAVE__CATALOG_WATCH_REQUEST__INIT;
	uint8_t body[WATCH_REQUEST_SIZE_MAX];

	CHECK(!view->is_watching);
	request.from_version = view->state.version;
	request.wait_ms = is_chasing(view) ? CHASE_WAIT_MS : WATCH_WAIT_MS;
	view->watch.peer_id = view->seeds.node_ids[view->seed_at];
	view->watch.method = METHOD_CATALOG_WATCH;
	view->watch.timeout_ms = request.wait_ms + WATCH_GRACE_MS;
	view->watch.body = slice_of(body, cleave__catalog_watch_request__pack(&request, body));
	view->watch.done = on_watch;
	view->is_watching = true;
	rpc_call_start(view->seeds.transport, &view->watch); /* on_watch() resumes */
}

static void on_retry(struct runtime_timer *timer)
{
	start_watch(CONTAINER_OF(timer, struct catalog_view, retry));
}

void catalog_view_refresh(struct catalog_view *view, uint64_t min_version)
{
	if (view->is_closing || min_version <= view->state.version || min_version <= view->wanted_version)
		return;
	view->wanted_version = min_version;
	turn_to_leader(view);
	if (view->is_watching) {
		view->is_restarting = true;
		rpc_call_cancel(&view->watch); /* on_watch() starts it anew */
	} else if (runtime_timer_is_active(&view->retry)) {
		runtime_timer_start(view->seeds.runtime, &view->retry, 0);
	}
}

/* --- life --- */

void catalog_view_init(struct catalog_view *view, struct runtime *runtime, struct rpc_transport *transport,
		       const uint64_t *seed_node_ids, uint32_t seed_count)
{
	*view = (struct catalog_view){ .seed_at = 0 };
	catalog_state_init(&view->state);
	catalog_seeds_init(&view->seeds, runtime, transport, seed_node_ids, seed_count);
	view->seed_at = (uint32_t)rng_below(&runtime->rng, seed_count);
	runtime_timer_init(&view->retry, on_retry);
	runtime_task_init(&view->closing, on_closing);
	queue_init(&view->observers);
	queue_init(&view->syncs);
}

void catalog_view_start(struct catalog_view *view)
{
	start_watch(view);
}

void catalog_view_stop(struct catalog_view *view, void (*closed)(struct catalog_view *view))
{
	struct queue *link;

	CHECK(!view->is_closing);
	view->is_closing = true;
	view->closed = closed;
	runtime_timer_stop(view->seeds.runtime, &view->retry);
	if (view->is_watching)
		rpc_call_cancel(&view->watch);
	for (link = view->syncs.next; link != &view->syncs; link = link->next)
		catalog_view_sync_cancel(CONTAINER_OF(link, struct catalog_sync, link));
	maybe_close(view);
}

void catalog_view_close(struct catalog_view *view)
{
	CHECK(!view->is_watching && queue_is_empty(&view->syncs));
	catalog_state_close(&view->state);
}

void catalog_view_observe(struct catalog_view *view, struct catalog_observer *observer)
{
	queue_init(&observer->link);
	queue_push_tail(&view->observers, &observer->link);
}

void catalog_view_unobserve(struct catalog_observer *observer)
{
	queue_remove(&observer->link);
}
