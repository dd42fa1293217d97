/* METHOD_CATALOG_STATISTICS: how many items tables have, as their leaders told the driver. */
#include "node/catalog/catalog_internal.h"
#include "proto/wire/proto_arena.h"

static Cleave__RowCount *pack_rows(struct arena *arena, const struct catalog_rows_count *rows)
{
	Cleave__RowCount *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__row_count__init(record);
	record->count = rows->count;
	record->size_bytes = rows->size_bytes;
	return record;
}

static Cleave__TableStatistics *count_table(struct catalog *catalog, uint32_t table_id, struct arena *arena)
{
	Cleave__TableStatistics *record = arena_alloc(arena, sizeof(*record));
	struct catalog_table_count count;

	if (record == NULL)
		return NULL;
	cleave__table_statistics__init(record);
	catalog->driver->ops->count(catalog->driver, table_id, &count);
	record->table_id = table_id;
	record->items = pack_rows(arena, &count.items);
	record->local_indexes = arena_alloc(arena, LIMIT_LOCAL_INDEX_COUNT * sizeof(*record->local_indexes));
	if (record->items == NULL || record->local_indexes == NULL)
		return NULL;
	for (size_t i = 0; i < LIMIT_LOCAL_INDEX_COUNT; i++) {
		record->local_indexes[i] = pack_rows(arena, &count.local_indexes[i]);
		if (record->local_indexes[i] == NULL)
			return NULL;
	}
	record->n_local_indexes = LIMIT_LOCAL_INDEX_COUNT;
	return record;
}

static enum status count_tables(struct catalog *catalog, const Cleave__StatisticsRequest *request,
				struct arena *arena, Cleave__StatisticsReply *reply_out)
{
	if (catalog->driver == NULL)
		return ST_UNAVAILABLE;
	if (request == NULL || request->n_table_ids > 1 + TABLE_INDEXES_MAX)
		return ST_INVALID;
	reply_out->tables = arena_alloc(arena, (request->n_table_ids + 1) * sizeof(*reply_out->tables));
	if (reply_out->tables == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < request->n_table_ids; i++) {
		if (catalog_state_table(&catalog->fsm.state, request->table_ids[i]) == NULL)
			continue;
		reply_out->tables[reply_out->n_tables] = count_table(catalog, request->table_ids[i], arena);
		if (reply_out->tables[reply_out->n_tables] == NULL)
			return ST_NO_MEMORY;
		reply_out->n_tables++;
	}
	return ST_OK;
}

void catalog_handle_statistics(struct catalog *catalog, struct rpc_request *request)
{
	struct arena arena;
	ProtobufCAllocator allocator;
	Cleave__StatisticsReply reply = CLEAVE__STATISTICS_REPLY__INIT;
	enum status status;

	arena_init(&arena, CATALOG_REQUEST_ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	status = count_tables(
		catalog,
		cleave__statistics_request__unpack(&allocator, request->body.size, request->body.data),
		&arena, &reply);
	if (status == ST_OK)
		catalog_reply_message(request, &reply.base);
	else
		rpc_request_reply_status(request, status);
	arena_close(&arena);
}
