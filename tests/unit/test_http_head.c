#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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
	assert_int_equal(check("\r\nGET / HTTP/1.1\r\n\r\n"), ST_OK);
	assert_int_equal(check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), ST_OK);
}

static void what_follows_the_head_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(check("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nContent-Length: 2\n\n"), ST_OK);
}

static void two_ways_to_frame_a_body_are_refused(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
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
		"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\n\tc: d\r\n\r\n",
		"GET / HTTP/1.1\r\nA\r\n\r\n",
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
		cmocka_unit_test(a_head_is_complete_with_its_empty_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
