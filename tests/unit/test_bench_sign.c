#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/auth/sigv4_verify.h"
/* The tool is no library: its file is part of the test. */
#include "deploy/cleave/bench_sign.c"
#include "tests/unit/sigv4_vectors.h"

static const char access_key[] = "AKIABENCH00000000001";
static const char secret_key[] = "bench/secret+with/odd=characters";
static const char region[] = "eu-test-1";
static const char host[] = "127.0.0.1:8000";

enum { NOW_S = 1900000000, DAY_S = 24 * 3600, HEADERS_MAX = 8 };

static bool find_credential(void *context, struct slice id, struct sigv4_credential *credential_out)
{
	(void)context;
	*credential_out = (struct sigv4_credential){ .secret = slice_of_string(secret_key) };
	return slice_equal(id, slice_of_string(access_key));
}

struct fixture {
	struct sigv4_verifier *verifier;
	struct bench_signer signer;
	struct bench_request request;
	struct arena arena;
};

static void fixture_open(struct fixture *f)
{
	const struct sigv4_options options = { .mode = SIGV4_STRICT,
					       .region = region,
					       .clock_window_s = SIGV4_CLOCK_WINDOW_S_DEFAULT,
					       .credential_cb = find_credential };

	assert_int_equal(sigv4_verifier_create(&options, &f->verifier), ST_OK);
	bench_signer_init(&f->signer, access_key, secret_key, region, NOW_S);
	assert_int_equal(bench_request_init(&f->request, &f->signer, host, "PutItem"), ST_OK);
	arena_init(&f->arena, 1024 * 1024);
}

static void fixture_close(struct fixture *f)
{
	sigv4_verifier_destroy(f->verifier);
	bench_request_close(&f->request);
	arena_close(&f->arena);
}

/* The next line, without its end; a copy in lower case up to the colon. */
static struct slice take_line(struct fixture *f, struct slice *rest)
{
	const uint8_t *end = memmem(rest->data, rest->size, "\r\n", 2);
	struct slice line;
	uint8_t *copy;

	assert_non_null(end);
	line = slice_of(rest->data, (size_t)(end - rest->data));
	*rest = slice_of(end + 2, rest->size - line.size - 2);
	copy = arena_copy(&f->arena, line);
	assert_non_null(copy);
	for (size_t i = 0; i < line.size && copy[i] != ':'; i++)
		copy[i] = copy[i] >= 'A' && copy[i] <= 'Z' ? (uint8_t)(copy[i] + 32) : copy[i];
	return slice_of(copy, line.size);
}

static struct sigv4_header split_header(struct slice line)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	size_t name_size;

	assert_non_null(colon);
	name_size = (size_t)(colon - line.data);
	return (struct sigv4_header){ slice_of(line.data, name_size),
				      slice_of(colon + 2, line.size - name_size - 2) };
}

/* What the server makes of head and body. */
static enum sigv4_error verify(struct fixture *f, struct slice head, struct slice body, uint64_t now_epoch_s)
{
	struct sigv4_header headers[HEADERS_MAX];
	struct sigv4_request request = { .method = slice_of_string("POST"),
					 .path = slice_of_string("/"),
					 .query = slice_of_string(""),
					 .headers = headers,
					 .body = body };
	struct sigv4_result result;
	struct slice rest = head;
	struct slice line = take_line(f, &rest);

	assert_true(slice_equal(line, slice_of_string("post / http/1.1")) ||
		    memcmp(head.data, "POST / HTTP/1.1\r\n", 17) == 0);
	for (line = take_line(f, &rest); line.size > 0; line = take_line(f, &rest)) {
		assert_true(request.header_count < HEADERS_MAX);
		headers[request.header_count++] = split_header(line);
	}
	assert_int_equal(rest.size, 0);
	return sigv4_verify(f->verifier, &request, now_epoch_s, &result);
}

static void the_signature_is_the_one_that_botocore_makes(void **state)
{
	const struct sigv4_vector *vector = sigv4_vector_find("plain-0");
	uint8_t *key = arena_copy(&sigv4_vectors_arena, vector->key);
	uint8_t *secret = arena_copy(&sigv4_vectors_arena, vector->secret);
	struct bench_signer signer;
	struct bench_request request;
	struct slice head;

	(void)state;
	bench_signer_init(&signer, (const char *)key, (const char *)secret, SIGV4_VECTORS_REGION,
			  SIGV4_VECTORS_NOW_S);
	assert_int_equal(bench_request_init(&request, &signer, "dynamodb.eu-test-1.amazonaws.com", "PutItem"),
			 ST_OK);
	head = bench_request_sign(&request, &signer, vector->request.body);
	for (size_t i = 0; i < vector->request.header_count; i++)
		assert_non_null(memmem(head.data, head.size, vector->headers[i].value.data,
				       vector->headers[i].value.size));
	bench_request_close(&request);
}

