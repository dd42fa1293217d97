/* A small HTTP responder for machines that watch a process: GET /metrics and GET /health.
 *
 * /metrics gives all registered metrics; /health gives 200 "ok" or 503 and what is wrong.
 * One request per connection, answered with Connection: close.
 *
 * Threads  loop thread.
 * Memory   the caller owns struct status_page until stopped() ran.
 * Limits   request STATUS_PAGE_REQUEST_SIZE_MAX, whole exchange STATUS_PAGE_DEADLINE_MS,
 *          STATUS_PAGE_CONNECTIONS_MAX at once.
 * Source   HTTP/1.0, RFC 1945; Prometheus text exposition format 0.0.4.
 */
#ifndef PROTO_NET_STATUS_PAGE_H
#define PROTO_NET_STATUS_PAGE_H

#include <stdint.h>

#include "proto/base/queue.h"
#include "proto/base/runtime_uv.h"
#include "proto/base/status.h"
#include "proto/net/listener.h"

enum {
	STATUS_PAGE_REQUEST_SIZE_MAX = 4096,
	STATUS_PAGE_REPLY_SIZE_MAX = 4 * 1024 * 1024,
	STATUS_PAGE_DEADLINE_MS = 5000,
	STATUS_PAGE_CONNECTIONS_MAX = 32,
};

struct status_page_options {
	struct runtime_uv *runtime;
	const char *host;
	uint16_t port;
	/* NULL if all is well, else a short text that is valid until the next call. */
	const char *(*problem)(void *context);
	/* Called before each /metrics, to refresh gauges.  May be NULL. */
	void (*before_metrics)(void *context);
	void *context;
	uint32_t deadline_ms; /* 0: STATUS_PAGE_DEADLINE_MS */
};

struct status_page {
	struct listener listener;
	struct status_page_options options;
	struct queue visits;
	bool is_listener_stopped;
	void (*stopped)(struct status_page *page);
};

/* Errors of listener_start(). */
enum status status_page_start(struct status_page *page, const struct status_page_options *options) MUST_CHECK;
uint16_t status_page_port(const struct status_page *page);
/* Closes all connections; stopped() comes in a later turn. */
void status_page_stop(struct status_page *page, void (*stopped)(struct status_page *page));

#endif
