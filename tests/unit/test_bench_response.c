#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tool is no library: its file is part of the test. */
#include "deploy/cleave/bench_response.c"

enum { SIZE_MAX_BYTES = 1024 };

static const char answer[] =
	"HTTP/1.1 400 Bad Request\r\nDate: now\r\ncontent-LENGTH:  2 \r\nX: a:b\r\n\r\n{}";

static enum status read_text(const char *text, struct bench_response *response)
{
	return bench_response_read(slice_of_string(text), SIZE_MAX_BYTES, response);
}

static void a_whole_answer_gives_status_and_body(void **state)
{
	struct bench_response response;

	(void)state;
	assert_int_equal(read_text(answer, &response), ST_OK);
	assert_int_equal(response.http_status, 400);
	assert_false(response.is_last);
	assert_true(slice_equal(response.body, slice_of_string("{}")));
	assert_int_equal(response.size_bytes, strlen(answer));
}

static void every_part_of_an_answer_wants_more(void **state)
{
	struct bench_response response;

	(void)state;
	for (size_t size = 0; size < strlen(answer); size++)
		assert_int_equal(bench_response_read(slice_of(answer, size), SIZE_MAX_BYTES, &response),
				 ST_BUSY);
}

static void what_follows_an_answer_is_not_part_of_it(void **state)
{
	struct bench_response response;

	(void)state;
	assert_int_equal(read_text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1", &response), ST_OK);
	assert_int_equal(response.body.size, 0);
	assert_int_equal(response.size_bytes, strlen("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
}

static void connection_close_makes_it_the_last(void **state)
{
	struct bench_response response;

	(void)state;
	assert_int_equal(
		read_text("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", &response),
		ST_OK);
	assert_true(response.is_last);
}

static void what_is_not_an_answer_with_a_length_is_refused(void **state)
{
	static const char *const texts[] = {
		"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
		"HTTP/1.1\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"\r\n\r\n",
	};
	struct bench_response response;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (read_text(texts[i], &response) != ST_CORRUPT)
			fail_msg("taken: %s", texts[i]);
	}
}

static void an_answer_that_will_not_fit_is_refused(void **state)
{
	uint8_t endless[SIZE_MAX_BYTES];
	struct bench_response response;

	(void)state;
	assert_int_equal(read_text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &response), ST_TOO_BIG);
	assert_int_equal(
		read_text("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", &response),
		ST_TOO_BIG);
	memset(endless, 'x', sizeof(endless));
	assert_int_equal(bench_response_read(slice_of(endless, sizeof(endless)), sizeof(endless), &response),
			 ST_TOO_BIG);
}

static void the_longest_answer_that_fits_is_taken(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 0983\r\n\r\n";
	uint8_t bytes[SIZE_MAX_BYTES];
	struct bench_response response;

	(void)state;
	assert_int_equal(strlen(head) + 983, SIZE_MAX_BYTES);
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, head, strlen(head));
	assert_int_equal(bench_response_read(slice_of(bytes, sizeof(bytes) - 1), sizeof(bytes), &response),
			 ST_BUSY);
	assert_int_equal(bench_response_read(slice_of(bytes, sizeof(bytes)), sizeof(bytes), &response),
			 ST_OK);
}

static void assert_type(const char *body, const char *type)
{
	struct slice found = bench_response_error_type(slice_of_string(body));

	if (!slice_equal(found, slice_of_string(type)))
		fail_msg("%s: got '%.*s'", body, (int)found.size, (const char *)found.data);
}

static void the_type_of_an_error_is_found_in_any_spelling(void **state)
{
	(void)state;
	assert_type("{\"__type\":\"com.amazonaws.dynamodb.v20120810#ThrottlingException\",\"message\":\"\"}",
		    "ThrottlingException");
	assert_type("{\"message\": \"m\", \"__type\" : \"InternalServerError\"}", "InternalServerError");
	assert_type("", "");
	assert_type("<html>", "");
	assert_type("{\"__type\"", "");
	assert_type("{\"__type\":", "");
	assert_type("{\"__type\":5}", "");
	assert_type("{\"__type\":\"", "");
	assert_type("{\"__type\":\"open", "");
}

static void a_member_is_compared_as_a_whole(void **state)
{
	struct slice body = slice_of_string("{\"Table\":{\"TableStatus\":\"ACTIVE\"}}");

	(void)state;
	assert_true(bench_response_member_is(body, "TableStatus", "ACTIVE"));
	assert_false(bench_response_member_is(body, "TableStatus", "ACTIV"));
	assert_false(bench_response_member_is(body, "Status", "ACTIVE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_answer_gives_status_and_body),
		cmocka_unit_test(every_part_of_an_answer_wants_more),
		cmocka_unit_test(what_follows_an_answer_is_not_part_of_it),
		cmocka_unit_test(connection_close_makes_it_the_last),
		cmocka_unit_test(what_is_not_an_answer_with_a_length_is_refused),
		cmocka_unit_test(an_answer_that_will_not_fit_is_refused),
		cmocka_unit_test(the_longest_answer_that_fits_is_taken),
		cmocka_unit_test(the_type_of_an_error_is_found_in_any_spelling),
		cmocka_unit_test(a_member_is_compared_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
