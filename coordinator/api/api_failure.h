/* The answer to an item request whose operation (coordinator/exec) did not succeed.
 *
 * Threads  loop thread.
 * Memory   the request is gone afterwards.
 */
#ifndef COORDINATOR_API_API_FAILURE_H
#define COORDINATOR_API_API_FAILURE_H

#include "coordinator/api/api_request.h"

/* ST_NOT_FOUND: there is no such table. */
void api_failure_answer(struct api_request *request, enum status status);

#endif
