#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/auth/sigv4_verify.h"
#include "tests/unit/sigv4_vectors.h"

enum { SCRATCH_SIZE = 4096, HEADERS_MAX = SIGV4_VECTOR_HEADERS_MAX + 2 };

static uint64_t token_expires_epoch_s;

static bool find_credential(void *context, struct slice access_key_id,
			    struct sigv4_credential *credential_out)
{
	(void)context;
	for (size_t i = 0; i < sigv4_vector_count; i++) {
		if (!slice_equal(sigv4_vectors[i].key, access_key_id))
			continue;
		*credential_out = (struct sigv4_credential){ .secret = sigv4_vectors[i].secret,
							     .session_token = sigv4_vectors[i].token,
							     .expires_epoch_s = token_expires_epoch_s };
		return true;
	}
	return false;
}

static struct sigv4_verifier *verifier_create(enum sigv4_mode mode)
{
	const struct sigv4_options options = { .mode = mode,
					       .region = SIGV4_VECTORS_REGION,
					       .clock_window_s = SIGV4_CLOCK_WINDOW_S_DEFAULT,
					       .credential_cb = find_credential };
	struct sigv4_verifier *verifier = NULL;

	assert_int_equal(sigv4_verifier_create(&options, &verifier), ST_OK);
	return verifier;
}

/* A request of a vector that a test may change. */
struct fixture {
	struct sigv4_verifier *verifier;
	struct sigv4_header headers[HEADERS_MAX];
	uint8_t scratch[SCRATCH_SIZE]; /* the authorization or query under change */
	struct sigv4_request request;
	struct sigv4_result result;
	uint64_t now_epoch_s;
};

static void fixture_open(struct fixture *f, const char *vector_name)
{
	const struct sigv4_vector *vector = sigv4_vector_find(vector_name);

	f->verifier = verifier_create(SIGV4_STRICT);
	f->request = vector->request;
	memcpy(f->headers, vector->headers, sizeof(vector->headers));
	f->request.headers = f->headers;
	f->now_epoch_s = SIGV4_VECTORS_NOW_S;
	token_expires_epoch_s = 0;
}

static void fixture_close(struct fixture *f)
{
	sigv4_verifier_destroy(f->verifier);
}

static struct sigv4_header *header_of(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->request.header_count; i++) {
		if (slice_equal(f->headers[i].name, slice_of_string(name)))
			return &f->headers[i];
	}
	fail_msg("no header %s", name);
	return NULL;
}

static void drop_header(struct fixture *f, const char *name)
{
	struct sigv4_header *header = header_of(f, name);

	*header = f->headers[--f->request.header_count];
}

static void set_header(struct fixture *f, const char *name, const char *value)
{
	header_of(f, name)->value = slice_of_string(value);
}

static void add_header(struct fixture *f, const char *name, const char *value)
{
	f->headers[f->request.header_count++] = (struct sigv4_header){ slice_of_string(name),
								       slice_of_string(value) };
}

/* Replace the first occurrence of from; both texts may differ in size. */
static void edit(struct fixture *f, struct slice *text, const char *from, const char *to)
{
	const uint8_t *at = memmem(text->data, text->size, from, strlen(from));
	size_t before_size;
	size_t after_size;

	assert_non_null(at);
	before_size = (size_t)(at - text->data);
	after_size = text->size - before_size - strlen(from);
	assert_true(text->size + strlen(to) < SCRATCH_SIZE);
	memmove(f->scratch + before_size + strlen(to), at + strlen(from), after_size);
	memmove(f->scratch, text->data, before_size);
	memcpy(f->scratch + before_size, to, strlen(to));
	*text = slice_of(f->scratch, before_size + strlen(to) + after_size);
}

static enum sigv4_error verify(struct fixture *f)
{
	enum sigv4_error error = sigv4_verify(f->verifier, &f->request, f->now_epoch_s, &f->result);

	if (error == SIGV4_OK)
		assert_int_equal(f->result.message.size, 0);
	else
		assert_int_equal(f->result.access_key_id.size, 0);
	return error;
}

