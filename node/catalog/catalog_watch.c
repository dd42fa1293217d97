/* Watches, served by any replica; syncs and refusals, which a leader answers once it knows that it still
 * is one. */
#include <stdlib.h>

#include "node/catalog/catalog_internal.h"
#include "replication/group/group_read.h"

enum {
	US_PER_MS = 1000,
	WAIT_MS_MAX = 30000,
	REPLY_MARGIN_MS = 20,  /* before the caller's deadline */
	SILENCE_MS_MAX = 5000, /* without a leader this replica may be cut off */
};

/* --- watches --- */

struct watcher {
	struct queue link;
	struct catalog *catalog;
	struct rpc_request *request;
	uint64_t from_version;
	struct runtime_timer timer;
};

static bool is_cut_off(const struct catalog *catalog)
{
	return group_leader_silence_ms(catalog->group) > SILENCE_MS_MAX;
}

/* Pack the update from a version on, unless the last one packed will do. */
static enum status prepare_update(struct catalog *catalog, uint64_t from_version)
{
	if (catalog->update.size > 0 && catalog->update_from_version == from_version &&
	    catalog->update_version == catalog->fsm.state.version)
		return ST_OK;
	buf_reset(&catalog->update);
	catalog->update_from_version = from_version;
	catalog->update_version = catalog->fsm.state.version;
	return catalog_fsm_pack_update(&catalog->fsm, from_version, &catalog->update);
}

static void answer_news(struct catalog *catalog, struct rpc_request *request, uint64_t from_version)
{
	enum status status = prepare_update(catalog, from_version);

	if (status == ST_OK) {
		rpc_request_reply(request, ST_OK, buf_slice(&catalog->update));
		return;
	}
	buf_reset(&catalog->update);
	rpc_request_reply_status(request, status);
}

static void answer_empty(struct catalog *catalog, struct rpc_request *request)
{
	Cleave__CatalogUpdate update = CLEAVE__CATALOG_UPDATE__INIT;

	if (is_cut_off(catalog)) {
		rpc_request_reply_status(request, ST_STALE);
		return;
	}
	update.version = catalog->fsm.state.version;
	catalog_reply_message(request, &update.base);
}

static struct rpc_request *end_watcher(struct watcher *watcher)
{
	struct rpc_request *request = watcher->request;

	runtime_timer_stop(watcher->catalog->runtime, &watcher->timer);
	queue_remove(&watcher->link);
	watcher->catalog->watcher_count--;
	free(watcher);
	return request;
}

static void on_wait_end(struct runtime_timer *timer)
{
	struct watcher *watcher = CONTAINER_OF(timer, struct watcher, timer);
	struct catalog *catalog = watcher->catalog;

	answer_empty(catalog, end_watcher(watcher));
}

/* When to give up waiting. */
static uint64_t wait_end_us(const struct catalog *catalog, const struct rpc_request *request,
			    uint32_t wait_ms)
{
	uint64_t now_us = runtime_mono_us(catalog->runtime);
	uint64_t end_us = now_us + (uint64_t)(wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX) * US_PER_MS;
	uint64_t margin_us = REPLY_MARGIN_MS * US_PER_MS;

	if (end_us + margin_us > request->deadline_mono_us)
		end_us = request->deadline_mono_us > now_us + margin_us
				 ? request->deadline_mono_us - margin_us
				 : now_us;
	return end_us;
}

static void add_watcher(struct catalog *catalog, struct rpc_request *request, uint64_t from_version,
			uint32_t wait_ms)
{
	struct watcher *watcher;

	if (catalog->watcher_count == CATALOG_WATCHERS_MAX) {
		rpc_request_reply_status(request, ST_OVERLOADED);
		return;
	}
	watcher = calloc(1, sizeof(*watcher));
	if (watcher == NULL) {
		rpc_request_reply_status(request, ST_NO_MEMORY);
		return;
	}
	watcher->catalog = catalog;
	watcher->request = request;
	watcher->from_version = from_version;
	runtime_timer_init(&watcher->timer, on_wait_end);
	queue_init(&watcher->link);
	queue_push_tail(&catalog->watchers, &watcher->link);
	catalog->watcher_count++;
	runtime_timer_start_at(catalog->runtime, &watcher->timer, wait_end_us(catalog, request, wait_ms));
}

