#include "coordinator/api/api_table_count.h"

#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum { COUNT_TIMEOUT_MS = 1000 };

static void on_reply(struct catalog_call *call)
{
	struct api_table_count *count = CONTAINER_OF(call, struct api_table_count, call);
	ProtobufCAllocator allocator = proto_arena_allocator(count->request->arena);

	count->request->cancel = NULL;
	if (call->status == ST_OK)
		count->reply = cleave__statistics_reply__unpack(&allocator, call->reply.size,
								call->reply.data);
	count->done(count);
}

static void cancel(struct api_request *request)
{
	catalog_call_cancel(&request->count->call);
}

void api_table_count_start(struct api_table_count *count, struct api_request *request,
			   const struct table_info *table, api_table_count_cb done)
{
	Cleave__StatisticsRequest message = CLEAVE__STATISTICS_REQUEST__INIT;
	uint32_t table_ids[1 + LIMIT_GLOBAL_INDEX_COUNT] = { table->table_id };
	uint8_t packed[8 * (1 + LIMIT_GLOBAL_INDEX_COUNT)];
	const struct table_index *index;
	uint32_t cursor = 0;

	message.table_ids = table_ids;
	message.n_table_ids = 1;
	while ((index = table_indexes_next(table->indexes, false, &cursor)) != NULL &&
	       message.n_table_ids < ARRAY_COUNT(table_ids))
		table_ids[message.n_table_ids++] = index->table_id;
	CHECK(cleave__statistics_request__get_packed_size(&message) <= sizeof(packed));
	*count = (struct api_table_count){ .request = request, .done = done };
	request->count = count;
	request->cancel = cancel;
	catalog_call_start(&request->api->options.view->seeds, &count->call, METHOD_CATALOG_STATISTICS,
			   slice_of(packed, cleave__statistics_request__pack(&message, packed)),
			   COUNT_TIMEOUT_MS, on_reply);
}

static const Cleave__TableStatistics *find(const Cleave__StatisticsReply *reply, uint32_t table_id)
{
	for (size_t i = 0; reply != NULL && i < reply->n_tables; i++) {
		if (reply->tables[i]->table_id == table_id)
			return reply->tables[i];
	}
	return NULL;
}

static struct api_table_rows rows_of(const Cleave__RowCount *record)
{
	if (record == NULL)
		return (struct api_table_rows){ 0, 0 };
	return (struct api_table_rows){ record->count, record->size_bytes };
}

struct api_table_rows api_table_count_items(const Cleave__StatisticsReply *reply,
					    const struct table_info *table)
{
	const Cleave__TableStatistics *statistics = find(reply, table->table_id);

	return rows_of(statistics == NULL ? NULL : statistics->items);
}

struct api_table_rows api_table_count_index(const Cleave__StatisticsReply *reply,
					    const struct table_info *table, const struct table_index *index)
{
	bool is_local = table_index_is_local(index);
	const Cleave__TableStatistics *statistics = find(reply, is_local ? table->table_id : index->table_id);

	if (statistics == NULL)
		return rows_of(NULL);
	if (!is_local)
		return rows_of(statistics->items);
	return rows_of(index->local_number <= statistics->n_local_indexes
			       ? statistics->local_indexes[index->local_number - 1]
			       : NULL);
}
