#include "proto/net/listener.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/net/stream_tcp.h"
#include "proto/net/stream_tls.h"

static void on_refused_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Take a connection only to close it: the peer shall know at once. */
static void refuse(struct listener *listener)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));
	int rc;

	listener->refused_count++;
	log_warn("listener", "refused", "port=%u connections=%u", listener_port(listener),
		 listener->connection_count);
	if (tcp == NULL)
		return; /* libuv stops accepting until the next event; the peer waits */
	rc = uv_tcp_init(&listener->options.runtime->loop, tcp);
	CHECK(rc == 0);
	(void)uv_accept((uv_stream_t *)listener->tcp, (uv_stream_t *)tcp); /* closed in any case */
	uv_close((uv_handle_t *)tcp, on_refused_closed);
}

static void on_stillborn_closed(struct stream *stream)
{
	(void)stream; /* it frees itself */
}

static const struct stream_user stillborn_user = { .closed = on_stillborn_closed };

static struct stream *make_stream(struct listener *listener)
{
	const struct listener_options *options = &listener->options;
	struct stream *tcp = stream_tcp_accept(options->runtime, (uv_stream_t *)listener->tcp,
					       options->queued_bytes_max);
	struct stream *tls;

	if (tcp == NULL || options->tls == NULL)
		return tcp;
	tls = stream_tls_create(&options->runtime->base, tcp, options->tls, true);
	if (tls == NULL) {
		stream_set_user(tcp, &stillborn_user, NULL);
		stream_close(tcp);
	}
	return tls;
}

static void on_connection(uv_stream_t *server, int rc)
{
	struct listener *listener = server->data;
	struct stream *stream;

	if (rc != 0) {
		log_warn("listener", "accept-failed", "error=%s", uv_err_name(rc));
		return;
	}
	if (listener->connection_count >= listener->options.connection_count_max) {
		refuse(listener);
		return;
	}
	stream = make_stream(listener);
	if (stream == NULL)
		return;
	listener->connection_count++;
	listener->options.accepted(listener, stream);
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	free(handle);
	if (listener != NULL)
		listener->stopped(listener);
}

static enum status parse_address(const struct listener_options *options, struct sockaddr_storage *address_out)
{
	if (uv_ip4_addr(options->host, options->port, (struct sockaddr_in *)address_out) == 0)
		return ST_OK;
	if (uv_ip6_addr(options->host, options->port, (struct sockaddr_in6 *)address_out) == 0)
		return ST_OK;
	return ST_INVALID;
}

enum status listener_start(struct listener *listener, const struct listener_options *options)
{
	struct sockaddr_storage address;
	enum status status = parse_address(options, &address);
	uv_tcp_t *tcp;
	int rc;

	if (status != ST_OK)
		return status;
	tcp = calloc(1, sizeof(*tcp));
	if (tcp == NULL)
		return ST_NO_MEMORY;
	rc = uv_tcp_init(&options->runtime->loop, tcp);
	CHECK(rc == 0);
	rc = uv_tcp_bind(tcp, (const struct sockaddr *)&address, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)tcp, LISTENER_BACKLOG, on_connection);
	if (rc != 0) {
		uv_close((uv_handle_t *)tcp, on_closed);
		return rc == UV_EADDRINUSE ? ST_EXISTS : ST_IO;
	}
	*listener = (struct listener){ .options = *options, .tcp = tcp, .is_open = true };
	listener->options.host = NULL; /* borrowed for the call only */
	tcp->data = listener;
	return ST_OK;
}

uint16_t listener_port(const struct listener *listener)
{
	struct sockaddr_storage address;
	int address_size = sizeof(address);

	if (uv_tcp_getsockname(listener->tcp, (struct sockaddr *)&address, &address_size) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

void listener_release(struct listener *listener)
{
	CHECK(listener->connection_count > 0);
	listener->connection_count--;
}

void listener_stop(struct listener *listener, void (*stopped)(struct listener *listener))
{
	CHECK(listener->is_open);
	listener->is_open = false;
	listener->stopped = stopped;
	uv_close((uv_handle_t *)listener->tcp, on_closed);
	listener->tcp = NULL;
}
