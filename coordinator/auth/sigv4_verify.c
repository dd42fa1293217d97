#include "coordinator/auth/sigv4_verify.h"

#include <stdlib.h>

#include "coordinator/auth/sigv4_canonical.h"
#include "coordinator/auth/sigv4_key_cache.h"
#include "coordinator/auth/sigv4_time.h"
#include "proto/base/base64.h"
#include "proto/base/rng.h"

enum { ARENA_SIZE_MAX = 8 * 1024 * 1024, SIGNATURE_SIZE = 2 * SHA256_SIZE };

static const char algorithm_name[] = "AWS4-HMAC-SHA256";
static const char service_name[] = "dynamodb";
static const char terminator_name[] = "aws4_request";
static const char invalid_token_message[] = "The security token included in the request is invalid";

struct sigv4_verifier {
	struct sigv4_options options;
	char region[SIGV4_REGION_SIZE_MAX + 1];
	struct arena arena; /* of one call */
	struct buf canonical;
	struct buf string_to_sign;
	struct buf message;
	struct sigv4_key_cache keys;
};

enum status sigv4_verifier_create(const struct sigv4_options *options, struct sigv4_verifier **verifier_out)
{
	size_t region_size = strlen(options->region);
	struct sigv4_verifier *verifier;
	struct rng rng;

	if (region_size == 0 || region_size > SIGV4_REGION_SIZE_MAX)
		return ST_INVALID;
	if (options->mode == SIGV4_STRICT && options->credential_cb == NULL)
		return ST_INVALID;
	verifier = calloc(1, sizeof(*verifier));
	if (verifier == NULL)
		return ST_NO_MEMORY;
	verifier->options = *options;
	memcpy(verifier->region, options->region, region_size);
	verifier->options.region = verifier->region;
	arena_init(&verifier->arena, ARENA_SIZE_MAX);
	buf_init(&verifier->canonical, SIGV4_CANONICAL_SIZE_MAX);
	buf_init(&verifier->string_to_sign, SIGV4_CANONICAL_SIZE_MAX);
	buf_init(&verifier->message, SIGV4_MESSAGE_SIZE_MAX);
	rng_seed_from_system(&rng);
	verifier->keys.seed = rng_u64(&rng);
	*verifier_out = verifier;
	return ST_OK;
}

void sigv4_verifier_destroy(struct sigv4_verifier *verifier)
{
	if (verifier == NULL)
		return;
	sigv4_key_cache_wipe(&verifier->keys);
	buf_close(&verifier->message);
	buf_close(&verifier->string_to_sign);
	buf_close(&verifier->canonical);
	arena_close(&verifier->arena);
	free(verifier);
}

static bool text_is(struct slice text, const char *expected)
{
	return slice_equal(text, slice_of_string(expected));
}

/* "15 min." where whole minutes, as the service writes it. */
static void append_span(struct buf *message, char sign, uint64_t span_s)
{
	if (span_s % 60 == 0)
		buf_append_format(message, "%c %llu min.)", sign, (unsigned long long)(span_s / 60));
	else
		buf_append_format(message, "%c %llu sec.)", sign, (unsigned long long)span_s);
}

static enum sigv4_error expired(struct buf *message, struct slice date, uint64_t now_epoch_s, uint64_t span_s)
{
	char now[SIGV4_TIME_SIZE + 1];
	char bound[SIGV4_TIME_SIZE + 1];

	sigv4_time_format(now_epoch_s, now);
	sigv4_time_format(now_epoch_s - span_s, bound);
	buf_append_string(message, "Signature expired: ");
	buf_append_slice(message, date);
	buf_append_format(message, " is now earlier than %s (%s ", bound, now);
	append_span(message, '-', span_s);
	return SIGV4_INVALID;
}

static enum sigv4_error not_yet_current(struct buf *message, struct slice date, uint64_t now_epoch_s,
					uint64_t span_s)
{
	char now[SIGV4_TIME_SIZE + 1];
	char bound[SIGV4_TIME_SIZE + 1];

	sigv4_time_format(now_epoch_s, now);
	sigv4_time_format(now_epoch_s + span_s, bound);
	buf_append_string(message, "Signature not yet current: ");
	buf_append_slice(message, date);
	buf_append_format(message, " is still later than %s (%s ", bound, now);
	append_span(message, '+', span_s);
	return SIGV4_INVALID;
}

/* False unless it is a number from 1 to SIGV4_EXPIRES_S_MAX. */
static bool read_expires(struct slice text, uint64_t *expires_s_out)
{
	uint64_t seconds = 0;

	if (text.size == 0 || text.size > 6)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		seconds = seconds * 10 + (uint64_t)(text.data[i] - '0');
	}
	*expires_s_out = seconds;
	return seconds >= 1 && seconds <= SIGV4_EXPIRES_S_MAX;
}