void catalog_handle_watch(struct catalog *catalog, struct rpc_request *request)
{
	Cleave__CatalogWatchRequest *unpacked;
	uint64_t from_version;
	uint32_t wait_ms;

	unpacked = cleave__catalog_watch_request__unpack(NULL, request->body.size, request->body.data);
	if (unpacked == NULL) {
		rpc_request_reply_status(request, ST_INVALID);
		return;
	}
	from_version = unpacked->from_version;
	wait_ms = unpacked->wait_ms;
	cleave__catalog_watch_request__free_unpacked(unpacked, NULL);
	if (!group_has_state(catalog->group))
		rpc_request_reply_status(request, ST_UNAVAILABLE);
	else if (catalog->fsm.state.version > from_version)
		answer_news(catalog, request, from_version);
	else if (is_cut_off(catalog))
		rpc_request_reply_status(request, ST_STALE);
	else
		add_watcher(catalog, request, from_version, wait_ms);
}

void catalog_watch_on_applied(struct catalog *catalog)
{
	struct queue *link;

	for (link = catalog->watchers.next; link != &catalog->watchers;) {
		struct watcher *watcher = CONTAINER_OF(link, struct watcher, link);
		uint64_t from_version = watcher->from_version;

		link = link->next;
		if (catalog->fsm.state.version > from_version)
			answer_news(catalog, end_watcher(watcher), from_version);
	}
}

/* --- syncs and refusals --- */

struct sync_read {
	struct group_read read;
	struct queue link;
	struct catalog *catalog;
	struct rpc_request *request;
	enum status refusal; /* ST_OK: a sync */
};

static void answer_sync(struct catalog *catalog, struct rpc_request *request)
{
	Cleave__CatalogSyncReply reply = CLEAVE__CATALOG_SYNC_REPLY__INIT;

	reply.version = catalog->fsm.state.version;
	catalog_reply_message(request, &reply.base);
}

static struct rpc_request *end_read(struct sync_read *sync)
{
	struct rpc_request *request = sync->request;

	queue_remove(&sync->link);
	sync->catalog->read_count--;
	free(sync);
	return request;
}

static void on_confirmed(struct group_read *read, enum status status)
{
	struct sync_read *sync = CONTAINER_OF(read, struct sync_read, read);
	struct catalog *catalog = sync->catalog;
	enum status refusal = sync->refusal;
	struct rpc_request *request = end_read(sync);

	if (status != ST_OK)
		catalog_reply_not_leader(catalog, request);
	else if (refusal != ST_OK)
		rpc_request_reply_status(request, refusal);
	else
		answer_sync(catalog, request);
}

/* Answer when a majority has confirmed that this replica still leads. */
static void confirm(struct catalog *catalog, struct rpc_request *request, enum status refusal)
{
	struct sync_read *sync;
	enum status status;

	if (catalog->read_count == CATALOG_READS_MAX) {
		rpc_request_reply_status(request, ST_OVERLOADED);
		return;
	}
	sync = calloc(1, sizeof(*sync));
	if (sync == NULL) {
		rpc_request_reply_status(request, ST_NO_MEMORY);
		return;
	}
	sync->catalog = catalog;
	sync->request = request;
	sync->refusal = refusal;
	sync->read.cb = on_confirmed;
	queue_init(&sync->link);
	queue_push_tail(&catalog->reads, &sync->link);
	catalog->read_count++;
	status = group_read_start(catalog->group, &sync->read);
	if (status != ST_WOULD_BLOCK)
		on_confirmed(&sync->read, status);
}

void catalog_handle_sync(struct catalog *catalog, struct rpc_request *request)
{
	confirm(catalog, request, ST_OK);
}

void catalog_refuse(struct catalog *catalog, struct rpc_request *request, enum status status)
{
	bool is_lasting = status == ST_BUSY || !status_is_retryable(status);

	if (is_lasting)
		confirm(catalog, request, status);
	else
		rpc_request_reply_status(request, status);
}

void catalog_watch_stop(struct catalog *catalog)
{
	while (!queue_is_empty(&catalog->watchers)) {
		struct watcher *watcher = CONTAINER_OF(catalog->watchers.next, struct watcher, link);

		rpc_request_reply_status(end_watcher(watcher), ST_CLOSED);
	}
	while (!queue_is_empty(&catalog->reads)) {
		struct sync_read *sync = CONTAINER_OF(catalog->reads.next, struct sync_read, link);

		group_read_cancel(&sync->read);
		rpc_request_reply_status(end_read(sync), ST_CLOSED);
	}
}
