/* Answers.  Every one carries x-amzn-RequestId, x-amz-crc32 of the body as sent, Date
 * and Content-Length; a body over HTTP_GZIP_SIZE_MIN is packed if the client takes it.
 *
 * Threads  the server's loop thread only.
 * Memory   body and headers are copied; the request is gone when the call returns.
 * Errors   without memory for the answer the connection gets an empty 503.
 */
#ifndef COORDINATOR_HTTP_HTTP_RESPONSE_H
#define COORDINATOR_HTTP_HTTP_RESPONSE_H

#include "coordinator/http/http_request.h"

enum {
	HTTP_GZIP_SIZE_MIN = 4 * 1024,
	HTTP_RESPONSE_SIZE_MAX = 64 * 1024 * 1024,
};

/* content_type may be NULL.  Headers must not repeat those named above. */
void http_response_send(struct http_request *request, int status_code, const char *content_type,
			struct slice body, const struct http_header *headers, size_t header_count);

/* 404 "<UnknownOperationException/>\n": wrong method or content type. */
void http_response_send_unknown_operation(struct http_request *request);

#endif
