/* Compressed bodies and Accept-Encoding values from arbitrary bytes: unpacking keeps to its limit,
 * and what was packed here unpacks to the same. */
#include "coordinator/http/http_gzip.h"

enum { LIMIT = 64 * 1024, ENCODE_SIZE_MAX = 16 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(struct slice plain)
{
	struct buf packed;
	struct buf again;

	buf_init(&packed, 2 * ENCODE_SIZE_MAX);
	buf_init(&again, plain.size);
	CHECK(http_gzip_encode(HTTP_CODING_GZIP, plain, &packed) == ST_OK);
	CHECK(http_gzip_decode(buf_slice(&packed), &again) == ST_OK);
	CHECK(slice_equal(buf_slice(&again), plain));
	buf_close(&again);
	buf_close(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);
	struct buf out;
	enum status status;

	(void)http_gzip_choose(input);
	buf_init(&out, LIMIT);
	status = http_gzip_decode(input, &out);
	CHECK(status == ST_OK || status == ST_CORRUPT || status == ST_TOO_BIG);
	CHECK(out.size <= LIMIT);
	buf_close(&out);
	if (size <= ENCODE_SIZE_MAX)
		check_round_trip(input);
	return 0;
}