static void assert_refused(struct fixture *f, enum sigv4_error expected, const char *message)
{
	assert_int_equal(verify(f), expected);
	if (!slice_equal(f->result.message, slice_of_string(message)))
		fail_msg("got: %.*s\nnot: %s", (int)f->result.message.size,
			 (const char *)f->result.message.data, message);
}

static void assert_mismatch(struct fixture *f)
{
	static const char start[] =
		"The request signature we calculated does not match the signature you provided. ";

	assert_int_equal(verify(f), SIGV4_INVALID);
	assert_true(f->result.message.size > sizeof(start));
	assert_memory_equal(f->result.message.data, start, sizeof(start) - 1);
}

static void every_request_signed_by_botocore_is_accepted(void **state)
{
	struct sigv4_verifier *verifier = verifier_create(SIGV4_STRICT);
	struct sigv4_result result;

	(void)state;
	token_expires_epoch_s = 0;
	for (int round = 0; round < 2; round++) { /* the second finds its keys in the cache */
		for (size_t i = 0; i < sigv4_vector_count; i++) {
			const struct sigv4_vector *vector = &sigv4_vectors[i];

			if (sigv4_verify(verifier, &vector->request, SIGV4_VECTORS_NOW_S, &result) !=
			    SIGV4_OK)
				fail_msg("%s: %.*s", (const char *)vector->name.data,
					 (int)result.message.size, (const char *)result.message.data);
			assert_true(slice_equal(result.access_key_id, vector->key));
		}
	}
	sigv4_verifier_destroy(verifier);
}

/* Flip each bit of text in turn; every change must be refused. */
static void refuse_every_bit(struct fixture *f, struct slice *text)
{
	struct slice whole = *text;

	assert_true(whole.size <= SCRATCH_SIZE);
	for (size_t bit = 0; bit < 8 * whole.size; bit++) {
		memcpy(f->scratch, whole.data, whole.size);
		f->scratch[bit / 8] ^= (uint8_t)(1u << bit % 8);
		*text = slice_of(f->scratch, whole.size);
		if (verify(f) == SIGV4_OK)
			fail_msg("bit %zu of %.*s", bit, (int)whole.size, (const char *)whole.data);
	}
	*text = whole;
	assert_int_equal(verify(f), SIGV4_OK);
}

static void each_changed_bit_of_signed_parts_is_refused(void **state)
{
	static const char *const signed_names[] = { "host", "x-amz-date", "content-type", "x-amz-target",
						    "x-amz-security-token" };
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-2");
	refuse_every_bit(&f, &f.request.method);
	refuse_every_bit(&f, &f.request.body);
	for (size_t i = 0; i < ARRAY_COUNT(signed_names); i++)
		refuse_every_bit(&f, &header_of(&f, signed_names[i])->value);
	fixture_close(&f);

	fixture_open(&f, "path-0");
	refuse_every_bit(&f, &f.request.path);
	fixture_close(&f);

	fixture_open(&f, "query-1");
	refuse_every_bit(&f, &f.request.query);
	fixture_close(&f);
}

static void each_changed_bit_of_the_signature_and_credential_is_refused(void **state)
{
	struct slice *authorization;
	struct slice whole;
	struct fixture f;
	size_t start;

	(void)state;
	fixture_open(&f, "plain-0");
	authorization = &header_of(&f, "authorization")->value;
	whole = *authorization;
	start = (size_t)((const uint8_t *)memmem(whole.data, whole.size, "Credential", 10) - whole.data);
	for (size_t bit = 8 * start; bit < 8 * whole.size; bit++) {
		memcpy(f.scratch, whole.data, whole.size);
		f.scratch[bit / 8] ^= (uint8_t)(1u << bit % 8);
		*authorization = slice_of(f.scratch, whole.size);
		/* Two separators may stand for each other, and the list of names has no case. */
		if (verify(&f) == SIGV4_OK && whole.data[bit / 8] != ' ' && whole.data[bit / 8] != ',' &&
		    (whole.data[bit / 8] ^ f.scratch[bit / 8]) != 0x20)
			fail_msg("bit %zu", bit);
	}
	fixture_close(&f);
}

