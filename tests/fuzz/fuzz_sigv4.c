/* Any request, seen by both modes of the verifier.
 *
 * Input: lines "method", "path", "query", then "name:value" headers up to an empty line, then
 * the body.  A strict verifier that accepts must have found the one known key. */
#include "coordinator/auth/sigv4_verify.h"

enum { HEADERS_MAX = 64, NOW_EPOCH_S = 1930175998 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool find_credential(void *context, struct slice access_key_id,
			    struct sigv4_credential *credential_out)
{
	(void)context;
	*credential_out = (struct sigv4_credential){ .secret = slice_of_string("secret") };
	return slice_equal(access_key_id, slice_of_string("AKIA"));
}

static struct sigv4_verifier *create(enum sigv4_mode mode)
{
	const struct sigv4_options options = {
		.mode = mode, .region = "r", .clock_window_s = 900, .credential_cb = find_credential
	};
	struct sigv4_verifier *verifier = NULL;

	CHECK(sigv4_verifier_create(&options, &verifier) == ST_OK);
	return verifier;
}

static void read_request(struct slice rest, struct sigv4_request *request, struct sigv4_header *headers)
{
	struct slice line;

	(void)sigv4_split(&rest, '\n', &request->method);
	(void)sigv4_split(&rest, '\n', &request->path);
	(void)sigv4_split(&rest, '\n', &request->query);
	request->headers = headers;
	while (request->header_count < HEADERS_MAX && sigv4_split(&rest, '\n', &line) && line.size > 0) {
		struct sigv4_header *header = &headers[request->header_count];

		if (sigv4_split(&line, ':', &header->name)) {
			header->value = line;
			request->header_count++;
		}
	}
	request->body = rest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sigv4_verifier *verifiers[2];
	struct sigv4_header headers[HEADERS_MAX];
	struct sigv4_request request = { .header_count = 0 };
	struct sigv4_result result;

	if (verifiers[0] == NULL) {
		verifiers[0] = create(SIGV4_STRICT);
		verifiers[1] = create(SIGV4_OPEN);
	}
	read_request(slice_of(data, size), &request, headers);
	for (size_t i = 0; i < ARRAY_COUNT(verifiers); i++) {
		enum sigv4_error error = sigv4_verify(verifiers[i], &request, NOW_EPOCH_S, &result);

		CHECK_IMPLIES(error == SIGV4_OK && i == 0,
			      slice_equal(result.access_key_id, slice_of_string("AKIA")));
		CHECK_IMPLIES(error != SIGV4_OK, result.message.size > 0 || error == SIGV4_INTERNAL);
		CHECK(result.message.size <= SIGV4_MESSAGE_SIZE_MAX);
	}
	return 0;
}
