#include "node/server/handle_index.h"

#include <stdlib.h>

#include "node/partition/partition_propose.h"
#include "node/server/reply_failure.h"
#include "proto/model/item_check.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/proto_arena.h"

enum {
	ARENA_BYTES_MAX = 64 * 1024 * 1024,
	ROWS_MAX = 16 * 1024,
	/* A feeder's page with the longest keys and the largest item takes ten megabytes.  More must not
	 * get into the log: an entry has to fit into one message between replicas. */
	BODY_SIZE_MAX = 12 * 1024 * 1024,
};

struct index_op {
	const struct partition_table *partitions;
	struct rpc_request *request;
	uint64_t partition_id;
	uint64_t source_partition_id;
	struct partition_proposal proposal;
};

static void finish(struct index_op *op, enum status status)
{
	if (status == ST_OK)
		rpc_request_reply_status(op->request, ST_OK);
	else
		reply_failure_send(op->partitions, op->request, status, op->partition_id,
				   "index rows not written");
	free(op);
}

static void on_applied(struct partition_proposal *proposal, enum status status)
{
	finish(CONTAINER_OF(proposal, struct index_op, proposal), status);
}

/* A node speaks for a partition of the index's table that it has a replica of, and for no other: a
 * foreign position would hide all rows that are still to come from there.  Each source is remembered,
 * so one that the catalog does not know is not taken; known ones go on while the catalog cannot be
 * reached. */
static enum status check_source(const struct partition *partition, uint64_t source_partition_id,
				uint64_t caller_id)
{
	const struct catalog_view *view = partition->env->view;
	const struct table_info *table = partition_owner(partition);
	const struct partition_info *source = NULL;

	if (view != NULL)
		source = catalog_state_partition(&view->state, source_partition_id);
	if (table == NULL || source == NULL)
		return partition_sources_mark(&partition->sources, source_partition_id).size > 0 ? ST_OK
												 : ST_BUSY;
	if (table->base_table_id == 0 || source->table_id != table->base_table_id ||
	    partition_info_find_replica(source, caller_id) == NULL)
		return ST_DENIED;
	return ST_OK;
}

/* What a feeder of ours does not send is not stored. */
static enum status check_row(const Cleave__IndexRow *row)
{
	enum status status;

	if (row->row_key.len == 0 || row->row_key.len > LIMIT_INDEX_ROW_KEY_SIZE_BYTES ||
	    !partition_indexes_is_position(slice_of(row->position.data, row->position.len)))
		return ST_INVALID;
	if (row->item.len == 0)
		return ST_OK;
	if (row->item.len > LIMIT_ITEM_ENCODED_SIZE_BYTES)
		return ST_INVALID;
	status = item_check(slice_of(row->item.data, row->item.len));
	return status == ST_OK || status == ST_NO_MEMORY ? status : ST_INVALID;
}

static enum status check_rows(const struct partition *partition, const Cleave__WriteIndexRowsRequest *message)
{
	struct slice before = slice_of(NULL, 0);

	if (message->n_rows == 0 || message->n_rows > ROWS_MAX)
		return ST_INVALID;
	for (size_t i = 0; i < message->n_rows; i++) {
		const Cleave__IndexRow *row = message->rows[i];
		struct slice position = slice_of(row->position.data, row->position.len);
		enum status status = check_row(row);

		if (status == ST_OK && slice_compare(position, before) < 0)
			status = ST_INVALID;
		if (status != ST_OK)
			return status;
		if (!partition_covers(partition, slice_of(row->row_key.data, row->row_key.len)))
			return ST_MOVED;
		before = position;
	}
	return ST_OK;
}

