/* Item bytes: nothing crashes on bad ones; those that pass the check can be walked whole,
 * copied by the builder to the same bytes, and are equal to themselves. */
#include "proto/model/item_builder.h"
#include "proto/model/item_check.h"
#include "proto/model/item_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_copy(struct slice item)
{
	struct item_attribute attribute;
	struct item_builder builder;
	struct item_iter iter;
	struct buf copy;

	buf_init(&copy, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, &copy);
	item_iter_init(&iter, item);
	while (item_next_attribute(&iter, &attribute))
		item_builder_attribute(&builder, &attribute);
	CHECK(item_iter_status(&iter) == ST_OK);
	CHECK(item_builder_finish(&builder) == ST_OK);
	CHECK(slice_equal(item_builder_item(&builder), item));
	buf_close(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice item = slice_of(data, size);
	struct item_value value;
	bool is_equal = false;
	enum status status;

	(void)item_size_bytes(item);
	(void)item_find(item, slice_of("a", 1), &value);
	status = item_equal(item, item, &is_equal);
	if (item_check(item) != ST_OK)
		return 0;
	CHECK(status == ST_OK && is_equal);
	CHECK(item.size <= 4 * item_size_bytes(item) + 64);
	check_copy(item);
	return 0;
}
