/* Row keys: what splits under a schema comes back from the key attributes byte for byte
 * (but for the token, whose seed is not known here).  The first byte chooses the schema. */
#include "proto/model/item_check.h"
#include "proto/model/row_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void choose_schema(struct table_schema *schema, uint8_t choice)
{
	static const char *const types[] = { "S", "N", "B" };
	const char *partition_type = types[choice % 3];
	const char *sort_type = types[choice / 3 % 3];

	CHECK(table_schema_init(schema, slice_of("p", 1), slice_of_string(partition_type)) == ST_OK);
	if (choice >= 9)
		CHECK(table_schema_add_sort_key(schema, slice_of("s", 1), slice_of_string(sort_type)) ==
		      ST_OK);
}

static void check_back(const struct table_schema *schema, struct slice row_key, struct slice key)
{
	struct row_key_error error;
	struct buf again;

	CHECK(item_check(key) == ST_OK);
	buf_init(&again, LIMIT_ROW_KEY_SIZE_BYTES);
	CHECK(row_key_from_key(&again, get_u32_be(row_key.data), 0, schema, key, &error) == ST_OK);
	CHECK(again.size == row_key.size);
	CHECK(memcmp(again.data, row_key.data, 4) == 0);
	CHECK(memcmp(again.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES, row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
		     row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES) == 0);
	buf_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table_schema schema;
	struct row_key_error error;
	struct slice row_key;
	struct buf key;

	if (size == 0)
		return 0;
	row_key = slice_of(data + 1, size - 1);
	choose_schema(&schema, data[0] % 18);
	buf_init(&key, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	if (row_key_to_key(&key, row_key, &schema) == ST_OK)
		check_back(&schema, row_key, buf_slice(&key));
	buf_reset(&key);
	(void)!row_key_from_item(&key, 1, 2, &schema, row_key, &error); /* any bytes as an item */
	buf_close(&key);
	return 0;
}
