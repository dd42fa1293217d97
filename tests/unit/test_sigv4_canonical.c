#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/auth/sigv4_canonical.h"
#include "tests/unit/sigv4_vectors.h"

struct fixture {
	struct arena arena;
	struct buf out;
	struct buf message;
	struct sigv4_request request;
	struct sigv4_claim claim;
};

static void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .request.method = slice_of_string("POST"),
			       .request.path = slice_of_string("/") };
	arena_init(&f->arena, 1024 * 1024);
	buf_init(&f->out, 1024 * 1024);
	buf_init(&f->message, 1024 * 1024);
	f->claim.signed_headers = slice_of_string("host");
}

static void fixture_close(struct fixture *f)
{
	buf_close(&f->message);
	buf_close(&f->out);
	arena_close(&f->arena);
}

static void every_vector_has_botocores_canonical_request(void **state)
{
	(void)state;
	assert_true(sigv4_vector_count > 100);
	for (size_t i = 0; i < sigv4_vector_count; i++) {
		const struct sigv4_vector *vector = &sigv4_vectors[i];
		uint8_t hash[SHA256_SIZE];
		char hex[2 * SHA256_SIZE + 1];
		struct fixture f;

		fixture_open(&f);
		assert_int_equal(sigv4_claim_read(&vector->request, &f.arena, &f.message, &f.claim),
				 SIGV4_OK);
		assert_int_equal(sigv4_canonical_request(&vector->request, &f.claim, &f.arena, &f.out),
				 ST_OK);
		digest_sha256(buf_slice(&f.out), hash);
		hex_encode_to(hex, hash, sizeof(hash));
		if (!slice_equal(slice_of_string(hex), vector->canonical_hash))
			fail_msg("%s:\n%.*s", (const char *)vector->name.data, (int)f.out.size,
				 (const char *)f.out.data);
		fixture_close(&f);
	}
}

/* The line of the canonical request by its number from 0. */
static void assert_line(const struct fixture *f, size_t number, const char *expected)
{
	struct slice rest = buf_slice(&f->out);
	struct slice line = { NULL, 0 };

	for (size_t i = 0; i <= number; i++)
		assert_true(sigv4_split(&rest, '\n', &line));
	assert_int_equal(line.size, strlen(expected));
	assert_memory_equal(line.data, expected, line.size);
}

static void assert_path(const char *path, const char *expected)
{
	struct fixture f;

	fixture_open(&f);
	f.request.path = slice_of_string(path);
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_OK);
	assert_line(&f, 1, expected);
	fixture_close(&f);
}

static void a_path_loses_dots_and_empty_segments_and_is_escaped_again(void **state)
{
	(void)state;
	assert_path("", "/");
	assert_path("/", "/");
	assert_path("//", "/");
	assert_path("/../../a", "/a");
	assert_path("/a/./b/../c/", "/a/c/");
	assert_path("/a/..", "/");
	assert_path("/a%20b", "/a%2520b");
	assert_path("/\xe2\x82\xac", "/%E2%82%AC");
	assert_path("/...", "/...");
	assert_path(".", "");
	assert_path("a/../b", "b");
}

static void assert_query(const char *query, const char *expected)
{
	struct fixture f;

	fixture_open(&f);
	f.request.query = slice_of_string(query);
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_OK);
	assert_line(&f, 2, expected);
	fixture_close(&f);
}

static void a_query_is_sorted_and_has_one_spelling(void **state)
{
	(void)state;
	assert_query("b=1&a=2", "a=2&b=1");
	assert_query("a=2&a=10", "a=10&a=2");
	assert_query("a=%7e%2f&b=%zz&c=%2", "a=~%2F&b=%25zz&c=%252");
	assert_query("&a&&", "a=");
	assert_query("a=b=c", "a=b%3Dc");
	assert_query("X-Amz-Signature=1", "X-Amz-Signature=1");
}

static void a_presigned_query_leaves_its_signature_out(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	f.claim.is_presigned = true;
	f.request.query = slice_of_string("z=1&X-Amz-Signature=abc&a=1");
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_OK);
	assert_line(&f, 2, "a=1&z=1");
	fixture_close(&f);
}

static void too_many_parts_are_refused(void **state)
{
	struct fixture f;
	struct buf many;

	(void)state;
	fixture_open(&f);
	buf_init(&many, 1024 * 1024);
	for (size_t i = 0; i <= SIGV4_QUERY_PARAMETERS_MAX; i++)
		buf_append_string(&many, "a=1&");
	f.request.query = buf_slice(&many);
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_TOO_BIG);

	buf_reset(&many);
	buf_reset(&f.out);
	for (size_t i = 0; i <= SIGV4_SIGNED_HEADERS_MAX; i++)
		buf_append_string(&many, "a;");
	f.request.query = (struct slice){ NULL, 0 };
	f.claim.signed_headers = buf_slice(&many);
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_TOO_BIG);
	buf_close(&many);
	fixture_close(&f);
}

static void a_full_buffer_or_arena_is_an_error(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	f.out.size_max = 10;
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_TOO_BIG);
	fixture_close(&f);

	fixture_open(&f);
	f.arena.size_bytes_max = 0;
	f.request.query = slice_of_string("a=1");
	assert_int_equal(sigv4_canonical_request(&f.request, &f.claim, &f.arena, &f.out), ST_NO_MEMORY);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_has_botocores_canonical_request),
		cmocka_unit_test(a_path_loses_dots_and_empty_segments_and_is_escaped_again),
		cmocka_unit_test(a_query_is_sorted_and_has_one_spelling),
		cmocka_unit_test(a_presigned_query_leaves_its_signature_out),
		cmocka_unit_test(too_many_parts_are_refused),
		cmocka_unit_test(a_full_buffer_or_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, sigv4_vectors_open, sigv4_vectors_close);
}
