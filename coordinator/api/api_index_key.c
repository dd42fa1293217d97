#include "coordinator/api/api_index_key.h"

#include "coordinator/api/api_message.h"
#include "proto/model/limits.h"
#include "proto/wire/proto_borrow.h"

static void set_empty(const Cleave__RefusedIndexKey *refused, bool is_update, struct api_error *error)
{
	const char *what = refused->expected_type == ITEM_B ? "binary" : "string";

	if (is_update)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_KEY_UPDATE_EMPTY, what);
	else
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_KEY_EMPTY, what,
			      refused->index_name, refused->attribute_name);
}

void api_index_key_refused(const Cleave__RefusedIndexKey *refused, bool is_update, struct api_error *error)
{
	switch (refused->fault) {
	case ROW_KEY_TYPE:
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_KEY_TYPE,
			      refused->attribute_name, item_type_name((enum item_type)refused->expected_type),
			      item_type_name((enum item_type)refused->actual_type), refused->index_name);
		return;
	case ROW_KEY_EMPTY:
		set_empty(refused, is_update, error);
		return;
	case ROW_KEY_PARTITION_TOO_BIG:
	case ROW_KEY_SORT_TOO_BIG:
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_INDEX_KEY_SIZE,
			      refused->attribute_name, refused->size_bytes,
			      refused->fault == ROW_KEY_SORT_TOO_BIG ? LIMIT_SORT_KEY_SIZE_BYTES
								     : LIMIT_PARTITION_KEY_SIZE_BYTES,
			      refused->index_name);
		return;
	default:
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return;
	}
}

bool api_index_key_check(const struct table_indexes *indexes, struct slice item, struct api_error *error)
{
	Cleave__RefusedIndexKey refused = CLEAVE__REFUSED_INDEX_KEY__INIT;
	struct table_index_error found;

	if (table_indexes_check_item(indexes, slice_of(NULL, 0), item, &found) == ST_OK)
		return true;
	refused.index_name = proto_borrow_text(found.index->name);
	refused.attribute_name = proto_borrow_text(found.key.attribute->name);
	refused.fault = found.key.fault;
	refused.actual_type = found.key.actual;
	refused.expected_type = found.key.attribute->type;
	refused.size_bytes = (uint32_t)found.size_bytes;
	api_index_key_refused(&refused, false, error);
	return false;
}
