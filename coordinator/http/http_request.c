#include "coordinator/http/http_request.h"

#include <stdlib.h>
#include <strings.h>

#include "coordinator/http/http_head.h"
#include "coordinator/http/http_internal.h"
#include "coordinator/http/http_response.h"

static const char json_type[] = "application/x-amz-json-1.0";

static struct slice slice_of_iovec(h2o_iovec_t vector)
{
	return slice_of(vector.base, vector.len);
}

const struct http_header *http_request_header(const struct http_request *request, const char *name)
{
	struct slice wanted = slice_of_string(name);

	for (size_t i = 0; i < request->header_count; i++) {
		if (slice_equal(request->headers[i].name, wanted))
			return &request->headers[i];
	}
	return NULL;
}

static void hold(struct http_request_impl *request, size_t size_bytes)
{
	request->held_size_bytes += size_bytes;
	request->ledger->bodies_size_bytes += size_bytes;
	metric_add(&http_metrics.bodies_held, (int64_t)size_bytes);
}

void http_request_release(struct http_request_impl *request)
{
	CHECK(request->ledger->bodies_size_bytes >= request->held_size_bytes);
	request->ledger->bodies_size_bytes -= request->held_size_bytes;
	metric_add(&http_metrics.bodies_held, -(int64_t)request->held_size_bytes);
	request->held_size_bytes = 0;
	buf_close(&request->unpacked);
	arena_close(&request->public.arena);
}

void http_request_free(struct http_request_impl *request)
{
	struct http_ledger *ledger = request->ledger;

	http_request_release(request);
	buf_close(&request->response);
	free(request);
	CHECK(ledger->request_count > 0);
	ledger->request_count--;
	if (ledger->is_orphan && ledger->request_count == 0)
		free(ledger);
}

/* libh2o disposes of its half: the answer has been sent, or the client has left. */
static void on_dispose(void *data)
{
	struct http_anchor *anchor = data;
	struct http_request_impl *request = anchor->request;

	if (request == NULL)
		return;
	request->h2o = NULL;
	request->anchor = NULL;
	queue_remove(&request->link);
	if (request->is_answered) {
		http_request_free(request);
		return;
	}
	request->connection->unanswered_count--;
	metric_add(&http_metrics.requests_aborted, 1);
	if (request->public.on_abort != NULL)
		request->public.on_abort(&request->public); /* may free the request */
}

static void attach(struct http_request_impl *request, h2o_req_t *h2o)
{
	request->h2o = h2o;
	request->anchor = h2o_mem_alloc_shared(&h2o->pool, sizeof(*request->anchor), on_dispose);
	request->anchor->request = request;
	request->connection->unanswered_count++;
	queue_push_tail(&request->server->requests, &request->link);
}

static void detach(struct http_request_impl *request)
{
	request->anchor->request = NULL;
	request->anchor = NULL;
	request->h2o = NULL;
	queue_remove(&request->link);
	request->connection->unanswered_count--;
}

static void send_unavailable(h2o_req_t *h2o)
{
	h2o->res.status = 503;
	h2o->res.reason = "Service Unavailable";
	h2o->res.content_length = 0;
	h2o->http1_is_persistent = 0;
	metric_add(&http_metrics.responses_5xx, 1);
	h2o_send_inline(h2o, "", 0);
}

void http_request_abandon(struct http_request_impl *request)
{
	h2o_req_t *h2o = request->h2o;

	detach(request);
	send_unavailable(h2o);
	metric_add(&http_metrics.requests_aborted, 1);
	if (request->public.on_abort != NULL)
		request->public.on_abort(&request->public); /* may free the request */
}