static enum sigv4_error check_date(const struct sigv4_verifier *verifier, const struct sigv4_claim *claim,
				   uint64_t now_epoch_s, struct buf *message)
{
	uint64_t window_s = verifier->options.clock_window_s;
	uint64_t valid_s = window_s;
	uint64_t date_epoch_s;

	if (sigv4_time_parse(claim->date, &date_epoch_s) != ST_OK) {
		buf_append_string(message, "Date must be in ISO-8601 'basic format'. Got '");
		sigv4_quote(message, claim->date);
		buf_append_string(message, "'. See http://en.wikipedia.org/wiki/ISO_8601");
		return SIGV4_INCOMPLETE;
	}
	if (claim->expires.data != NULL && !read_expires(claim->expires, &valid_s)) {
		buf_append_format(message, "X-Amz-Expires must be a number between 1 and %d",
				  SIGV4_EXPIRES_S_MAX);
		return SIGV4_INCOMPLETE;
	}
	if (now_epoch_s > valid_s && date_epoch_s < now_epoch_s - valid_s)
		return expired(message, claim->date, now_epoch_s, valid_s);
	if (date_epoch_s > now_epoch_s + window_s)
		return not_yet_current(message, claim->date, now_epoch_s, window_s);
	return SIGV4_OK;
}

/* What changes the meaning of a request must be under its signature. */
static enum sigv4_error check_signed_headers(const struct sigv4_request *request,
					     const struct sigv4_claim *claim, struct buf *message)
{
	const struct {
		const char *name;
		const char *title;
		bool is_needed;
	} rules[] = {
		{ "host", "Host", true },
		{ "x-amz-date", "X-Amz-Date", !claim->is_presigned && !claim->has_date_header },
		{ "date", "Date", !claim->is_presigned && claim->has_date_header },
		{ "x-amz-target", "X-Amz-Target", sigv4_request_header(request, "x-amz-target") != NULL },
		{ "x-amz-security-token", "X-Amz-Security-Token",
		  sigv4_request_header(request, "x-amz-security-token") != NULL },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		if (!rules[i].is_needed || sigv4_claim_signs(claim, rules[i].name))
			continue;
		buf_append_format(message, "'%s' must be a 'SignedHeader' in the AWS Authorization.",
				  rules[i].title);
		return SIGV4_INVALID;
	}
	return SIGV4_OK;
}

static enum sigv4_error check_algorithm(const struct sigv4_claim *claim, struct buf *message)
{
	if (text_is(claim->algorithm, algorithm_name))
		return SIGV4_OK;
	buf_append_string(message, "Unsupported AWS 'algorithm': '");
	sigv4_quote(message, claim->algorithm);
	buf_append_string(message, "' (only AWS4-HMAC-SHA256 for now). ");
	return SIGV4_INCOMPLETE;
}

static void complain(struct buf *message, const char *before, struct slice got, const char *after)
{
	buf_append_string(message, message->size > 0 ? " " : "");
	buf_append_string(message, before);
	sigv4_quote(message, got);
	buf_append_string(message, after);
}

static enum sigv4_error check_scope(const struct sigv4_verifier *verifier, const struct sigv4_claim *claim,
				    struct buf *message)
{
	struct slice day = slice_of(claim->date.data, 8);

	if (!text_is(claim->scope_region, verifier->region))
		complain(message, "Credential should be scoped to a valid region, not '", claim->scope_region,
			 "'.");
	if (!text_is(claim->scope_service, service_name))
		complain(message, "Credential should be scoped to correct service: '",
			 slice_of_string(service_name), "'.");
	if (!text_is(claim->scope_terminator, terminator_name))
		complain(message,
			 "Credential should be scoped with a valid terminator: 'aws4_request', not '",
			 claim->scope_terminator, "'.");
	if (!slice_equal(claim->scope_date, day)) {
		complain(message,
			 "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
			 "from HTTP: '",
			 claim->scope_date, "'");
		buf_append_string(message, " != '");
		buf_append_slice(message, day);
		buf_append_string(message, "', from '");
		buf_append_slice(message, claim->date);
		buf_append_string(message, "'.");
	}
	return message->size == 0 ? SIGV4_OK : SIGV4_INVALID;
}

static enum sigv4_error mismatch(struct sigv4_verifier *verifier)
{
	struct buf *message = &verifier->message;
	size_t base_size;

	buf_append_string(message,
			  "The request signature we calculated does not match the signature you provided. "
			  "Check your AWS Secret Access Key and signing method. "
			  "Consult the service documentation for details.");
	base_size = message->size;
	buf_append_string(message, "\n\nThe Canonical String for this request should have been\n'");
	buf_append_slice(message, buf_slice(&verifier->canonical));
	buf_append_string(message, "'\n\nThe String-to-Sign should have been\n'");
	buf_append_slice(message, buf_slice(&verifier->string_to_sign));
	buf_append_string(message, "'\n");
	if (message->status == ST_TOO_BIG) { /* then without the strings */
		message->status = ST_OK;
		message->size = base_size;
	}
	return SIGV4_INVALID;
}

