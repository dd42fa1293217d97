/* How much of bodies is arriving.
 *
 * libh2o tells of a request when its body is whole, and bounds each body but not their sum:
 * a hundred streams on each of some thousand connections, before anybody has shown a
 * signature.  So we look into its buffers from time to time. */
#include "coordinator/http/http_internal.h"

#include <h2o/http2_scheduler.h>

#if H2O_LIBRARY_VERSION_MAJOR != 0 || H2O_LIBRARY_VERSION_MINOR != 13
#error "struct stream_tail is the layout of libh2o 0.13 (h2o 2.2)"
#endif

/* The end of h2o_http2_stream_t, whose header needs another that is not installed.  The unit
 * test would notice another layout. */
struct stream_tail {
	h2o_buffer_t *body; /* NULL: none comes */
	size_t content_length;
	H2O_VECTOR(h2o_iovec_t) data;
	h2o_ostream_pull_cb pull_cb;
	void *counter;
	void *cache_digests;
	uint64_t push;
	h2o_linklist_t link;
	h2o_http2_scheduler_openref_t scheduler;
	h2o_send_state_t send_state;
	h2o_req_t req;
};

static int count_stream(h2o_req_t *h2o, void *context)
{
	const struct stream_tail *stream = CONTAINER_OF(h2o, struct stream_tail, req);
	struct http_connection *connection;

	(void)context;
	if (stream->body == NULL || h2o->pathconf != NULL) /* whole, and counted in the ledger */
		return 0;
	connection = http_connection_of(h2o);
	connection->arriving_size_bytes += stream->body->size;
	return 0;
}

/* What has arrived and is not part of a request at work or just answered. */
static size_t input_size(const struct http_connection *connection)
{
	if (connection->sock == NULL || connection->unanswered_count > 0 ||
	    connection->tcp.write_queue_size > 0 || uv_is_closing((const uv_handle_t *)&connection->tcp))
		return 0;
	return connection->sock->input->size;
}

static struct http_connection *connection_at(struct queue *link)
{
	return CONTAINER_OF(link, struct http_connection, link);
}

static uint64_t count_all(struct http_server *server)
{
	const h2o_protocol_callbacks_t *http2 = &server->config.http2.callbacks;
	uint64_t size_bytes = 0;
	struct queue *link;

	for (link = server->connections.next; link != &server->connections; link = link->next)
		connection_at(link)->arriving_size_bytes = input_size(connection_at(link));
	(void)http2->foreach_request(&server->context, count_stream, NULL); /* what count_stream() returns */
	for (link = server->connections.next; link != &server->connections; link = link->next)
		size_bytes += connection_at(link)->arriving_size_bytes;
	return size_bytes;
}

static struct http_connection *find_greediest(struct http_server *server)
{
	struct http_connection *greediest = connection_at(server->connections.next);

	for (struct queue *link = server->connections.next; link != &server->connections; link = link->next) {
		if (connection_at(link)->arriving_size_bytes > greediest->arriving_size_bytes)
			greediest = connection_at(link);
	}
	return greediest;
}

void http_census_take(struct http_server *server)
{
	uint64_t size_bytes = count_all(server);

	metric_add(&http_metrics.bodies_arriving, (int64_t)size_bytes - (int64_t)server->arriving_size_bytes);
	server->arriving_size_bytes = size_bytes;
	while (size_bytes > server->options.bodies_size_bytes_max - server->ledger->bodies_size_bytes) {
		struct http_connection *greediest = find_greediest(server);

		size_bytes -= greediest->arriving_size_bytes;
		greediest->arriving_size_bytes = 0;
		http_connection_drop(greediest, true);
	}
}
