#include "deploy/cleave/bench_sign.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/base/base64.h"

enum { HASH_HEX_SIZE = 2 * SHA256_SIZE, SECRET_SIZE_MAX = 512, LENGTH_SIZE_MAX = 32 };

static const char service[] = "dynamodb";
static const char terminator[] = "aws4_request";
static const char signed_headers[] = "content-type;host;x-amz-date;x-amz-target";
static const char content_type[] = "application/x-amz-json-1.0";
static const char target_prefix[] = "DynamoDB_20120810.";
static const char no_date[] = "00000000";
static const char no_time[] = "00000000T000000Z";
static const char no_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";

_Static_assert(sizeof(no_hash) == HASH_HEX_SIZE + 1 && sizeof(no_time) == SIGV4_TIME_SIZE + 1,
	       "place holders have the size of what takes their place");

/* --- the signer --- */

static void hmac(const uint8_t key[SHA256_SIZE], const char *text, uint8_t out[SHA256_SIZE])
{
	digest_hmac_sha256(slice_of(key, SHA256_SIZE), slice_of_string(text), out);
}

/* One HMAC for each element of the scope. */
static void derive_key(struct bench_signer *signer)
{
	char start[SECRET_SIZE_MAX + 8];
	uint8_t day[SHA256_SIZE];
	uint8_t region[SHA256_SIZE];
	uint8_t of_service[SHA256_SIZE];

	(void)snprintf(start, sizeof(start), "AWS4%s", signer->secret_key);
	memcpy(signer->key_date, signer->time, BENCH_SIGN_DATE_SIZE);
	digest_hmac_sha256(slice_of_string(start), slice_of(signer->key_date, BENCH_SIGN_DATE_SIZE), day);
	hmac(day, signer->region, region);
	hmac(region, service, of_service);
	hmac(of_service, terminator, signer->key);
}

void bench_signer_init(struct bench_signer *signer, const char *access_key, const char *secret_key,
		       const char *region, uint64_t now_epoch_s)
{
	*signer = (struct bench_signer){
		.access_key = access_key,
		.secret_key = secret_key,
		.region = region,
		.now_epoch_s = now_epoch_s,
	};
	sigv4_time_format(now_epoch_s, signer->time);
	derive_key(signer);
}

void bench_signer_set_time(struct bench_signer *signer, uint64_t now_epoch_s)
{
	if (signer->now_epoch_s == now_epoch_s)
		return;
	signer->now_epoch_s = now_epoch_s;
	sigv4_time_format(now_epoch_s, signer->time);
	if (memcmp(signer->time, signer->key_date, BENCH_SIGN_DATE_SIZE) != 0)
		derive_key(signer);
}

/* --- printing a request once --- */

/* Append a place holder and return where it starts. */
static size_t append_place(struct buf *out, const char *place_holder)
{
	size_t at = out->size;

	buf_append_string(out, place_holder);
	return at;
}