static void each_changed_bit_of_a_presigned_query_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "presigned-2-900");
	for (size_t bit = 0; bit < 8 * f.request.query.size; bit++) {
		struct slice whole = f.request.query;
		uint8_t before = whole.data[bit / 8];
		uint8_t after = before ^ (uint8_t)(1u << bit % 8);

		memcpy(f.scratch, whole.data, whole.size);
		f.scratch[bit / 8] = after;
		f.request.query = slice_of(f.scratch, whole.size);
		/* %2F and %2f are one spelling. */
		if (verify(&f) == SIGV4_OK && (before ^ after) != 0x20)
			fail_msg("bit %zu", bit);
		f.request.query = whole;
	}
	fixture_close(&f);
}

static void a_signed_header_that_is_lost_or_doubled_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	drop_header(&f, "content-type");
	assert_mismatch(&f);
	fixture_close(&f);

	fixture_open(&f, "plain-0");
	add_header(&f, "content-type", "application/x-amz-json-1.0");
	assert_mismatch(&f);
	fixture_close(&f);

	fixture_open(&f, "header-blanks");
	drop_header(&f, "x-empty");
	assert_mismatch(&f);
	fixture_close(&f);
}

static void a_header_that_decides_is_given_once(void **state)
{
	static const char *const names[][2] = {
		{ "authorization", "Authorization" },
		{ "x-amz-date", "X-Amz-Date" },
		{ "x-amz-target", "X-Amz-Target" },
		{ "x-amz-security-token", "X-Amz-Security-Token" },
		{ "host", "Host" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char message[100];

		fixture_open(&f, "plain-2");
		f.headers[f.request.header_count] = *header_of(&f, names[i][0]); /* even the same again */
		f.request.header_count++;
		(void)snprintf(message, sizeof(message), "The header '%s' must be given once.", names[i][1]);
		assert_refused(&f, SIGV4_INVALID, message);
		fixture_close(&f);
	}
}

static void the_window_is_exact_on_both_edges(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	f.now_epoch_s = SIGV4_VECTORS_NOW_S + 900;
	assert_int_equal(verify(&f), SIGV4_OK);
	f.now_epoch_s = SIGV4_VECTORS_NOW_S + 901;
	assert_refused(&f, SIGV4_INVALID,
		       "Signature expired: 20310301T235958Z is now earlier than 20310301T235959Z "
		       "(20310302T001459Z - 15 min.)");
	f.now_epoch_s = SIGV4_VECTORS_NOW_S - 900;
	assert_int_equal(verify(&f), SIGV4_OK);
	f.now_epoch_s = SIGV4_VECTORS_NOW_S - 901;
	assert_refused(&f, SIGV4_INVALID,
		       "Signature not yet current: 20310301T235958Z is still later than 20310301T235957Z "
		       "(20310301T234457Z + 15 min.)");
	f.now_epoch_s = 0;
	assert_int_equal(verify(&f), SIGV4_INVALID);
	fixture_close(&f);
}

static void a_presigned_request_lives_as_long_as_it_says(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "presigned-0-1");
	f.now_epoch_s = SIGV4_VECTORS_NOW_S + 1;
	assert_int_equal(verify(&f), SIGV4_OK);
	f.now_epoch_s = SIGV4_VECTORS_NOW_S + 2;
	assert_int_equal(verify(&f), SIGV4_INVALID);
	fixture_close(&f);

	fixture_open(&f, "presigned-0-604800");
	f.now_epoch_s = SIGV4_VECTORS_NOW_S + 604800;
	assert_int_equal(verify(&f), SIGV4_OK);
	f.now_epoch_s++;
	assert_int_equal(verify(&f), SIGV4_INVALID);
	edit(&f, &f.request.query, "X-Amz-Expires=604800", "X-Amz-Expires=604801");
	assert_refused(&f, SIGV4_INCOMPLETE, "X-Amz-Expires must be a number between 1 and 604800");
	fixture_close(&f);
}

