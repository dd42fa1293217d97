/* TagResource, UntagResource and ListTagsOfResource.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Tagging for DynamoDB", AWS's documentation.
 */
#ifndef COORDINATOR_API_API_TAG_H
#define COORDINATOR_API_API_TAG_H

#include "coordinator/api/api_request.h"

void api_tag_resource(struct api_request *request);
void api_tag_untag_resource(struct api_request *request);
void api_tag_list(struct api_request *request);

#endif
