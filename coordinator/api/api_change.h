/* One change of a table's record under way to the catalog's leader.
 *
 * All attempts of one change carry the same request id, so it takes effect once.
 *
 * Threads  loop thread.
 * Memory   lives in the operation's state; what is sent is copied.
 * Errors   change->status in done(), which is called once and never from inside api_change_start().
 */
#ifndef COORDINATOR_API_API_CHANGE_H
#define COORDINATOR_API_API_CHANGE_H

#include "coordinator/api/api_request.h"

enum { API_CHANGE_ID_SIZE = 16 };

struct api_change;

typedef void (*api_change_cb)(struct api_change *change);

struct api_change {
	struct api_request *request;
	uint8_t id[API_CHANGE_ID_SIZE];
	struct catalog_call call;
	api_change_cb done;
	/* In done(). */
	enum status status;
	struct table_info table; /* ST_OK: as it is after the change; borrows from the request's arena */
};

void api_change_init(struct api_change *change, struct api_request *request);
/* For the message that asks for the change. */
ProtobufCBinaryData api_change_id(struct api_change *change);
/* Send a message of METHOD_CATALOG_*; if there is no memory for it, the request is answered. */
void api_change_start(struct api_change *change, uint16_t method, const ProtobufCMessage *message,
		      api_change_cb done);
/* Answer a change that failed; name is the table's. */
void api_change_fail(struct api_change *change, struct slice name);

#endif
