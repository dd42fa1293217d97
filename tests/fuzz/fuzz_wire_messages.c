/* Every message type of proto/wire from arbitrary bytes, into a bounded arena.  The first
 * byte chooses the type.  What unpacks must pack again, and what unpacks a second time
 * must pack to the same bytes. */
#include <stdlib.h>

#include "proto/wire/admin.pb-c.h"
#include "proto/wire/catalog.pb-c.h"
#include "proto/wire/expr.pb-c.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/partition.pb-c.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/raft.pb-c.h"
#include "proto/wire/rpc.pb-c.h"

enum { ARENA_SIZE_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static const ProtobufCMessageDescriptor *const types[] = {
	&cleave__replica_status__descriptor,
	&cleave__node_status_reply__descriptor,
	&cleave__fault_request__descriptor,
	&cleave__transfer_request__descriptor,
	&cleave__member_request__descriptor,
	&cleave__node_record__descriptor,
	&cleave__key_attribute__descriptor,
	&cleave__table_schema__descriptor,
	&cleave__table_record__descriptor,
	&cleave__replica_record__descriptor,
	&cleave__partition_record__descriptor,
	&cleave__removed_record__descriptor,
	&cleave__catalog_settings__descriptor,
	&cleave__catalog_watch_request__descriptor,
	&cleave__catalog_update__descriptor,
	&cleave__catalog_sync_reply__descriptor,
	&cleave__create_table_request__descriptor,
	&cleave__update_table_request__descriptor,
	&cleave__delete_table_request__descriptor,
	&cleave__table_reply__descriptor,
	&cleave__replica_report__descriptor,
	&cleave__node_report__descriptor,
	&cleave__catalog_command__descriptor,
	&cleave__create_table_command__descriptor,
	&cleave__remove_table_command__descriptor,
	&cleave__get_item_request__descriptor,
	&cleave__get_item_reply__descriptor,
	&cleave__write_item_request__descriptor,
	&cleave__write_item_reply__descriptor,
	&cleave__routing_hint__descriptor,
	&cleave__partition_command__descriptor,
	&cleave__mutation__descriptor,
	&cleave__outcome__descriptor,
	&cleave__outcome_record__descriptor,
	&cleave__remembered_outcome__descriptor,
	&cleave__partition_meta__descriptor,
	&cleave__raft_batch__descriptor,
	&cleave__raft_entry__descriptor,
	&cleave__raft_message__descriptor,
	&cleave__confirm_request__descriptor,
	&cleave__confirm_reply__descriptor,
	&cleave__lease_echo__descriptor,
	&cleave__snapshot_row__descriptor,
	&cleave__snapshot_chunk__descriptor,
	&cleave__hello__descriptor,
	&cleave__read_range_request__descriptor,
	&cleave__read_range_reply__descriptor,
	&cleave__get_items_request__descriptor,
	&cleave__get_items_reply__descriptor,
	&cleave__expr_condition__descriptor,
	&cleave__expr_update__descriptor,
	&cleave__expr_projection__descriptor,
	&cleave__write_index_rows_request__descriptor,
	&cleave__partition_indexes__descriptor,
	&cleave__feed_record__descriptor,
	&cleave__index_record__descriptor,
	&cleave__create_index_command__descriptor,
	&cleave__index_progress__descriptor,
};

static struct slice pack(struct arena *arena, const ProtobufCMessage *message)
{
	size_t size_bytes = protobuf_c_message_get_packed_size(message);
	uint8_t *out = arena_alloc(arena, size_bytes);

	if (out == NULL)
		return slice_of(NULL, 0); /* the limit did its work */
	CHECK(protobuf_c_message_pack(message, out) == size_bytes);
	return slice_of(out, size_bytes);
}

static void check_again(struct arena *arena, const ProtobufCMessageDescriptor *type,
			const ProtobufCMessage *message)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	struct slice once = pack(arena, message);
	struct slice twice;
	ProtobufCMessage *again;

	if (once.data == NULL)
		return;
	again = protobuf_c_message_unpack(type, &allocator, once.size, once.data);
	if (again == NULL)
		return; /* the arena's limit, or an unknown field with a number that packs otherwise */
	twice = pack(arena, again);
	CHECK(twice.data == NULL || slice_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const ProtobufCMessageDescriptor *type;
	struct arena arena;
	ProtobufCAllocator allocator;
	ProtobufCMessage *message;

	if (size_bytes == 0)
		return 0;
	type = types[data[0] % ARRAY_COUNT(types)];
	arena_init(&arena, ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	message = protobuf_c_message_unpack(type, &allocator, size_bytes - 1, data + 1);
	if (message != NULL)
		check_again(&arena, type, message);
	arena_close(&arena);
	return 0;
}