static void print_head(struct bench_request *request, const struct bench_signer *signer, const char *host,
		       const char *operation)
{
	struct buf *out = &request->head;

	buf_append_format(out, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nX-Amz-Target: %s%s\r\n",
			  host, content_type, target_prefix, operation);
	buf_append_string(out, "X-Amz-Date: ");
	request->head_time_at = append_place(out, no_time);
	buf_append_format(out, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=%s/", signer->access_key);
	request->head_date_at = append_place(out, no_date);
	buf_append_format(out, "/%s/%s/%s, SignedHeaders=%s, Signature=", signer->region, service, terminator,
			  signed_headers);
	request->head_signature_at = append_place(out, no_hash);
	buf_append_string(out, "\r\nContent-Length: ");
	request->head_length_at = out->size;
}

static void print_canonical(struct bench_request *request, const char *host, const char *operation)
{
	struct buf *out = &request->canonical;

	buf_append_format(out, "POST\n/\n\ncontent-type:%s\nhost:%s\nx-amz-date:", content_type, host);
	request->canonical_time_at = append_place(out, no_time);
	buf_append_format(out, "\nx-amz-target:%s%s\n\n%s\n", target_prefix, operation, signed_headers);
	request->canonical_hash_at = append_place(out, no_hash);
}

static void print_to_sign(struct bench_request *request, const struct bench_signer *signer)
{
	struct buf *out = &request->to_sign;

	buf_append_string(out, "AWS4-HMAC-SHA256\n");
	request->to_sign_time_at = append_place(out, no_time);
	buf_append_string(out, "\n");
	request->to_sign_date_at = append_place(out, no_date);
	buf_append_format(out, "/%s/%s/%s\n", signer->region, service, terminator);
	request->to_sign_hash_at = append_place(out, no_hash);
}

/* Room for the longest length, so that signing cannot fail. */
static void reserve_length(struct bench_request *request)
{
	if (buf_extend(&request->head, LENGTH_SIZE_MAX) != NULL)
		request->head.size = request->head_length_at;
}

enum status bench_request_init(struct bench_request *request, const struct bench_signer *signer,
			       const char *host, const char *operation)
{
	enum status status;

	*request = (struct bench_request){ .stamped_epoch_s = UINT64_MAX, .body_size = SIZE_MAX };
	buf_init(&request->head, BENCH_SIGN_HEAD_SIZE_MAX);
	buf_init(&request->canonical, BENCH_SIGN_HEAD_SIZE_MAX);
	buf_init(&request->to_sign, BENCH_SIGN_HEAD_SIZE_MAX);
	print_head(request, signer, host, operation);
	print_canonical(request, host, operation);
	print_to_sign(request, signer);
	reserve_length(request);
	status = request->head.status;
	if (status == ST_OK)
		status = request->canonical.status;
	if (status == ST_OK)
		status = request->to_sign.status;
	if (status != ST_OK || strlen(signer->secret_key) > SECRET_SIZE_MAX) {
		bench_request_close(request);
		return status == ST_OK ? ST_TOO_BIG : status;
	}
	return ST_OK;
}

void bench_request_close(struct bench_request *request)
{
	buf_close(&request->head);
	buf_close(&request->canonical);
	buf_close(&request->to_sign);
}

/* --- signing --- */

static void stamp(struct bench_request *request, const struct bench_signer *signer)
{
	if (request->stamped_epoch_s == signer->now_epoch_s)
		return;
	request->stamped_epoch_s = signer->now_epoch_s;
	memcpy(request->head.data + request->head_time_at, signer->time, SIGV4_TIME_SIZE);
	memcpy(request->head.data + request->head_date_at, signer->time, BENCH_SIGN_DATE_SIZE);
	memcpy(request->canonical.data + request->canonical_time_at, signer->time, SIGV4_TIME_SIZE);
	memcpy(request->to_sign.data + request->to_sign_time_at, signer->time, SIGV4_TIME_SIZE);
	memcpy(request->to_sign.data + request->to_sign_date_at, signer->time, BENCH_SIGN_DATE_SIZE);
}

static void set_length(struct bench_request *request, size_t body_size)
{
	char text[LENGTH_SIZE_MAX];
	int size;

	if (request->body_size == body_size)
		return;
	request->body_size = body_size;
	size = snprintf(text, sizeof(text), "%zu\r\n\r\n", body_size);
	CHECK(size > 0 && (size_t)size < sizeof(text));
	request->head.size = request->head_length_at;
	buf_append(&request->head, text, (size_t)size);
	CHECK(request->head.status == ST_OK);
}

static void put_hex(struct buf *out, size_t at, const uint8_t digest[SHA256_SIZE])
{
	char hex[HASH_HEX_SIZE + 1];

	hex_encode_to(hex, digest, SHA256_SIZE);
	memcpy(out->data + at, hex, HASH_HEX_SIZE);
}

struct slice bench_request_sign(struct bench_request *request, const struct bench_signer *signer,
				struct slice body)
{
	uint8_t digest[SHA256_SIZE];

	stamp(request, signer);
	set_length(request, body.size);
	digest_sha256(body, digest);
	put_hex(&request->canonical, request->canonical_hash_at, digest);
	digest_sha256(buf_slice(&request->canonical), digest);
	put_hex(&request->to_sign, request->to_sign_hash_at, digest);
	digest_hmac_sha256(slice_of(signer->key, SHA256_SIZE), buf_slice(&request->to_sign), digest);
	put_hex(&request->head, request->head_signature_at, digest);
	return buf_slice(&request->head);
}
