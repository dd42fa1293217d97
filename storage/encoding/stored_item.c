#include "storage/encoding/stored_item.h"

void stored_item_put_head(uint8_t head_out[STORED_ITEM_HEAD_SIZE], uint64_t hlc, uint16_t origin,
			  uint32_t size_bytes)
{
	head_out[0] = STORED_ITEM_VERSION;
	put_u64_be(head_out + 1, hlc);
	put_u16_be(head_out + 9, origin);
	put_u32_be(head_out + 11, size_bytes);
}

enum status stored_item_read(struct slice value, struct stored_item *stored_out)
{
	if (value.size < STORED_ITEM_HEAD_SIZE)
		return ST_CORRUPT;
	if (value.data[0] != STORED_ITEM_VERSION)
		return ST_VERSION;
	stored_out->hlc = get_u64_be(value.data + 1);
	stored_out->origin = get_u16_be(value.data + 9);
	stored_out->size_bytes = get_u32_be(value.data + 11);
	stored_out->item = slice_of(value.data + STORED_ITEM_HEAD_SIZE, value.size - STORED_ITEM_HEAD_SIZE);
	return ST_OK;
}
