#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/http/http_head.h"

static enum status check(const char *head)
{
	struct http_head parts;

	return http_head_check(slice_of_string(head), &parts);
}

static void a_plain_head_passes_and_its_framing_is_found(void **state)
{
	struct http_head parts;

	(void)state;
	assert_int_equal(
		http_head_check(
			slice_of_string("POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  12\t\r\n\r\n"),
			&parts),
		ST_OK);
	assert_true(slice_equal(parts.content_length, slice_of_string("12")));
	assert_null(parts.transfer_encoding.data);
	assert_int_equal(http_head_check(slice_of_string("POST / HTTP/1.1\r\nHost: a\r\n"
							 "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"),
					 &parts),
			 ST_OK);
	assert_non_null(parts.transfer_encoding.data);
	assert_int_equal(check("\r\nGET /a?b=c%20d HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), ST_OK);
	assert_int_equal(check("OPTIONS * HTTP/1.1\r\nHost: a.b-c:80\r\nX:\r\nY: \xc3\xa9\t,\r\n\r\n"),
			 ST_OK);
	assert_int_equal(check("GET / HTTP/1.0\r\n\r\n"), ST_OK);
}

static void what_follows_the_head_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(
		check("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nContent-Length: 2\n\n"), ST_OK);
}

static void two_ways_to_frame_a_body_are_refused(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n"),
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		if (check(heads[i]) != ST_INVALID)
			fail_msg("passed: %s", heads[i]);
	}
}

static void other_line_ends_and_folded_lines_are_refused(void **state)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc: d\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"\n\n",
		"\r\n\r\n",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		if (check(heads[i]) != ST_INVALID)
			fail_msg("passed: %s", heads[i]);
	}
}

static void other_shapes_of_a_request_line_are_refused(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.2",     "GET / HTTP/2.0",
		"GET / http/1.1",     "GET / HTTP/1.1 ",
		"GET  / HTTP/1.1",    "GET /  HTTP/1.1",
		"GET\t/ HTTP/1.1",    "GET /",
		" GET / HTTP/1.1",    "GET http://a/ HTTP/1.1",
		"GET * HTTP/1.1",     "GET x HTTP/1.1",
		"GET /a b HTTP/1.1",  "GET /#a HTTP/1.1",
		"G(T / HTTP/1.1",     "GET /\x01 HTTP/1.1",
		"GET /\x7f HTTP/1.1", "CONNECT a:1 HTTP/1.1",
		"GET  HTTP/1.1",      " / HTTP/1.1",
		"GET HTTP/1.1",       " HTTP/1.1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		char head[200];

		(void)snprintf(head, sizeof(head), "%s\r\nHost: a\r\n\r\n", lines[i]);
		if (check(head) != ST_INVALID)
			fail_msg("passed: %s", lines[i]);
	}
}

static void names_and_values_are_of_what_they_may_be(void **state)
{
	static const char *const headers[] = {
		"A : b",     "A\t: b",    "A b: c",   ": b",        "A(: b",      "A",
		"A: \x01",   "A: b\rc",   "A: \x7f",  "Host: ",     "Host: a, b", "Host: a b",
		"Host: a/b", "Host: a@b", "Host: a?", "Host: a\\b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
		char head[200];

		(void)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n%s%s\r\n\r\n",
			       strncmp(headers[i], "Host", 4) == 0 ? "" : "Host: a\r\n", headers[i]);
		if (check(head) != ST_INVALID)
			fail_msg("passed: %s", headers[i]);
	}
	assert_int_equal(check("GET / HTTP/1.1\r\nA: b\r\n\r\n"), ST_INVALID); /* no host */
}

static void a_head_is_complete_with_its_empty_line(void **state)
{
	(void)state;
	assert_false(http_head_is_complete((struct slice){ NULL, 0 }));
	assert_false(http_head_is_complete(slice_of_string("GET / HTTP/1.1\r\nHost: a\r\n")));
	assert_true(http_head_is_complete(slice_of_string("GET / HTTP/1.1\r\n\r\nrest")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_head_passes_and_its_framing_is_found),
		cmocka_unit_test(what_follows_the_head_is_not_looked_at),
		cmocka_unit_test(two_ways_to_frame_a_body_are_refused),
		cmocka_unit_test(other_line_ends_and_folded_lines_are_refused),
		cmocka_unit_test(other_shapes_of_a_request_line_are_refused),
		cmocka_unit_test(names_and_values_are_of_what_they_may_be),
		cmocka_unit_test(a_head_is_complete_with_its_empty_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