static enum sigv4_error build_strings(struct sigv4_verifier *verifier, const struct sigv4_request *request,
				      const struct sigv4_claim *claim)
{
	enum status status = sigv4_canonical_request(request, claim, &verifier->arena, &verifier->canonical);

	if (status == ST_OK)
		status = sigv4_canonical_string_to_sign(claim, buf_slice(&verifier->canonical),
							&verifier->string_to_sign);
	if (status == ST_OK)
		return SIGV4_OK;
	if (status == ST_NO_MEMORY)
		return SIGV4_INTERNAL;
	buf_append_string(&verifier->message, "The request has too many or too long signed parts.");
	return SIGV4_INVALID;
}

/* Everything is computed before anything is compared, whoever is asking. */
static enum sigv4_error check_signature(struct sigv4_verifier *verifier, const struct sigv4_request *request,
					const struct sigv4_claim *claim, struct sigv4_credential *credential)
{
	uint8_t key[SHA256_SIZE];
	uint8_t mac[SHA256_SIZE];
	char expected[SIGNATURE_SIZE + 1];
	enum sigv4_error error = build_strings(verifier, request, claim);
	bool is_known;
	bool is_equal;

	if (error != SIGV4_OK)
		return error;
	is_known = verifier->options.credential_cb(verifier->options.credential_context, claim->access_key_id,
						   credential);
	if (!is_known || credential->secret.size == 0 || credential->secret.size > SIGV4_SECRET_SIZE_MAX) {
		is_known = false;
		credential->secret = slice_of_string("0123456789012345678901234567890123456789");
	}
	sigv4_key_cache_get(&verifier->keys, claim, credential->secret, is_known, key);
	digest_hmac_sha256(slice_of(key, sizeof(key)), buf_slice(&verifier->string_to_sign), mac);
	hex_encode_to(expected, mac, sizeof(mac));
	is_equal = claim->signature.size == SIGNATURE_SIZE &&
		   digest_equal_constant_time(claim->signature.data, expected, SIGNATURE_SIZE);
	explicit_bzero(key, sizeof(key));
	if (!is_known) {
		buf_append_format(&verifier->message, "%s.", invalid_token_message);
		return SIGV4_UNRECOGNIZED_CLIENT;
	}
	return is_equal ? SIGV4_OK : mismatch(verifier);
}

static enum sigv4_error check_token(const struct sigv4_claim *claim,
				    const struct sigv4_credential *credential, uint64_t now_epoch_s,
				    struct buf *message)
{
	struct slice sent = claim->security_token;
	struct slice expected = credential->session_token;

	if (sent.size != expected.size ||
	    !digest_equal_constant_time(sent.data, expected.data, expected.size)) {
		buf_append_string(message, invalid_token_message);
		return SIGV4_UNRECOGNIZED_CLIENT;
	}
	if (credential->expires_epoch_s != 0 && now_epoch_s >= credential->expires_epoch_s) {
		buf_append_string(message, "The security token included in the request is expired");
		return SIGV4_EXPIRED_TOKEN;
	}
	return SIGV4_OK;
}

static enum sigv4_error check_strictly(struct sigv4_verifier *verifier, const struct sigv4_request *request,
				       uint64_t now_epoch_s, struct sigv4_claim *claim)
{
	struct sigv4_credential credential = { .expires_epoch_s = 0 };
	struct buf *message = &verifier->message;
	enum sigv4_error error;

	error = check_date(verifier, claim, now_epoch_s, message);
	if (error == SIGV4_OK)
		error = check_signed_headers(request, claim, message);
	if (error == SIGV4_OK)
		error = check_algorithm(claim, message);
	if (error == SIGV4_OK)
		error = sigv4_claim_split_credential(claim, message);
	if (error == SIGV4_OK)
		error = check_scope(verifier, claim, message);
	if (error == SIGV4_OK)
		error = check_signature(verifier, request, claim, &credential);
	if (error == SIGV4_OK)
		error = check_token(claim, &credential, now_epoch_s, message);
	return error;
}

static void take_open_key_id(struct sigv4_claim *claim)
{
	struct slice rest = claim->credential;

	(void)sigv4_split(&rest, '/', &claim->access_key_id); /* the credential is not empty here */
}

enum sigv4_error sigv4_verify(struct sigv4_verifier *verifier, const struct sigv4_request *request,
			      uint64_t now_epoch_s, struct sigv4_result *result_out)
{
	struct sigv4_claim claim;
	enum sigv4_error error;

	arena_reset(&verifier->arena);
	buf_reset(&verifier->canonical);
	buf_reset(&verifier->string_to_sign);
	buf_reset(&verifier->message);

	error = sigv4_claim_read(request, &verifier->arena, &verifier->message, &claim);
	if (error == SIGV4_OK && verifier->options.mode == SIGV4_OPEN)
		take_open_key_id(&claim);
	else if (error == SIGV4_OK)
		error = check_strictly(verifier, request, now_epoch_s, &claim);
	if (error == SIGV4_INTERNAL || verifier->message.status == ST_NO_MEMORY) {
		buf_reset(&verifier->message);
		error = SIGV4_INTERNAL;
	}
	*result_out = (struct sigv4_result){ .message = buf_slice(&verifier->message) };
	if (error == SIGV4_OK)
		result_out->access_key_id = claim.access_key_id;
	return error;
}
