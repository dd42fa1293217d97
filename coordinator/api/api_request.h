/* One API request under way: what every operation needs besides its own parameters.
 *
 * An operation's run() answers now or later with api_request_reply() or _fail(), once; the
 * request is gone then.  While it waits it may set cancel, which is called once if the client
 * leaves; the request must be answered all the same, soon.
 *
 * Threads  loop thread.
 * Memory   everything lives in the HTTP request's arena.
 * Errors   the first error set in request->error stays.
 */
#ifndef COORDINATOR_API_API_REQUEST_H
#define COORDINATOR_API_API_REQUEST_H

#include "coordinator/api/api_dispatch.h"
#include "coordinator/api/api_error.h"
#include "coordinator/json/json_writer.h"
#include "proto/base/metrics.h"

enum { API_SYNC_TIMEOUT_MS = 5000 };

struct api_change;
struct api_request;
struct api_table_count;

typedef void (*api_request_cb)(struct api_request *request);

enum api_outcome { API_OUTCOME_OK, API_OUTCOME_USER_ERROR, API_OUTCOME_SYSTEM_ERROR, API_OUTCOME_COUNT };

struct api_operation {
	const char *name;
	api_request_cb run;
	struct metric *outcomes; /* API_OUTCOME_COUNT of them */
	struct histogram *duration;
};

struct api_request {
	struct api *api;
	struct http_request *http;
	struct arena *arena;
	const struct api_operation *operation;
	uint64_t started_mono_us;
	struct api_error error;
	void *state;                   /* the operation's own */
	api_request_cb cancel;         /* NULL: nothing to cancel */
	struct api_change *change;     /* under way, or NULL */
	struct api_table_count *count; /* DescribeTable: while it is asked for */
	/* While the catalog's copy is being synced. */
	struct catalog_sync sync;
	api_request_cb synced;
	bool has_synced;
	bool is_aborted;
};

/* As the request's own, and what is closest to it if it has none. */
const char *api_request_content_type(const struct http_request *http);

/* The answer: write into this, then api_request_reply(). */
struct buf *api_request_body(struct api_request *request);
/* 200 with the body, or InternalServerError if that could not be written. */
void api_request_reply(struct api_request *request);
/* request->error; InternalServerError if none was set. */
void api_request_fail(struct api_request *request);
/* request->error, which is set, with an item beside it; an empty one is left out. */
void api_request_fail_with_item(struct api_request *request, struct slice item);
/* Set the error and answer it. */
void api_request_fail_internal(struct api_request *request, const char *message);

/* Bring the catalog's copy up to date, then synced(); on failure the request is answered. */
void api_request_sync(struct api_request *request, api_request_cb synced);

/* The name of a table that was given by its name or ARN; false with the error set if the ARN is
 * of another region or account. */
bool api_request_name_table(struct api_request *request, struct slice given,
			    struct slice *name_out) MUST_CHECK;
/* A table that clients made and whose items may be read and written, by its name or ARN; NULL if
 * there is none. */
const struct table_info *api_request_find_usable(struct api_request *request, struct slice given);

#endif
