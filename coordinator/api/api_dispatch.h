/* From an HTTP request to the operation it names, through every gate in order:
 *
 *   content type --> target --> signature --> operation: JSON, constraints, run
 *
 * The target comes before the signature and the body after it: what a stranger sends is
 * answered without being parsed.
 *
 * Threads  loop thread.
 * Memory   struct api is the owner's; options are borrowed.  Requests under way live in the
 *          arenas of their HTTP requests.
 * Errors   every request is answered exactly once.
 */
#ifndef COORDINATOR_API_API_DISPATCH_H
#define COORDINATOR_API_API_DISPATCH_H

#include "coordinator/auth/sigv4_verify.h"
#include "coordinator/exec/item_op.h"
#include "coordinator/http/http_request.h"

struct api_options {
	struct runtime *runtime;
	struct catalog_view *view;
	struct route_env *items;
	struct sigv4_verifier *verifier;
	const char *region;
};

struct api {
	struct api_options options;
	struct buf reply;   /* scratch: the body of the answer that is being sent */
	struct buf row_key; /* scratch */
	uint32_t request_count;
};

void api_init(struct api *api, const struct api_options *options);
void api_close(struct api *api);

/* For http_server_options.post_cb; context is the struct api. */
void api_dispatch(void *context, struct http_request *http);

#endif
