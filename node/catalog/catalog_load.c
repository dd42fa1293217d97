#include "node/catalog/catalog_load.h"

#include "node/catalog/catalog_rows.h"
#include "proto/wire/proto_arena.h"

enum { ROW_ARENA_SIZE_MAX = 4 * 1024 * 1024 };

/* A row whose record says another id than its key would come back beside a newer one, and one of
 * version 0 would be in no update. */
typedef enum status (*load_fn)(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
			       struct slice body);

static enum status load_head(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
			     struct slice body)
{
	const Cleave__CatalogHead *head = cleave__catalog_head__unpack(allocator, body.size, body.data);

	if (head == NULL || id != 0)
		return ST_CORRUPT;
	fsm->state.version = head->version;
	fsm->next_table_id = head->next_table_id;
	fsm->next_partition_id = head->next_partition_id;
	fsm->next_replica_id = head->next_replica_id;
	fsm->removals_known_from = head->removals_known_from;
	return ST_OK;
}

static enum status load_settings(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
				 struct slice body)
{
	const Cleave__CatalogSettings *record = cleave__catalog_settings__unpack(allocator, body.size,
										 body.data);

	if (record == NULL || id != 0)
		return ST_CORRUPT;
	catalog_settings_decode(record, &fsm->state.settings);
	return ST_OK;
}

static enum status load_node(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
			     struct slice body)
{
	const Cleave__NodeRecord *record = cleave__node_record__unpack(allocator, body.size, body.data);
	struct node_info node;
	enum status status = record == NULL || record->node_id != id || record->version == 0
				     ? ST_CORRUPT
				     : node_info_decode(record, &node);

	return status == ST_OK ? catalog_state_put_node(&fsm->state, &node) : status;
}

static enum status load_table(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
			      struct slice body)
{
	const Cleave__TableRecord *record = cleave__table_record__unpack(allocator, body.size, body.data);
	struct table_info table;
	enum status status = record == NULL || record->table_id != id || record->version == 0
				     ? ST_CORRUPT
				     : table_info_decode(record, allocator->allocator_data, &table);

	return status == ST_OK ? catalog_state_put_table(&fsm->state, &table) : status;
}

static enum status load_partition(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
				  struct slice body)
{
	const Cleave__PartitionRecord *record = cleave__partition_record__unpack(allocator, body.size,
										 body.data);
	struct partition_info *partition;
	enum status status = record == NULL || record->partition_id != id || record->version == 0
				     ? ST_CORRUPT
				     : partition_info_decode(record, &partition);

	if (status != ST_OK)
		return status;
	status = catalog_state_put_partition(&fsm->state, partition);
	if (status != ST_OK)
		partition_info_free(partition);
	return status;
}

static enum status load_removed(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
				struct slice body)
{
	const Cleave__RemovedRecord *record = cleave__removed_record__unpack(allocator, body.size, body.data);

	if (record == NULL || record->version != id || fsm->removal_count == CATALOG_REMOVALS_MAX)
		return ST_CORRUPT;
	fsm->removals[fsm->removal_count++] = (struct catalog_removed){
		(enum catalog_removed_kind)record->kind,
		record->id,
		record->version,
	};
	return ST_OK;
}

static enum status load_request(struct catalog_fsm *fsm, ProtobufCAllocator *allocator, uint64_t id,
				struct slice body)
{
	const Cleave__RememberedRequest *record = cleave__remembered_request__unpack(allocator, body.size,
										     body.data);
	size_t size;
	uint8_t *packed;

	if (record == NULL || record->reply == NULL || record->reply->catalog_version != id ||
	    record->request_id.len == 0 || fsm->outcomes.count == CATALOG_OUTCOMES_MAX)
		return ST_CORRUPT;
	size = cleave__table_reply__get_packed_size(record->reply);
	packed = allocator->alloc(allocator->allocator_data, size);
	if (packed == NULL)
		return ST_NO_MEMORY;
	(void)cleave__table_reply__pack(record->reply, packed);
	return catalog_outcomes_add(&fsm->outcomes, record->reply->catalog_version,
				    slice_of(record->request_id.data, record->request_id.len),
				    slice_of(packed, size));
}

static const load_fn loaders[] = {
	[CATALOG_ROW_HEAD] = load_head,           [CATALOG_ROW_SETTINGS] = load_settings,
	[CATALOG_ROW_NODE] = load_node,           [CATALOG_ROW_TABLE] = load_table,
	[CATALOG_ROW_PARTITION] = load_partition, [CATALOG_ROW_REMOVED] = load_removed,
	[CATALOG_ROW_REQUEST] = load_request,
};

struct loading {
	struct catalog_fsm *fsm;
	struct arena arena;
};

static enum status load_row(void *context, enum catalog_row_kind kind, uint64_t id, struct slice body)
{
	struct loading *loading = context;
	ProtobufCAllocator allocator = proto_arena_allocator(&loading->arena);

	arena_reset(&loading->arena);
	if ((size_t)kind >= ARRAY_COUNT(loaders))
		return ST_VERSION;
	return loaders[kind](loading->fsm, &allocator, id, body);
}

enum status catalog_load(struct catalog_fsm *fsm)
{
	struct loading loading = { .fsm = fsm };
	enum status status;

	catalog_fsm_forget(fsm);
	arena_init(&loading.arena, ROW_ARENA_SIZE_MAX);
	status = catalog_rows_scan(fsm->engine, load_row, &loading);
	arena_close(&loading.arena);
	return status;
}
