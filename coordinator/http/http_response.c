#include "coordinator/http/http_response.h"

#include <stdio.h>

#include "coordinator/http/http_internal.h"
#include "proto/base/digest.h"

static const char *reason_of(int status_code)
{
	switch (status_code) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 411:
		return "Length Required";
	case 413:
		return "Payload Too Large";
	case 500:
		return "Internal Server Error";
	case 503:
		return "Service Unavailable";
	default:
		return "Unknown";
	}
}

static void count(int status_code)
{
	if (status_code < 400)
		metric_add(&http_metrics.responses_2xx, 1);
	else if (status_code < 500)
		metric_add(&http_metrics.responses_4xx, 1);
	else
		metric_add(&http_metrics.responses_5xx, 1);
}

/* Add a header whose texts stay valid. */
static void add_static(h2o_req_t *h2o, const char *name, const char *name_as_sent, struct slice value)
{
	(void)h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, name, strlen(name), 1, name_as_sent,
				    (const char *)value.data, value.size); /* the place in the list */
}

static struct slice copy_to_pool(h2o_req_t *h2o, struct slice text)
{
	h2o_iovec_t copy = h2o_strdup(&h2o->pool, (const char *)text.data, text.size);

	return slice_of(copy.base, copy.len);
}

static void add_copied(h2o_req_t *h2o, struct slice name, struct slice value)
{
	struct slice own_name = copy_to_pool(h2o, name);

	add_static(h2o, (const char *)own_name.data, NULL, copy_to_pool(h2o, value));
}

static void add_checksum(h2o_req_t *h2o, struct slice body)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", digest_crc32(body));

	add_static(h2o, "x-amz-crc32", NULL, copy_to_pool(h2o, slice_of(text, (size_t)size)));
}

static void add_cors(const struct http_request_impl *request)
{
	if (http_request_header(&request->public, "origin") == NULL)
		return;
	add_static(request->h2o, "access-control-allow-origin", NULL, slice_of_string("*"));
	add_static(request->h2o, "access-control-expose-headers", NULL,
		   slice_of_string("x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
				   "x-amzn-ErrorMessage,Date"));
}

/* Put the body, packed if that is wanted, into request->response. */
static enum http_coding pack(struct http_request_impl *request, struct slice body)
{
	enum http_coding coding = body.size > HTTP_GZIP_SIZE_MIN ? request->public.accepts
								 : HTTP_CODING_IDENTITY;

	if (coding == HTTP_CODING_IDENTITY)
		buf_append_slice(&request->response, body);
	else if (http_gzip_encode(coding, body, &request->response) != ST_OK &&
		 request->response.status == ST_OK)
		request->response.status = ST_NO_MEMORY;
	return coding;
}

/* The request may be gone when this returns. */
static void send_body(struct http_request_impl *request, bool is_head)
{
	static h2o_generator_t generator = { NULL, NULL };
	h2o_req_t *h2o = request->h2o;
	h2o_iovec_t body = h2o_iovec_init(request->response.data, request->response.size);

	h2o->res.content_length = body.len;
	h2o_start_response(h2o, &generator);
	h2o_send(h2o, &body, body.len == 0 || is_head ? 0 : 1, H2O_SEND_STATE_FINAL);
}

static void add_headers(struct http_request_impl *request, const char *content_type, enum http_coding coding,
			const struct http_header *headers, size_t header_count)
{
	h2o_req_t *h2o = request->h2o;

	add_static(h2o, "x-amzn-requestid", "x-amzn-RequestId",
		   copy_to_pool(h2o, slice_of_string(request->public.request_id)));
	add_checksum(h2o, buf_slice(&request->response));
	if (content_type != NULL)
		add_static(h2o, "content-type", "Content-Type",
			   copy_to_pool(h2o, slice_of_string(content_type)));
	if (coding != HTTP_CODING_IDENTITY)
		add_static(h2o, "content-encoding", "Content-Encoding",
			   slice_of_string(http_gzip_name(coding)));
	add_cors(request);
	for (size_t i = 0; i < header_count; i++)
		add_copied(h2o, headers[i].name, headers[i].value);
}

void http_response_send(struct http_request *public, int status_code, const char *content_type,
			struct slice body, const struct http_header *headers, size_t header_count)
{
	struct http_request_impl *request = CONTAINER_OF(public, struct http_request_impl, public);
	enum http_coding coding;
	bool is_head;

	CHECK(!request->is_answered);
	if (request->h2o == NULL) { /* nobody is waiting */
		http_request_free(request);
		return;
	}
	request->is_answered = true;
	request->connection->unanswered_count--;
	request->connection->used_at_ms = uv_now(request->server->loop);
	queue_remove(&request->link);

	coding = pack(request, body);
	if (request->response.status != ST_OK) {
		buf_close(&request->response);
		status_code = 503;
		coding = HTTP_CODING_IDENTITY;
	}
	count(status_code);
	request->h2o->res.status = status_code;
	request->h2o->res.reason = reason_of(status_code);
	add_headers(request, content_type, coding, headers, header_count);
	is_head = slice_equal(public->method, slice_of_string("HEAD"));
	http_request_release(request);
	send_body(request, is_head); /* on_dispose() in http_request.c frees the request later */
}

void http_response_send_unknown_operation(struct http_request *request)
{
	http_response_send(request, 404, NULL, slice_of_string("<UnknownOperationException/>\n"), NULL, 0);
}
