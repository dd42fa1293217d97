#include "proto/net/stream_tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { KEEPALIVE_IDLE_S = 1, KEEPALIVE_INTERVAL_S = 1, WRITE_BYTES_AT_ONCE_MAX = 1 << 30 };

/* RESOLVE --> CONNECT --> OPEN --> CLOSED
 * An accepted stream starts in CONNECT and is opened by on_accepted(). */
struct stream_tcp {
	struct stream base;
	struct runtime_uv *runtime;
	uv_tcp_t tcp;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	struct runtime_task task; /* opened() or ended() in a turn of its own */
	enum status first_status; /* what the task reports */
	uint32_t attempt;
	size_t queued_bytes;
	bool is_open;
	bool is_resolving;
	bool is_reading_wanted;
	bool has_ended;
	bool is_handle_closed;
};

struct write_request {
	uv_write_t write;
	size_t size_bytes;
	uint8_t bytes[];
};

static struct stream_tcp *tcp_of(const struct stream *stream)
{
	return CONTAINER_OF(stream, struct stream_tcp, base);
}

static void end(struct stream_tcp *tcp, enum status status)
{
	if (tcp->has_ended || tcp->base.is_closing)
		return;
	tcp->has_ended = true;
	tcp->is_open = false;
	(void)uv_read_stop((uv_stream_t *)&tcp->tcp);
	tcp->base.user->ended(&tcp->base, status);
}