static enum status fill_command(const Cleave__WriteIndexRowsRequest *message, struct arena *arena,
				Cleave__PartitionCommand *command)
{
	Cleave__Mutation *mutations = arena_alloc(arena, message->n_rows * sizeof(*mutations));

	command->mutations = arena_alloc(arena, message->n_rows * sizeof(struct Cleave__Mutation *));
	if (mutations == NULL || command->mutations == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < message->n_rows; i++) {
		const Cleave__IndexRow *row = message->rows[i];

		cleave__mutation__init(&mutations[i]);
		mutations[i].row_key = row->row_key;
		mutations[i].item = row->item;
		mutations[i].position = row->position;
		mutations[i].is_write = true;
		mutations[i].is_delete = row->item.len == 0;
		command->mutations[i] = &mutations[i];
	}
	command->n_mutations = message->n_rows;
	command->source_partition_id = message->source_partition_id;
	return ST_OK;
}

/* Have all rows been taken before? */
static bool is_passed(const struct partition *partition, const Cleave__WriteIndexRowsRequest *message)
{
	ProtobufCBinaryData last = message->rows[message->n_rows - 1]->position;

	return slice_compare(slice_of(last.data, last.len),
			     partition_sources_mark(&partition->sources, message->source_partition_id)) <= 0;
}

static bool is_among(const struct queue *proposals, uint64_t source_partition_id)
{
	for (struct queue *link = proposals->next; link != proposals; link = link->next) {
		const struct partition_proposal *proposal = CONTAINER_OF(link, struct partition_proposal,
									 link);

		if (proposal->done == on_applied &&
		    CONTAINER_OF(proposal, const struct index_op, proposal)->source_partition_id ==
			    source_partition_id)
			return true;
	}
	return false;
}

/* A source sends one message at a time: a second one is the first again, which the sender has given up
 * waiting for.  A partition that is slow must not get the same rows into its log over and over. */
static bool is_under_way(const struct partition *partition, uint64_t source_partition_id)
{
	return is_among(&partition->proposals, source_partition_id) ||
	       is_among(&partition->gathered, source_partition_id);
}

static enum status start(struct index_op *op, const Cleave__WriteIndexRowsRequest *message,
			 struct arena *arena)
{
	struct partition *partition = partition_table_find(op->partitions, message->partition_id);
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	enum status status;

	op->partition_id = message->partition_id;
	op->source_partition_id = message->source_partition_id;
	if (partition == NULL)
		return ST_MOVED;
	if (!group_is_ready(partition->group))
		return ST_NOT_LEADER;
	if (message->source_partition_id == 0)
		return ST_INVALID;
	status = check_source(partition, message->source_partition_id, op->request->caller_id);
	if (status == ST_OK)
		status = check_rows(partition, message);
	if (status != ST_OK)
		return status;
	/* Applied at a leader that is ready means committed: there is nothing to wait for. */
	if (is_passed(partition, message))
		return ST_OK;
	if (is_under_way(partition, message->source_partition_id))
		return ST_BUSY;
	status = fill_command(message, arena, &command);
	if (status == ST_OK)
		status = partition_propose_gathered(partition, &command, &op->proposal);
	return status == ST_OK ? ST_WOULD_BLOCK : status;
}

void handle_index_write(const struct partition_table *partitions, struct rpc_request *request)
{
	struct index_op *op = calloc(1, sizeof(*op));
	const Cleave__WriteIndexRowsRequest *message;
	ProtobufCAllocator allocator;
	struct arena arena;
	enum status status;

	if (op == NULL) {
		rpc_request_reply_status(request, ST_NO_MEMORY);
		return;
	}
	*op = (struct index_op){ .partitions = partitions,
				 .request = request,
				 .proposal = { .done = on_applied } };
	arena_init(&arena, ARENA_BYTES_MAX);
	allocator = proto_arena_allocator(&arena);
	message = request->body.size > BODY_SIZE_MAX
			  ? NULL
			  : cleave__write_index_rows_request__unpack(&allocator, request->body.size,
								     request->body.data);
	status = message == NULL ? ST_INVALID : start(op, message, &arena);
	arena_close(&arena);
	if (status != ST_WOULD_BLOCK)
		finish(op, status);
}