static void a_signed_request_is_accepted(void **state)
{
	struct fixture f;
	struct slice body = slice_of_string("{\"TableName\":\"t\"}");

	(void)state;
	fixture_open(&f);
	assert_int_equal(verify(&f, bench_request_sign(&f.request, &f.signer, body), body, NOW_S), SIGV4_OK);
	fixture_close(&f);
}

static void a_request_is_signed_again_for_each_body(void **state)
{
	static const char *const bodies[] = {
		"", "{}", "{\"a\":1}", "{\"a\":2}", "{\"a\":1234567890}", "{}"
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		struct slice body = slice_of_string(bodies[i]);
		struct slice head = bench_request_sign(&f.request, &f.signer, body);
		char length[64];

		assert_int_equal(verify(&f, head, body, NOW_S), SIGV4_OK);
		(void)snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n\r\n", body.size);
		assert_memory_equal(head.data + head.size - strlen(length), length, strlen(length));
	}
	fixture_close(&f);
}

static void the_signature_holds_for_its_own_body_only(void **state)
{
	struct fixture f;
	struct slice head;

	(void)state;
	fixture_open(&f);
	head = bench_request_sign(&f.request, &f.signer, slice_of_string("{\"a\":1}"));
	assert_int_equal(verify(&f, head, slice_of_string("{\"a\":2}"), NOW_S), SIGV4_INVALID);
	fixture_close(&f);
}

/* Each second stamps the texts anew, each day derives another key. */
static void requests_stay_valid_over_seconds_and_days(void **state)
{
	static const uint64_t moments[] = { NOW_S + 1, NOW_S + 1, NOW_S + 59, NOW_S + DAY_S,
					    NOW_S + 40 * DAY_S };
	struct fixture f;
	struct slice body = slice_of_string("{}");

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(moments); i++) {
		struct slice head;

		bench_signer_set_time(&f.signer, moments[i]);
		head = bench_request_sign(&f.request, &f.signer, body);
		assert_int_equal(verify(&f, head, body, moments[i]), SIGV4_OK);
	}
	fixture_close(&f);
}

static void a_request_older_than_the_window_is_refused(void **state)
{
	struct fixture f;
	struct slice body = slice_of_string("{}");
	struct slice head;

	(void)state;
	fixture_open(&f);
	head = bench_request_sign(&f.request, &f.signer, body);
	assert_int_equal(verify(&f, head, body, NOW_S + DAY_S), SIGV4_INVALID);
	fixture_close(&f);
}

static void another_secret_is_refused(void **state)
{
	struct fixture f;
	struct slice body = slice_of_string("{}");

	(void)state;
	fixture_open(&f);
	bench_signer_init(&f.signer, access_key, "another", region, NOW_S);
	assert_int_equal(verify(&f, bench_request_sign(&f.request, &f.signer, body), body, NOW_S),
			 SIGV4_INVALID);
	fixture_close(&f);
}

static void texts_that_are_far_too_long_are_refused(void **state)
{
	static char long_text[2 * BENCH_SIGN_HEAD_SIZE_MAX];
	struct bench_signer signer;
	struct bench_request request;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	bench_signer_init(&signer, access_key, secret_key, region, NOW_S);
	assert_int_equal(bench_request_init(&request, &signer, long_text, "PutItem"), ST_TOO_BIG);
	bench_signer_init(&signer, access_key, long_text, region, NOW_S);
	assert_int_equal(bench_request_init(&request, &signer, host, "PutItem"), ST_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_is_the_one_that_botocore_makes),
		cmocka_unit_test(a_signed_request_is_accepted),
		cmocka_unit_test(a_request_is_signed_again_for_each_body),
		cmocka_unit_test(the_signature_holds_for_its_own_body_only),
		cmocka_unit_test(requests_stay_valid_over_seconds_and_days),
		cmocka_unit_test(a_request_older_than_the_window_is_refused),
		cmocka_unit_test(another_secret_is_refused),
		cmocka_unit_test(texts_that_are_far_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, sigv4_vectors_open, sigv4_vectors_close);
}
