#include "proto/net/status_page.h"

#include <stdlib.h>

#include "proto/base/metrics.h"

/* READ --> ANSWER --> CLOSE
 * READ ends with the blank line, a too long request, the deadline or the peer's leaving. */
struct visit {
	struct queue link;
	struct status_page *page;
	struct stream *stream;
	struct runtime_timer deadline;
	bool is_answered;
	size_t request_size;
	char request[STATUS_PAGE_REQUEST_SIZE_MAX + 1];
};

static void close_visit(struct visit *visit)
{
	stream_close(visit->stream); /* on_closed() ends it */
}

static void append_reply(struct buf *out, const char *status_line, struct slice body)
{
	buf_append_format(out,
			  "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
			  "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			  status_line, body.size);
	buf_append_slice(out, body);
}

/* Write and close: at once if the socket took all, else when it is drained. */
static void answer(struct visit *visit, const char *status_line, struct slice body)
{
	struct buf out;
	struct slice slice;

	visit->is_answered = true;
	stream_read_stop(visit->stream);
	buf_init(&out, STATUS_PAGE_REPLY_SIZE_MAX);
	append_reply(&out, status_line, body);
	slice = buf_slice(&out);
	if (out.status != ST_OK || stream_write(visit->stream, &slice, 1) != ST_OK ||
	    stream_queued_bytes(visit->stream) == 0)
		close_visit(visit);
	buf_close(&out);
}

static void answer_text(struct visit *visit, const char *status_line, const char *text)
{
	answer(visit, status_line, slice_of_string(text));
}

static void answer_metrics(struct visit *visit)
{
	const struct status_page_options *options = &visit->page->options;
	struct buf body;

	if (options->before_metrics != NULL)
		options->before_metrics(options->context);
	buf_init(&body, STATUS_PAGE_REPLY_SIZE_MAX / 2);
	metrics_print(&body);
	if (body.status == ST_OK)
		answer(visit, "200 OK", buf_slice(&body));
	else
		answer_text(visit, "500 Internal Server Error", "the metrics do not fit\n");
	buf_close(&body);
}

static void answer_health(struct visit *visit)
{
	const struct status_page_options *options = &visit->page->options;
	const char *problem = options->problem == NULL ? NULL : options->problem(options->context);

	if (problem == NULL)
		answer_text(visit, "200 OK", "ok\n");
	else
		answer_text(visit, "503 Service Unavailable", problem);
}

/* Does the request line say `GET path` and then a space or the end of the line? */
static bool asks_for(const struct visit *visit, const char *path)
{
	size_t path_size = strlen(path);
	const char *after = visit->request + 4 + path_size;

	return strncmp(visit->request, "GET ", 4) == 0 && strncmp(visit->request + 4, path, path_size) == 0 &&
	       (*after == ' ' || *after == '\r' || *after == '\n');
}

static void answer_request(struct visit *visit)
{
	if (asks_for(visit, "/metrics"))
		answer_metrics(visit);
	else if (asks_for(visit, "/health"))
		answer_health(visit);
	else if (strncmp(visit->request, "GET ", 4) == 0)
		answer_text(visit, "404 Not Found", "GET /metrics or /health\n");
	else
		answer_text(visit, "405 Method Not Allowed", "GET only\n");
}

static bool is_request_complete(const struct visit *visit)
{
	return strstr(visit->request, "\r\n\r\n") != NULL || strstr(visit->request, "\n\n") != NULL;
}

static void on_opened(struct stream *stream)
{
	(void)stream; /* the request comes by itself */
}

static uint8_t *on_read_buffer(struct stream *stream, size_t *size_out)
{
	struct visit *visit = stream->context;

	*size_out = STATUS_PAGE_REQUEST_SIZE_MAX - visit->request_size;
	return (uint8_t *)visit->request + visit->request_size;
}

static void on_read(struct stream *stream, size_t size_bytes)
{
	struct visit *visit = stream->context;

	visit->request_size += size_bytes;
	visit->request[visit->request_size] = 0;
	if (is_request_complete(visit))
		answer_request(visit);
	else if (visit->request_size == STATUS_PAGE_REQUEST_SIZE_MAX)
		answer_text(visit, "400 Bad Request", "request too long\n");
}

static void on_drained(struct stream *stream)
{
	struct visit *visit = stream->context;

	if (visit->is_answered)
		close_visit(visit);
}

static void on_ended(struct stream *stream, enum status status)
{
	(void)status; /* visitors come and go */
	close_visit(stream->context);
}

static void stop_when_empty(struct status_page *page)
{
	if (page->is_listener_stopped && queue_is_empty(&page->visits))
		page->stopped(page);
}

static void on_closed(struct stream *stream)
{
	struct visit *visit = stream->context;
	struct status_page *page = visit->page;

	runtime_timer_stop(&page->options.runtime->base, &visit->deadline);
	queue_remove(&visit->link);
	listener_release(&page->listener);
	free(visit);
	stop_when_empty(page);
}

static const struct stream_user visit_user = {
	.opened = on_opened,
	.read_buffer = on_read_buffer,
	.read = on_read,
	.drained = on_drained,
	.ended = on_ended,
	.closed = on_closed,
};

static void on_deadline(struct runtime_timer *timer)
{
	close_visit(CONTAINER_OF(timer, struct visit, deadline));
}

static void on_refused_closed(struct stream *stream)
{
	listener_release(stream->context);
}

static const struct stream_user refused_user = { .closed = on_refused_closed };

static void on_accepted(struct listener *listener, struct stream *stream)
{
	struct status_page *page = CONTAINER_OF(listener, struct status_page, listener);
	struct visit *visit = calloc(1, sizeof(*visit));

	if (visit == NULL) {
		stream_set_user(stream, &refused_user, listener);
		stream_close(stream);
		return;
	}
	visit->page = page;
	visit->stream = stream;
	queue_push_tail(&page->visits, &visit->link);
	runtime_timer_init(&visit->deadline, on_deadline);
	runtime_timer_start(&page->options.runtime->base, &visit->deadline,
			    page->options.deadline_ms * 1000ull);
	stream_set_user(stream, &visit_user, visit);
}

enum status status_page_start(struct status_page *page, const struct status_page_options *options)
{
	const struct listener_options listener_options = {
		.runtime = options->runtime,
		.host = options->host,
		.port = options->port,
		.connection_count_max = STATUS_PAGE_CONNECTIONS_MAX,
		.queued_bytes_max = STATUS_PAGE_REPLY_SIZE_MAX,
		.accepted = on_accepted,
	};

	*page = (struct status_page){ .options = *options };
	page->options.host = NULL; /* borrowed for the call only */
	if (page->options.deadline_ms == 0)
		page->options.deadline_ms = STATUS_PAGE_DEADLINE_MS;
	queue_init(&page->visits);
	return listener_start(&page->listener, &listener_options);
}

uint16_t status_page_port(const struct status_page *page)
{
	return listener_port(&page->listener);
}

static void on_listener_stopped(struct listener *listener)
{
	struct status_page *page = CONTAINER_OF(listener, struct status_page, listener);

	page->is_listener_stopped = true;
	stop_when_empty(page);
}

void status_page_stop(struct status_page *page, void (*stopped)(struct status_page *page))
{
	page->stopped = stopped;
	for (struct queue *link = page->visits.next; link != &page->visits; link = link->next)
		close_visit(CONTAINER_OF(link, struct visit, link));
	listener_stop(&page->listener, on_listener_stopped);
}