static void make_request_id(struct rng *rng, char out[HTTP_REQUEST_ID_SIZE + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	enum { LETTERS_PER_DRAW = 11 };
	uint64_t draw = 0;

	for (size_t i = 0; i < HTTP_REQUEST_ID_SIZE; i++) {
		if (i % LETTERS_PER_DRAW == 0)
			draw = rng_u64(rng);
		out[i] = letters[draw % 36];
		draw /= 36;
	}
	out[HTTP_REQUEST_ID_SIZE] = '\0';
}

static bool copy(struct http_request_impl *request, struct slice from, struct slice *to)
{
	uint8_t *bytes = arena_copy(&request->public.arena, from);

	*to = slice_of(bytes, from.size);
	return bytes != NULL;
}

static bool add_header(struct http_request_impl *request, struct slice name, struct slice value)
{
	struct http_header *header = &request->public.headers[request->public.header_count];

	if (!copy(request, name, &header->name) || !copy(request, value, &header->value))
		return false;
	request->public.header_count++;
	return true;
}

/* libh2o takes host and content-length out of the list: put them back, clients sign them. */
static bool copy_headers(struct http_request_impl *request, const h2o_req_t *h2o, struct slice content_length)
{
	size_t count_max = h2o->headers.size + 2;

	request->public.headers = arena_alloc(&request->public.arena, count_max * sizeof(struct http_header));
	if (request->public.headers == NULL)
		return false;
	if (h2o->input.authority.len > 0 &&
	    !add_header(request, slice_of_string("host"), slice_of_iovec(h2o->input.authority)))
		return false;
	for (size_t i = 0; i < h2o->headers.size; i++) {
		const h2o_header_t *header = &h2o->headers.entries[i];

		if (!add_header(request, slice_of_iovec(*header->name), slice_of_iovec(header->value)))
			return false;
	}
	return content_length.data == NULL ||
	       add_header(request, slice_of_string("content-length"), content_length);
}

static bool copy_target(struct http_request_impl *request, const h2o_req_t *h2o)
{
	struct slice target = slice_of_iovec(h2o->input.path);
	const uint8_t *question = target.size > 0 ? memchr(target.data, '?', target.size) : NULL;
	struct slice query = { NULL, 0 };

	if (question != NULL) {
		query = slice_of(question + 1, target.size - (size_t)(question - target.data) - 1);
		target.size = (size_t)(question - target.data);
	}
	return copy(request, slice_of_iovec(h2o->input.method), &request->public.method) &&
	       copy(request, target, &request->public.path) && copy(request, query, &request->public.query);
}

/* All that the handler sees is copied: libh2o's memory goes when the client does. */
static bool copy_all(struct http_request_impl *request, const h2o_req_t *h2o, struct slice content_length,
		     struct slice body)
{
	const struct http_header *accept;

	if (!copy_target(request, h2o) || !copy_headers(request, h2o, content_length) ||
	    !copy(request, body, &request->public.body_raw))
		return false;
	hold(request, body.size);
	request->public.body = request->public.body_raw;
	accept = http_request_header(&request->public, "accept-encoding");
	if (accept != NULL)
		request->public.accepts = http_gzip_choose(accept->value);
	return true;
}

static struct http_request_impl *request_create(struct http_server *server,
						struct http_connection *connection)
{
	struct http_request_impl *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->server = server;
	request->connection = connection;
	request->ledger = server->ledger;
	request->ledger->request_count++;
	queue_init(&request->link);
	arena_init(&request->public.arena, HTTP_ARENA_SIZE_MAX);
	buf_init(&request->unpacked, HTTP_BODY_SIZE_MAX);
	buf_init(&request->response, HTTP_RESPONSE_SIZE_MAX);
	make_request_id(&server->rng, request->public.request_id);
	request->public.is_tls = server->tls != NULL;
	return request;
}

static void send_text(struct http_request *request, int status_code, const char *content_type,
		      const char *body)
{
	http_response_send(request, status_code, content_type, slice_of_string(body), NULL, 0);
}

static bool method_is(const struct http_request *request, const char *method)
{
	return slice_equal(request->method, slice_of_string(method));
}

static uint64_t room_for_bodies(const struct http_server *server)
{
	CHECK(server->ledger->bodies_size_bytes <= server->options.bodies_size_bytes_max);
	return server->options.bodies_size_bytes_max - server->ledger->bodies_size_bytes;
}

/* There is no room for it; the client may try again. */
static void refuse(struct http_request_impl *request)
{
	metric_add(&http_metrics.requests_refused, 1);
	send_text(&request->public, 503, json_type,
		  "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ServiceUnavailable\","
		  "\"message\":\"The service has too many requests at work\"}");
}

static enum status unpack_gzip(struct http_request_impl *request)
{
	uint64_t room = room_for_bodies(request->server);
	enum status status;

	if (room < request->unpacked.size_max)
		request->unpacked.size_max = (size_t)room;
	status = http_gzip_decode(request->public.body_raw, &request->unpacked);
	if (status == ST_TOO_BIG && request->unpacked.size_max < HTTP_BODY_SIZE_MAX)
		return ST_UNAVAILABLE;
	if (status == ST_OK)
		hold(request, request->unpacked.size);
	return status;
}

/* Undo Content-Encoding; false if the request was answered with an error. */
static bool unpack(struct http_request_impl *request)
{
	const struct http_header *encoding = http_request_header(&request->public, "content-encoding");
	enum status status;

	if (encoding == NULL || encoding->value.size == 0 ||
	    (encoding->value.size == 8 &&
	     strncasecmp((const char *)encoding->value.data, "identity", 8) == 0))
		return true;
	status = ST_UNSUPPORTED;
	if (encoding->value.size == 4 && strncasecmp((const char *)encoding->value.data, "gzip", 4) == 0)
		status = unpack_gzip(request);
	if (status == ST_OK) {
		request->public.body = buf_slice(&request->unpacked);
		return true;
	}
	if (status == ST_UNAVAILABLE)
		refuse(request);
	else if (status == ST_TOO_BIG)
		send_text(&request->public, 413, NULL, "");
	else
		send_text(&request->public, 500, json_type,
			  "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\","
			  "\"message\":\"The content encoding of the request could not be undone\"}");
	return false;
}

static void send_health(struct http_request_impl *request)
{
	struct buf body;

	buf_init(&body, 1024);
	buf_append_format(&body, "healthy: dynamodb.%s.amazonaws.com ", request->server->region);
	http_response_send(&request->public, 200, "text/plain", buf_slice(&body), NULL, 0);
	buf_close(&body);
}

static void send_cors(struct http_request_impl *request)
{
	const struct http_header *methods = http_request_header(&request->public,
								"access-control-request-method");
	const struct http_header *names = http_request_header(&request->public,
							      "access-control-request-headers");
	struct http_header headers[3];
	size_t count = 0;

	headers[count++] = (struct http_header){ slice_of_string("access-control-max-age"),
						 slice_of_string("172800") };
	if (methods != NULL)
		headers[count++] = (struct http_header){ slice_of_string("access-control-allow-methods"),
							 methods->value };
	if (names != NULL)
		headers[count++] = (struct http_header){ slice_of_string("access-control-allow-headers"),
							 names->value };
	http_response_send(&request->public, 200, NULL, (struct slice){ NULL, 0 }, headers, count);
}

static void dispatch(struct http_request_impl *request)
{
	const struct http_server_options *options = &request->server->options;
	struct http_request *public = &request->public;
	bool is_root = slice_equal(public->path, slice_of_string("/"));

	if (method_is(public, "POST")) {
		if (unpack(request))
			options->post_cb(options->context, public);
	} else if (method_is(public, "GET") && is_root) {
		send_health(request);
	} else if (method_is(public, "GET") && options->get_cb != NULL) {
		options->get_cb(options->context, public);
	} else if (method_is(public, "OPTIONS") && http_request_header(public, "origin") != NULL) {
		send_cors(request);
	} else {
		http_response_send_unknown_operation(public);
	}
}

/* Beyond what the parser of HTTP/2 checks. */
static bool check_head2(const h2o_req_t *h2o)
{
	struct slice method = slice_of_iovec(h2o->input.method);

	if (!http_head_method_is_valid(method) ||
	    !http_head_target_is_valid(slice_of_iovec(h2o->input.path), method) ||
	    !http_head_host_is_valid(slice_of_iovec(h2o->input.authority)))
		return false;
	for (size_t i = 0; i < h2o->headers.size; i++) {
		const h2o_header_t *header = &h2o->headers.entries[i];

		if (!http_head_method_is_valid(slice_of_iovec(*header->name)) || /* a token, too */
		    !http_head_value_is_valid(slice_of_iovec(header->value)))
			return false;
	}
	return true;
}

/* 0, or the status that refuses it. */
static int check_head(h2o_req_t *h2o, struct http_connection *connection, struct slice *content_length_out)
{
	const h2o_buffer_t *input = connection->sock->input;
	struct http_head head;

	if (!http_is_http1(h2o))
		return check_head2(h2o) ? 0 : 400;
	if (http_head_check(slice_of(input->bytes, input->size), &head) != ST_OK) {
		h2o->http1_is_persistent = 0;
		return 400;
	}
	if (head.transfer_encoding.data != NULL) {
		h2o->http1_is_persistent = 0;
		return 411;
	}
	*content_length_out = head.content_length;
	return 0;
}

/* A client that asks for HTTP/2 by Upgrade has the head of its first request checked by nobody,
 * and gets a tunnel through a proxy that passes the header on.  Clients that want HTTP/2 know
 * beforehand that we speak it, or ask over TLS.  libh2o hides the Upgrade header, but not the one
 * that must come with it and that HTTP/2 itself does not know; over TLS it takes no notice. */
static bool asks_for_upgrade(const h2o_req_t *h2o)
{
	return h2o_find_header(&h2o->headers, H2O_TOKEN_HTTP2_SETTINGS, -1) != -1;
}

static int refuse_upgrade(h2o_req_t *h2o, struct http_connection *connection)
{
	if (http_is_http1(h2o))
		h2o->http1_is_persistent = 0;
	else
		http_connection_drop(connection, false); /* it speaks HTTP/2 already */
	return 400;
}

/* Is there room for one more, with a body of that size? */
static bool is_admitted(const struct http_server *server, size_t body_size_bytes)
{
	return server->ledger->request_count < server->options.requests_max &&
	       body_size_bytes <= room_for_bodies(server);
}

int http_request_on_h2o(h2o_handler_t *handler, h2o_req_t *h2o)
{
	struct http_server *server = ((struct http_handler *)handler)->server;
	struct http_connection *connection = http_connection_of(h2o);
	struct slice content_length = { NULL, 0 };
	struct slice body = slice_of_iovec(h2o->entity);
	bool is_welcome = is_admitted(server, body.size);
	struct http_request_impl *request;
	int refused_with = check_head(h2o, connection, &content_length);

	metric_add(&http_metrics.requests, 1);
	connection->is_http2 = !http_is_http1(h2o);
	if (asks_for_upgrade(h2o))
		refused_with = refuse_upgrade(h2o, connection);
	connection->partial_since_ms = 0;
	connection->used_at_ms = uv_now(server->loop);
	request = request_create(server, connection);
	if (request == NULL ||
	    !copy_all(request, h2o, content_length, is_welcome ? body : slice_of(NULL, 0))) {
		if (request != NULL)
			http_request_free(request);
		send_unavailable(h2o);
		return 0;
	}
	attach(request, h2o);
	if (refused_with != 0)
		send_text(&request->public, refused_with, "text/plain",
			  refused_with == 411 ? "Length Required" : "Bad Request");
	else if (!is_welcome)
		refuse(request);
	else
		dispatch(request);
	return 0;
}