static void a_request_without_any_claim_misses_its_token(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	set_header(&f, "authorization", "Basic abc");
	assert_refused(&f, SIGV4_MISSING_TOKEN, "Request is missing Authentication Token");
	set_header(&f, "authorization", "");
	assert_int_equal(verify(&f), SIGV4_MISSING_TOKEN);
	drop_header(&f, "authorization");
	assert_int_equal(verify(&f), SIGV4_MISSING_TOKEN);
	f.request.query = slice_of_string("X-Amz-Date=1");
	assert_int_equal(verify(&f), SIGV4_MISSING_TOKEN);
	fixture_close(&f);
}

static void both_forms_at_once_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	f.request.query = slice_of_string("a=1&X-Amz-Algorithm=");
	assert_refused(
		&f, SIGV4_INVALID,
		"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
	fixture_close(&f);
}

static void each_missing_part_is_named(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	set_header(&f, "authorization", "AWS4-HMAC-SHA256 Signature=b");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "Authorization header requires 'Credential' parameter. "
		       "Authorization header requires 'SignedHeaders' parameter. "
		       "Authorization=AWS4-HMAC-SHA256 Signature=b");
	drop_header(&f, "x-amz-date");
	set_header(&f, "authorization", "AWS4-");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "Authorization header requires 'Credential' parameter. "
		       "Authorization header requires 'Signature' parameter. "
		       "Authorization header requires 'SignedHeaders' parameter. "
		       "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
		       "Authorization=AWS4-");
	set_header(&f, "authorization", "AWS4-HMAC-SHA256 Signature=b,   Credential");
	assert_refused(
		&f, SIGV4_INCOMPLETE,
		"'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: "
		"'AWS4-HMAC-SHA256 Signature=b,   Credential'.");
	fixture_close(&f);

	fixture_open(&f, "presigned-0-900");
	f.request.query = slice_of_string("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "AWS query-string parameters must include 'X-Amz-Credential'. "
		       "AWS query-string parameters must include 'X-Amz-Signature'. "
		       "AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
		       "Re-examine the query-string parameters.");
	fixture_close(&f);
}

static void a_date_of_another_format_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	set_header(&f, "x-amz-date", "201");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "Date must be in ISO-8601 'basic format'. Got '201'. See "
		       "http://en.wikipedia.org/wiki/ISO_8601");
	fixture_close(&f);
}

static void headers_that_change_the_meaning_must_be_signed(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, ";host;", ";");
	assert_refused(&f, SIGV4_INVALID, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
	fixture_close(&f);

	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, ";x-amz-target", "");
	assert_refused(&f, SIGV4_INVALID,
		       "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
	fixture_close(&f);

	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, "x-amz-date;", "");
	assert_refused(&f, SIGV4_INVALID, "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
	fixture_close(&f);
}

static void another_algorithm_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, "SHA256", "SHA25");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ");
	fixture_close(&f);
}

static void the_credential_needs_five_right_elements(void **state)
{
	struct fixture f;
	struct slice *authorization;

	(void)state;
	fixture_open(&f, "plain-0");
	authorization = &header_of(&f, "authorization")->value;
	edit(&f, authorization, "AKIAVECTOR0000000001/20310301/eu-test-1/dynamodb/aws4_request", "a/b/c/d");
	assert_refused(&f, SIGV4_INCOMPLETE,
		       "Credential must have exactly 5 slash-delimited elements, "
		       "e.g. keyid/date/region/service/term, got 'a/b/c/d'");
	edit(&f, authorization, "a/b/c/d", "a/b/c/d/e");
	assert_refused(
		&f, SIGV4_INVALID,
		"Credential should be scoped to a valid region, not 'c'. "
		"Credential should be scoped to correct service: 'dynamodb'. "
		"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "
		"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
		"'b' != '20310301', from '20310301T235958Z'.");
	fixture_close(&f);
}

static void slashes_after_the_credential_are_ignored(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, "aws4_request,", "aws4_request//,");
	assert_int_equal(verify(&f), SIGV4_OK);
	fixture_close(&f);
}

