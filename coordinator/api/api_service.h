/* Operations about the service itself: DescribeEndpoints and DescribeLimits.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_SERVICE_H
#define COORDINATOR_API_API_SERVICE_H

#include "coordinator/api/api_request.h"

void api_service_describe_endpoints(struct api_request *request);
void api_service_describe_limits(struct api_request *request);

#endif
