#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "storage/engine/engine_rocksdb_checksum.h"

enum { BYTES = 70000, TRIALS = 2000 };

/* One bit at a time, as the polynomial is written. */
static uint32_t extend_slowly(uint32_t crc, const char *data, size_t size_bytes)
{
	uint32_t state = ~crc;

	for (size_t i = 0; i < size_bytes; i++) {
		state ^= (uint8_t)data[i];
		for (int bit = 0; bit < 8; bit++)
			state = state >> 1 ^ (state & 1 ? 0x82f63b78u : 0);
	}
	return ~state;
}

/* RFC 3720, B.4, and the check value of the catalogues of CRCs. */
static void it_gives_the_published_values(void **state)
{
	char bytes[32];

	(void)state;
	assert_int_equal(engine_rocksdb_checksum_extend(0, "123456789", 9), 0xe3069283u);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(engine_rocksdb_checksum_extend(0, bytes, sizeof(bytes)), 0x8a9136aau);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(engine_rocksdb_checksum_extend(0, bytes, sizeof(bytes)), 0x62a8ab43u);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	assert_int_equal(engine_rocksdb_checksum_extend(0, bytes, sizeof(bytes)), 0x46dd794eu);
	assert_int_equal(engine_rocksdb_checksum_extend(77, NULL, 0), 77);
}

/* Every size up to some blocks, and then any, at any alignment, after anything. */
static void it_agrees_with_the_definition(void **state)
{
	static char bytes[BYTES];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)rng_u64(&rng);
	for (size_t trial = 0; trial < TRIALS; trial++) {
		size_t size = trial < TRIALS / 2 ? trial
						 : rng_below(&rng, trial % 50 == 0 ? BYTES - 64 : 4096);
		const char *data = bytes + rng_below(&rng, 64);
		uint32_t crc = (uint32_t)rng_u64(&rng);

		assert_int_equal(engine_rocksdb_checksum_extend(crc, data, size),
				 extend_slowly(crc, data, size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_gives_the_published_values),
		cmocka_unit_test(it_agrees_with_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