static void an_unknown_key_is_refused_before_its_signature(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	edit(&f, &header_of(&f, "authorization")->value, "AKIAVECTOR0000000001", "AKIANOBODY");
	assert_refused(&f, SIGV4_UNRECOGNIZED_CLIENT,
		       "The security token included in the request is invalid.");
	fixture_close(&f);
}

static void a_wrong_signature_is_answered_with_both_strings(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "empty-body");
	set_header(&f, "content-type", "x");
	assert_refused(&f, SIGV4_INVALID,
		       "The request signature we calculated does not match the signature you provided. "
		       "Check your AWS Secret Access Key and signing method. "
		       "Consult the service documentation for details.\n\n"
		       "The Canonical String for this request should have been\n"
		       "'POST\n/\n\ncontent-type:x\nhost:dynamodb.eu-test-1.amazonaws.com\n"
		       "x-amz-date:20310301T235958Z\nx-amz-target:DynamoDB_20120810.PutItem\n\n"
		       "content-type;host;x-amz-date;x-amz-target\n"
		       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\n"
		       "The String-to-Sign should have been\n"
		       "'AWS4-HMAC-SHA256\n20310301T235958Z\n20310301/eu-test-1/dynamodb/aws4_request\n"
		       "22b91cd73be964671c82345be3c89aab4820357d33eed8ac6a7ab5fff1c25221'\n");
	fixture_close(&f);
}

static void a_session_key_needs_its_own_token_in_time(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "presigned-2-900");
	token_expires_epoch_s = SIGV4_VECTORS_NOW_S + 1;
	assert_int_equal(verify(&f), SIGV4_OK);
	token_expires_epoch_s = SIGV4_VECTORS_NOW_S;
	assert_refused(&f, SIGV4_EXPIRED_TOKEN, "The security token included in the request is expired");
	fixture_close(&f);
}

static bool find_other_token(void *context, struct slice access_key_id,
			     struct sigv4_credential *credential_out)
{
	bool is_found = find_credential(context, access_key_id, credential_out);

	credential_out->session_token = slice_of_string(credential_out->session_token.size > 0 ? ""
											       : "token");
	return is_found;
}

static void a_token_that_does_not_belong_to_the_key_is_refused(void **state)
{
	static const char *const names[] = { "plain-0", "plain-2" }; /* lacks one, has one too many */

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const struct sigv4_options options = { .region = SIGV4_VECTORS_REGION,
						       .clock_window_s = 900,
						       .credential_cb = find_other_token };
		struct fixture f;

		fixture_open(&f, names[i]);
		sigv4_verifier_destroy(f.verifier);
		assert_int_equal(sigv4_verifier_create(&options, &f.verifier), ST_OK);
		assert_refused(&f, SIGV4_UNRECOGNIZED_CLIENT,
			       "The security token included in the request is invalid");
		fixture_close(&f);
	}
}

static void a_changed_secret_ends_the_use_of_the_cached_key(void **state)
{
	struct sigv4_vector *vector = &sigv4_vectors[0];
	struct slice secret = vector->secret;
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	assert_int_equal(verify(&f), SIGV4_OK);
	vector->secret = slice_of_string("k9Pq/tRv+Zx0123456789abcdefghijklmnopqrS");
	assert_mismatch(&f);
	vector->secret = secret;
	assert_int_equal(verify(&f), SIGV4_OK);
	fixture_close(&f);
}

static void open_mode_takes_any_key_but_not_a_broken_header(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	sigv4_verifier_destroy(f.verifier);
	f.verifier = verifier_create(SIGV4_OPEN);
	set_header(&f, "authorization", "AWS4-HMAC-SHA256 Credential=me/x, SignedHeaders=a, Signature=b");
	f.now_epoch_s = 0;
	assert_int_equal(verify(&f), SIGV4_OK);
	assert_true(slice_equal(f.result.access_key_id, slice_of_string("me")));
	set_header(&f, "authorization", "AWS4-HMAC-SHA256 Credential=me/x, SignedHeaders=a");
	assert_int_equal(verify(&f), SIGV4_INCOMPLETE);
	drop_header(&f, "authorization");
	assert_int_equal(verify(&f), SIGV4_MISSING_TOKEN);
	fixture_close(&f);
}

