/* A stored value from arbitrary bytes: what reads must write the same head again. */
#include <stdlib.h>

#include "storage/encoding/stored_item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	uint8_t head[STORED_ITEM_HEAD_SIZE];
	struct stored_item stored;

	if (stored_item_read(slice_of(data, size_bytes), &stored) != ST_OK)
		return 0;
	stored_item_put_head(head, stored.hlc, stored.origin, stored.size_bytes);
	CHECK(memcmp(head, data, sizeof(head)) == 0);
	CHECK(stored.item.data == data + sizeof(head));
	CHECK(stored.item.size == size_bytes - sizeof(head));
	return 0;
}
