#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "proto/base/metrics.h"
#include "proto/net/status_page.h"
#include "proto/net/stream_tcp.h"
#include "tests/support/raw_stream.h"

struct fixture {
	struct runtime_uv runtime;
	struct status_page page;
	struct raw_stream visitor;
	const char *problem;
	uint32_t before_count;
	bool is_stopped;
};

static const char *problem(void *context)
{
	const struct fixture *f = context;

	return f->problem;
}

static void before_metrics(void *context)
{
	struct fixture *f = context;

	f->before_count++;
}

static void start(struct fixture *f, uint32_t deadline_ms)
{
	const struct status_page_options options = { .runtime = &f->runtime,
						     .host = "127.0.0.1",
						     .problem = problem,
						     .before_metrics = before_metrics,
						     .context = f,
						     .deadline_ms = deadline_ms };

	memset(f, 0, sizeof(*f));
	assert_int_equal(runtime_uv_init(&f->runtime, 1), ST_OK);
	assert_int_equal(status_page_start(&f->page, &options), ST_OK);
}

static void on_stopped(struct status_page *page)
{
	CONTAINER_OF(page, struct fixture, page)->is_stopped = true;
}

static void stop(struct fixture *f)
{
	status_page_stop(&f->page, on_stopped);
	while (!f->is_stopped)
		runtime_uv_turn(&f->runtime);
	runtime_uv_close(&f->runtime);
}

static void visit(struct fixture *f)
{
	raw_stream_attach(&f->visitor, stream_tcp_connect(&f->runtime, "127.0.0.1",
							  status_page_port(&f->page), 0, 1024 * 1024));
	while (f->visitor.opened_count == 0)
		runtime_uv_turn(&f->runtime);
}

static void leave(struct fixture *f)
{
	stream_close(f->visitor.stream);
	while (!f->visitor.is_closed)
		runtime_uv_turn(&f->runtime);
	raw_stream_close(&f->visitor);
}

static void expect_answer(struct fixture *f, const char *beginning, const char *contains)
{
	while (f->visitor.ended_count == 0)
		runtime_uv_turn(&f->runtime);
	buf_put_u8(&f->visitor.received, 0);
	assert_int_equal(strncmp((char *)f->visitor.received.data, beginning, strlen(beginning)), 0);
	assert_non_null(strstr((char *)f->visitor.received.data, contains));
}

static void ask(struct fixture *f, const char *request, const char *beginning, const char *contains)
{
	visit(f);
	assert_int_equal(raw_stream_write(&f->visitor, request, strlen(request)), ST_OK);
	expect_answer(f, beginning, contains);
	leave(f);
}

static void health_tells_ok_or_the_problem(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0);
	ask(&f, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.0 200 OK\r\n", "\r\n\r\nok\n");
	f.problem = "disk is full";
	ask(&f, "GET /health HTTP/1.0\r\n\r\n", "HTTP/1.0 503 ", "disk is full");
	stop(&f);
}

static void metrics_are_refreshed_and_printed(void **state)
{
	static struct metric metric = { .name = "cleave_test_total",
					.help = "a test",
					.kind = METRIC_COUNTER };
	struct fixture f;

	(void)state;
	metrics_register(&metric);
	metric_add(&metric, 42);
	start(&f, 0);
	ask(&f, "GET /metrics HTTP/1.1\n\n", "HTTP/1.0 200 OK\r\n", "cleave_test_total 42");
	assert_int_equal(f.before_count, 1);
	stop(&f);
}

static void other_requests_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0);
	ask(&f, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.0 404 ", "/metrics");
	ask(&f, "GET /healthy HTTP/1.1\r\n\r\n", "HTTP/1.0 404 ", "/metrics");
	ask(&f, "POST /health HTTP/1.1\r\n\r\n", "HTTP/1.0 405 ", "GET");
	ask(&f, "\r\n\r\n", "HTTP/1.0 405 ", "GET");
	stop(&f);
}

static void request_in_pieces_is_answered(void **state)
{
	const char *request = "GET /health HTTP/1.1\r\n\r\n";
	struct fixture f;

	(void)state;
	start(&f, 0);
	visit(&f);
	for (size_t i = 0; i < strlen(request); i++) {
		assert_int_equal(raw_stream_write(&f.visitor, request + i, 1), ST_OK);
		runtime_uv_turn(&f.runtime);
	}
	expect_answer(&f, "HTTP/1.0 200 OK\r\n", "ok");
	leave(&f);
	stop(&f);
}

static void too_long_request_is_refused(void **state)
{
	static char request[STATUS_PAGE_REQUEST_SIZE_MAX];
	struct fixture f;

	(void)state;
	memset(request, 'a', sizeof(request));
	start(&f, 0);
	visit(&f);
	assert_int_equal(raw_stream_write(&f.visitor, request, sizeof(request)), ST_OK);
	expect_answer(&f, "HTTP/1.0 400 ", "too long");
	leave(&f);
	stop(&f);
}

static void silent_visitor_is_closed_at_the_deadline(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 10);
	visit(&f);
	expect_answer(&f, "", "");
	assert_int_equal(f.visitor.received.size, 1); /* the NUL that expect_answer() adds */
	leave(&f);
	stop(&f);
}

static void stop_closes_visitors(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0);
	visit(&f);
	status_page_stop(&f.page, on_stopped);
	while (!f.is_stopped || f.visitor.ended_count == 0)
		runtime_uv_turn(&f.runtime);
	leave(&f);
	runtime_uv_close(&f.runtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_tells_ok_or_the_problem),
		cmocka_unit_test(metrics_are_refreshed_and_printed),
		cmocka_unit_test(other_requests_are_refused),
		cmocka_unit_test(request_in_pieces_is_answered),
		cmocka_unit_test(too_long_request_is_refused),
		cmocka_unit_test(silent_visitor_is_closed_at_the_deadline),
		cmocka_unit_test(stop_closes_visitors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
