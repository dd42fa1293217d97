#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/base64.h"
#include "proto/base/digest.h"

static void assert_hex(const uint8_t hash[SHA256_SIZE], const char *expected)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_encode_to(hex, hash, SHA256_SIZE);
	assert_string_equal(hex, expected);
}

/* FIPS 180-2, appendix B. */
static void sha256_gives_the_published_digests(void **state)
{
	uint8_t hash[SHA256_SIZE];

	(void)state;
	digest_sha256(slice_of_string(""), hash);
	assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256((struct slice){ NULL, 0 }, hash);
	assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256(slice_of_string("abc"), hash);
	assert_hex(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256(slice_of_string("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hash);
	assert_hex(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void hmac_gives_the_published_codes(void **state)
{
	uint8_t key[131];
	uint8_t mac[SHA256_SIZE];

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac_sha256(slice_of(key, 20), slice_of_string("Hi There"), mac);
	assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac_sha256(slice_of_string("Jefe"), slice_of_string("what do ya want for nothing?"), mac);
	assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256(slice_of(key, sizeof(key)),
			   slice_of_string("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_takes_an_empty_key_and_a_key_of_one_block(void **state)
{
	uint8_t key[64];
	uint8_t mac[SHA256_SIZE];
	uint8_t other[SHA256_SIZE];

	(void)state;
	digest_hmac_sha256((struct slice){ NULL, 0 }, slice_of_string(""), mac);
	assert_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	/* Zero bytes up to a whole block are what padding adds anyway. */
	memset(key, 0, sizeof(key));
	digest_hmac_sha256(slice_of(key, sizeof(key)), slice_of_string(""), other);
	assert_memory_equal(mac, other, sizeof(mac));
}

static void crc32_gives_the_check_value(void **state)
{
	(void)state;
	assert_int_equal(digest_crc32(slice_of_string("123456789")), 0xcbf43926);
	assert_int_equal(digest_crc32_extend(digest_crc32(slice_of_string("1234")), slice_of_string("56789")),
			 0xcbf43926);
	assert_int_equal(digest_crc32(slice_of(NULL, 0)), 0);
	assert_int_equal(digest_crc32((struct slice){ NULL, 0 }), 0);
	/* The service's own value for this text. */
	assert_int_equal(digest_crc32(slice_of_string("<UnknownOperationException/>\n")), 3552371480u);
}

static void hash64_depends_on_data_and_seed(void **state)
{
	struct slice data = slice_of_string("partition key");

	(void)state;
	assert_int_equal(digest_hash64(data, 1), digest_hash64(data, 1));
	assert_true(digest_hash64(data, 1) != digest_hash64(data, 2));
	assert_true(digest_hash64(data, 1) != digest_hash64(slice_of_string("partition kez"), 1));
	/* XXH3's value for no data and seed 0. */
	assert_true(digest_hash64((struct slice){ NULL, 0 }, 0) == UINT64_C(0x2d06800538d394c2));
}

static void constant_time_equality_sees_each_byte(void **state)
{
	uint8_t a[40];
	uint8_t b[40];

	(void)state;
	memset(a, 7, sizeof(a));
	memset(b, 7, sizeof(b));
	assert_true(digest_equal_constant_time(a, b, sizeof(a)));
	assert_true(digest_equal_constant_time(NULL, NULL, 0));
	for (size_t i = 0; i < sizeof(b); i++) {
		b[i] ^= 1;
		assert_false(digest_equal_constant_time(a, b, sizeof(a)));
		b[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(hmac_gives_the_published_codes),
		cmocka_unit_test(hmac_takes_an_empty_key_and_a_key_of_one_block),
		cmocka_unit_test(crc32_gives_the_check_value),
		cmocka_unit_test(hash64_depends_on_data_and_seed),
		cmocka_unit_test(constant_time_equality_sees_each_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
