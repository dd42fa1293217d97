/* Row keys of indexes: what leads back to both keys leads to the same row again (but for the
 * token, whose seed is not known here).  The first byte chooses the schemas; the rest is a row key,
 * and any item at all. */
#include "proto/model/item_check.h"
#include "tests/unit/index_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct choice {
	struct table_schema schema;
	struct table_index index;
	bool shares; /* an attribute is in both keys: its two parts in a made-up row may differ */
};

static void choose(struct choice *choice, uint8_t number)
{
	static const struct {
		uint8_t local_number;
		const char *table[2];
		const char *index[2];
		bool shares;
	} cases[] = {
		{ 1, { "S:p", "N:s" }, { "S:p", "S:l" }, false },
		{ 5, { "N:p", "B:s" }, { "N:p", "N:l" }, false },
		{ 2, { "B:p", "S:s" }, { "B:p", "B:l" }, false },
		{ 0, { "S:p", NULL }, { "S:g", NULL }, false },
		{ 0, { "N:p", "S:s" }, { "B:g", "N:h" }, false },
		{ 0, { "S:p", "S:s" }, { "N:g", "S:h" }, false },
		{ 0, { "S:p", "N:s" }, { "N:s", "S:p" }, true },
		{ 0, { "B:p", "B:s" }, { "B:g", "B:s" }, true },
		{ 0, { "S:p", "N:s" }, { "S:g N:h", NULL }, false },
		{ 0, { "S:p", NULL }, { "S:g B:h", "N:i S:j" }, false },
		{ 0, { "N:p", "S:s" }, { "B:a N:b S:c B:d", "S:e N:f B:g S:h" }, false },
		{ 0, { "S:p", "N:s" }, { "S:g N:s", "S:p B:h" }, true },
	};
	size_t at = number % ARRAY_COUNT(cases);

	index_fixture_schema(&choice->schema, cases[at].table[0], cases[at].table[1]);
	index_fixture_index(&choice->index, cases[at].local_number, cases[at].index[0], cases[at].index[1],
			    INDEX_PROJECTS_KEYS);
	choice->shares = cases[at].shares;
}

static void check_back(const struct choice *choice, const struct index_owner *owner, struct slice row_key,
		       struct slice key)
{
	const size_t head = LIMIT_ROW_KEY_HEAD_SIZE_BYTES;
	struct row_key_error error;
	struct buf again;

	CHECK(item_check(key) == ST_OK);
	if (choice->shares)
		return;
	buf_init(&again, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	CHECK(table_index_start_key(&again, owner, key, &error) == ST_OK);
	CHECK(slice_equal(slice_of(again.data + head, again.size - head),
			  slice_of(row_key.data + head, row_key.size - head)));
	buf_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct row_key_error error;
	struct index_owner owner;
	struct choice choice;
	struct slice row_key;
	struct buf key;

	if (size == 0)
		return 0;
	row_key = slice_of(data + 1, size - 1);
	choose(&choice, data[0]);
	owner = index_fixture_owner(&choice.schema, &choice.index);
	buf_init(&key, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	if (table_index_to_key(&key, &owner, row_key) == ST_OK)
		check_back(&choice, &owner, row_key, buf_slice(&key));
	buf_reset(&key);
	(void)!table_index_row_key(&key, &owner, row_key); /* any bytes as an item */
	buf_reset(&key);
	(void)!table_index_start_key(&key, &owner, row_key, &error);
	buf_close(&key);
	return 0;
}
