#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/net/endpoint.h"

static enum status parse(const char *text, struct endpoint *endpoint)
{
	return endpoint_parse(slice_of_string(text), endpoint);
}

static void a_host_and_a_port_are_parsed(void **state)
{
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(parse("127.0.0.1:8000", &endpoint), ST_OK);
	assert_string_equal(endpoint.host, "127.0.0.1");
	assert_int_equal(endpoint.port, 8000);
	assert_int_equal(parse("[::1]:1", &endpoint), ST_OK);
	assert_string_equal(endpoint.host, "::1");
}

static void bad_places_are_refused(void **state)
{
	static const char *const bad[] = { "",           ":",       "host",    "host:", ":80",
					   "host:65536", "host:8o", "host:-1", "[]:1" };
	struct endpoint endpoint;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(parse(bad[i], &endpoint), ST_INVALID);
}

static void seeds_have_numbers(void **state)
{
	struct endpoint_seeds seeds;

	(void)state;
	assert_int_equal(endpoint_parse_seeds(slice_of_string("1@a:1,22@b:2"), &seeds), ST_OK);
	assert_int_equal(seeds.count, 2);
	assert_int_equal(seeds.items[1].node_id, 22);
	assert_string_equal(seeds.items[1].place.host, "b");
}

static void bad_seeds_are_refused(void **state)
{
	static const char *const bad[] = { "", "a:1", "0@a:1", "1@a:1,", "1@a:1,1@b:2", "x@a:1", "1@a" };
	struct endpoint_seeds seeds;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(endpoint_parse_seeds(slice_of_string(bad[i]), &seeds), ST_INVALID);
	assert_int_equal(
		endpoint_parse_seeds(
			slice_of_string("1@a:1,2@a:1,3@a:1,4@a:1,5@a:1,6@a:1,7@a:1,8@a:1,9@a:1,10@a:1"),
			&seeds),
		ST_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_and_a_port_are_parsed),
		cmocka_unit_test(bad_places_are_refused),
		cmocka_unit_test(seeds_have_numbers),
		cmocka_unit_test(bad_seeds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