static void a_huge_request_gets_a_bounded_printable_answer(void **state)
{
	static char huge[400 * 1024];
	struct fixture f;

	(void)state;
	fixture_open(&f, "plain-0");
	memset(huge, '\x01', sizeof(huge) - 1);
	memcpy(huge, "AWS4-", 5);
	set_header(&f, "authorization", huge);
	assert_int_equal(verify(&f), SIGV4_INCOMPLETE);
	assert_true(f.result.message.size < SIGV4_MESSAGE_SIZE_MAX);
	for (size_t i = 0; i < f.result.message.size; i++)
		assert_in_range(f.result.message.data[i], ' ', '~');
	fixture_close(&f);

	fixture_open(&f, "plain-0");
	set_header(&f, "content-type", huge);
	assert_mismatch(&f);
	assert_true(f.result.message.size < 1024);
	fixture_close(&f);
}

static void a_verifier_without_region_or_callback_is_not_made(void **state)
{
	struct sigv4_options options = { .region = "" };
	struct sigv4_verifier *verifier = NULL;

	(void)state;
	assert_int_equal(sigv4_verifier_create(&options, &verifier), ST_INVALID);
	options.region = "r";
	assert_int_equal(sigv4_verifier_create(&options, &verifier), ST_INVALID);
	assert_null(verifier);
	sigv4_verifier_destroy(NULL);
}

static void each_error_has_the_name_that_clients_know(void **state)
{
	(void)state;
	assert_string_equal(sigv4_error_type(SIGV4_MISSING_TOKEN),
			    "com.amazon.coral.service#MissingAuthenticationTokenException");
	assert_string_equal(sigv4_error_type(SIGV4_INVALID),
			    "com.amazon.coral.service#InvalidSignatureException");
	for (int i = SIGV4_MISSING_TOKEN; i <= SIGV4_INTERNAL; i++)
		assert_non_null(strchr(sigv4_error_type((enum sigv4_error)i), '#'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_signed_by_botocore_is_accepted),
		cmocka_unit_test(each_changed_bit_of_signed_parts_is_refused),
		cmocka_unit_test(each_changed_bit_of_the_signature_and_credential_is_refused),
		cmocka_unit_test(each_changed_bit_of_a_presigned_query_is_refused),
		cmocka_unit_test(a_signed_header_that_is_lost_or_doubled_is_refused),
		cmocka_unit_test(a_header_that_decides_is_given_once),
		cmocka_unit_test(the_window_is_exact_on_both_edges),
		cmocka_unit_test(a_presigned_request_lives_as_long_as_it_says),
		cmocka_unit_test(a_request_without_any_claim_misses_its_token),
		cmocka_unit_test(both_forms_at_once_are_refused),
		cmocka_unit_test(each_missing_part_is_named),
		cmocka_unit_test(a_date_of_another_format_is_refused),
		cmocka_unit_test(headers_that_change_the_meaning_must_be_signed),
		cmocka_unit_test(another_algorithm_is_refused),
		cmocka_unit_test(the_credential_needs_five_right_elements),
		cmocka_unit_test(slashes_after_the_credential_are_ignored),
		cmocka_unit_test(an_unknown_key_is_refused_before_its_signature),
		cmocka_unit_test(a_wrong_signature_is_answered_with_both_strings),
		cmocka_unit_test(a_session_key_needs_its_own_token_in_time),
		cmocka_unit_test(a_token_that_does_not_belong_to_the_key_is_refused),
		cmocka_unit_test(a_changed_secret_ends_the_use_of_the_cached_key),
		cmocka_unit_test(open_mode_takes_any_key_but_not_a_broken_header),
		cmocka_unit_test(a_huge_request_gets_a_bounded_printable_answer),
		cmocka_unit_test(a_verifier_without_region_or_callback_is_not_made),
		cmocka_unit_test(each_error_has_the_name_that_clients_know),
	};

	return cmocka_run_group_tests(tests, sigv4_vectors_open, sigv4_vectors_close);
}