static enum status status_of_read(ssize_t error)
{
	switch (error) {
	case UV_EOF:
	case UV_ECONNRESET:
	case UV_EPIPE:
	case UV_ETIMEDOUT:
	case UV_EHOSTUNREACH:
	case UV_ENETUNREACH:
		return ST_CLOSED;
	case UV_ENOBUFS:
	case UV_ENOMEM:
		return ST_NO_MEMORY;
	default:
		return ST_IO;
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
	struct stream_tcp *tcp = CONTAINER_OF(handle, struct stream_tcp, tcp);
	size_t size_bytes = 0;
	uint8_t *data = tcp->base.user->read_buffer(&tcp->base, &size_bytes);

	(void)suggested_size;
	buffer->base = (char *)data;
	buffer->len = data == NULL ? 0 : size_bytes; /* 0 becomes UV_ENOBUFS */
}

static void on_read(uv_stream_t *handle, ssize_t read_size, const uv_buf_t *buffer)
{
	struct stream_tcp *tcp = CONTAINER_OF(handle, struct stream_tcp, tcp);

	(void)buffer;
	if (read_size > 0)
		tcp->base.user->read(&tcp->base, (size_t)read_size);
	else if (read_size < 0)
		end(tcp, status_of_read(read_size));
}

static void read_start(struct stream *stream)
{
	struct stream_tcp *tcp = tcp_of(stream);

	tcp->is_reading_wanted = true;
	if (tcp->is_open)
		(void)uv_read_start((uv_stream_t *)&tcp->tcp, on_alloc, on_read); /* UV_EALREADY is fine */
}

static void read_stop(struct stream *stream)
{
	struct stream_tcp *tcp = tcp_of(stream);

	tcp->is_reading_wanted = false;
	if (tcp->is_open)
		(void)uv_read_stop((uv_stream_t *)&tcp->tcp); /* always succeeds */
}

/* Failures here cost speed or prompt notice only, so the connection goes on. */
static void tune_socket(struct stream_tcp *tcp)
{
	uv_os_fd_t fd;
	int idle_s = KEEPALIVE_IDLE_S;
	int interval_s = KEEPALIVE_INTERVAL_S;
	int probe_count = STREAM_TCP_DEAD_AFTER_MS / 1000 - KEEPALIVE_IDLE_S;
	unsigned timeout_ms = STREAM_TCP_DEAD_AFTER_MS;

	(void)uv_tcp_nodelay(&tcp->tcp, 1);
	(void)uv_tcp_keepalive(&tcp->tcp, 1, (unsigned)idle_s);
	if (uv_fileno((const uv_handle_t *)&tcp->tcp, &fd) != 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probe_count, sizeof(probe_count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static void name_peer(struct stream_tcp *tcp, const struct sockaddr *address)
{
	char host[INET6_ADDRSTRLEN] = "?";
	uint16_t port = 0;

	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

		(void)uv_ip4_name(in, host, sizeof(host));
		port = ntohs(in->sin_port);
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

		(void)uv_ip6_name(in6, host, sizeof(host));
		port = ntohs(in6->sin6_port);
	}
	(void)snprintf(tcp->base.peer_name, sizeof(tcp->base.peer_name), "%s:%u", host, port);
}

static void open_stream(struct stream_tcp *tcp)
{
	tune_socket(tcp);
	tcp->is_open = true;
	tcp->base.user->opened(&tcp->base);
	if (tcp->is_reading_wanted && tcp->is_open && !tcp->base.is_closing)
		read_start(&tcp->base);
}

static void on_task(struct runtime_task *task)
{
	struct stream_tcp *tcp = CONTAINER_OF(task, struct stream_tcp, task);

	if (tcp->first_status == ST_OK)
		open_stream(tcp);
	else
		end(tcp, tcp->first_status);
}

static void report_later(struct stream_tcp *tcp, enum status status)
{
	tcp->first_status = status;
	runtime_defer(&tcp->runtime->base, &tcp->task);
}

static void on_connected(uv_connect_t *connect, int rc)
{
	struct stream_tcp *tcp = CONTAINER_OF(connect, struct stream_tcp, connect);

	if (tcp->base.is_closing)
		return;
	if (rc != 0)
		end(tcp, ST_UNREACHABLE);
	else
		open_stream(tcp);
}

static void connect_to(struct stream_tcp *tcp, const struct sockaddr *address)
{
	name_peer(tcp, address);
	if (uv_tcp_connect(&tcp->connect, &tcp->tcp, address, on_connected) != 0)
		report_later(tcp, ST_UNREACHABLE);
}

/* The address that this attempt shall use: attempt modulo count. */
static const struct addrinfo *choose(const struct addrinfo *list, uint32_t attempt)
{
	const struct addrinfo *chosen = list;
	uint32_t count = 0;

	for (const struct addrinfo *each = list; each != NULL; each = each->ai_next)
		count++;
	for (uint32_t i = attempt % count; i > 0; i--)
		chosen = chosen->ai_next;
	return chosen;
}

static void free_when_closed(struct stream_tcp *tcp)
{
	if (!tcp->is_handle_closed || tcp->is_resolving)
		return;
	tcp->base.user->closed(&tcp->base);
	free(tcp);
}

static void on_resolved(uv_getaddrinfo_t *resolve, int rc, struct addrinfo *list)
{
	struct stream_tcp *tcp = CONTAINER_OF(resolve, struct stream_tcp, resolve);

	tcp->is_resolving = false;
	if (tcp->base.is_closing)
		free_when_closed(tcp);
	else if (rc != 0 || list == NULL)
		end(tcp, ST_UNREACHABLE);
	else
		connect_to(tcp, choose(list, tcp->attempt)->ai_addr);
	uv_freeaddrinfo(list);
}

static void resolve_name(struct stream_tcp *tcp, const char *host, uint16_t port)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", port);
	(void)snprintf(tcp->base.peer_name, sizeof(tcp->base.peer_name), "%.48s:%u", host, port);
	tcp->is_resolving = true;
	if (uv_getaddrinfo(&tcp->runtime->loop, &tcp->resolve, on_resolved, host, service, &hints) != 0) {
		tcp->is_resolving = false;
		report_later(tcp, ST_UNREACHABLE);
	}
}

static void on_written(uv_write_t *write, int rc)
{
	struct write_request *request = CONTAINER_OF(write, struct write_request, write);
	struct stream_tcp *tcp = CONTAINER_OF(write->handle, struct stream_tcp, tcp);

	tcp->queued_bytes -= request->size_bytes;
	free(request);
	if (tcp->base.is_closing)
		return;
	if (rc != 0)
		end(tcp, status_of_read(rc));
	else if (tcp->queued_bytes == 0 && tcp->base.user->drained != NULL)
		tcp->base.user->drained(&tcp->base);
}

static size_t sum(const struct slice *slices, size_t slice_count)
{
	size_t size_bytes = 0;

	for (size_t i = 0; i < slice_count; i++)
		size_bytes += slices[i].size;
	return size_bytes;
}

/* How many bytes the socket takes at once; negative if it is broken. */
static ssize_t write_now(struct stream_tcp *tcp, const struct slice *slices, size_t slice_count)
{
	uv_buf_t buffers[STREAM_SLICES_MAX];
	int rc;

	if (tcp->queued_bytes > 0)
		return 0; /* order */
	for (size_t i = 0; i < slice_count; i++)
		buffers[i] = uv_buf_init((char *)(uintptr_t)slices[i].data, (unsigned)slices[i].size);
	rc = uv_try_write((uv_stream_t *)&tcp->tcp, buffers, (unsigned)slice_count);
	return rc == UV_EAGAIN ? 0 : rc;
}

static enum status write_later(struct stream_tcp *tcp, const struct slice *slices, size_t slice_count,
			       size_t skip_bytes, size_t size_bytes)
{
	struct write_request *request = malloc(sizeof(*request) + size_bytes);
	uint8_t *out;
	uv_buf_t buffer;

	if (request == NULL)
		return ST_NO_MEMORY;
	out = request->bytes;
	for (size_t i = 0; i < slice_count; i++) {
		size_t skip_here = skip_bytes < slices[i].size ? skip_bytes : slices[i].size;
		size_t copy_bytes = slices[i].size - skip_here;

		if (copy_bytes > 0)
			memcpy(out, slices[i].data + skip_here, copy_bytes);
		out += copy_bytes;
		skip_bytes -= skip_here;
	}
	request->size_bytes = size_bytes;
	buffer = uv_buf_init((char *)request->bytes, (unsigned)size_bytes);
	if (uv_write(&request->write, (uv_stream_t *)&tcp->tcp, &buffer, 1, on_written) != 0) {
		free(request);
		return ST_CLOSED;
	}
	tcp->queued_bytes += size_bytes;
	return ST_OK;
}

static enum status write_slices(struct stream *stream, const struct slice *slices, size_t slice_count)
{
	struct stream_tcp *tcp = tcp_of(stream);
	size_t size_bytes = sum(slices, slice_count);
	ssize_t written;

	CHECK(slice_count <= STREAM_SLICES_MAX && size_bytes <= WRITE_BYTES_AT_ONCE_MAX);
	if (!tcp->is_open || stream->is_closing)
		return ST_CLOSED;
	if (tcp->queued_bytes + size_bytes > stream->queued_bytes_max)
		return ST_OVERLOADED;
	if (size_bytes == 0)
		return ST_OK;
	written = write_now(tcp, slices, slice_count);
	if (written < 0)
		return ST_CLOSED;
	if ((size_t)written == size_bytes)
		return ST_OK;
	return write_later(tcp, slices, slice_count, (size_t)written, size_bytes - (size_t)written);
}

static size_t queued_bytes(const struct stream *stream)
{
	return tcp_of(stream)->queued_bytes;
}

static bool peer_identity(const struct stream *stream, struct tls_identity *identity_out)
{
	(void)stream;
	(void)identity_out;
	return false;
}

static void on_closed(uv_handle_t *handle)
{
	struct stream_tcp *tcp = CONTAINER_OF(handle, struct stream_tcp, tcp);

	tcp->is_handle_closed = true;
	free_when_closed(tcp);
}

static void close_stream(struct stream *stream)
{
	struct stream_tcp *tcp = tcp_of(stream);

	tcp->is_open = false;
	runtime_task_cancel(&tcp->task);
	if (tcp->is_resolving)
		(void)uv_cancel((uv_req_t *)&tcp->resolve); /* on_resolved() comes in any case */
	uv_close((uv_handle_t *)&tcp->tcp, on_closed);
}

static const struct stream_ops stream_tcp_ops = {
	.write = write_slices,
	.read_start = read_start,
	.read_stop = read_stop,
	.queued_bytes = queued_bytes,
	.peer_identity = peer_identity,
	.close = close_stream,
};

static struct stream_tcp *create(struct runtime_uv *runtime, size_t queued_bytes_max)
{
	struct stream_tcp *tcp = calloc(1, sizeof(*tcp));
	int rc;

	if (tcp == NULL)
		return NULL;
	tcp->base.ops = &stream_tcp_ops;
	tcp->base.queued_bytes_max = queued_bytes_max;
	tcp->runtime = runtime;
	tcp->is_reading_wanted = true;
	runtime_task_init(&tcp->task, on_task);
	rc = uv_tcp_init(&runtime->loop, &tcp->tcp);
	CHECK(rc == 0); /* it neither allocates nor opens a socket yet */
	return tcp;
}

struct stream *stream_tcp_connect(struct runtime_uv *runtime, const char *host, uint16_t port,
				  uint32_t attempt, size_t queued_bytes_max)
{
	struct stream_tcp *tcp = create(runtime, queued_bytes_max);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (tcp == NULL)
		return NULL;
	tcp->attempt = attempt;
	if (uv_ip4_addr(host, port, &in) == 0)
		connect_to(tcp, (const struct sockaddr *)&in);
	else if (uv_ip6_addr(host, port, &in6) == 0)
		connect_to(tcp, (const struct sockaddr *)&in6);
	else
		resolve_name(tcp, host, port);
	return &tcp->base;
}

static void on_abandoned(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct stream_tcp, tcp));
}

struct stream *stream_tcp_accept(struct runtime_uv *runtime, uv_stream_t *server, size_t queued_bytes_max)
{
	struct stream_tcp *tcp = create(runtime, queued_bytes_max);
	struct sockaddr_storage address;
	int address_size = sizeof(address);

	if (tcp == NULL)
		return NULL;
	if (uv_accept(server, (uv_stream_t *)&tcp->tcp) != 0) {
		uv_close((uv_handle_t *)&tcp->tcp, on_abandoned);
		return NULL;
	}
	if (uv_tcp_getpeername(&tcp->tcp, (struct sockaddr *)&address, &address_size) == 0)
		name_peer(tcp, (const struct sockaddr *)&address);
	report_later(tcp, ST_OK);
	return &tcp->base;
}
