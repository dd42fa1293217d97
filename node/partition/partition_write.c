#include "node/partition/partition_definitions.h"
#include "node/partition/partition_index_rows.h"
#include "node/partition/partition_propose.h"
#include "node/partition/partition_verdict.h"

#include <stdlib.h>

#include "proto/model/item.h"
#include "proto/model/limits.h"
#include "proto/wire/partition.pb-c.h"
#include "storage/encoding/stored_item.h"

enum {
	/* How far the machine clocks of coordinator and leader may drift apart over one operation's
	 * retries: the age of a retry is counted as this much more. */
	RETRY_SKEW_MS = 1000,
	DISK_READS_MAX = 3, /* then the row is read on the loop */
};

/* The writes of one log entry that is proposed and not applied. */
struct partition_command_in_flight {
	struct queue link;
	uint64_t index;
	uint64_t sequence;
	uint64_t changes_through; /* applied: the newest change then */
	struct queue writes;
};

static uint64_t id_half(const struct partition_write *write)
{
	return get_u64_be(write->request_id.data + OUTCOMES_REQUEST_ID_SIZE / 2);
}

static void finish(struct partition_write *write, enum status status)
{
	write->partition->pending_count--;
	CHECK(hash_map_remove(&write->partition->pending_ids, id_half(write)) == write);
	write->status = status;
	write->returned_item = buf_slice(&write->returned_copy);
	write->done(write);
}

static void close_buffers(struct partition_write *write)
{
	arena_close(&write->index_arena);
	buf_close(&write->returned_copy);
	buf_close(&write->new_item);
	buf_close(&write->old_copy);
}

/* done() may free the write, so what it returns goes first into a local. */
static void answer(struct partition_write *write, enum status status)
{
	struct buf returned_copy = write->returned_copy;
	struct arena index_arena = write->index_arena;

	buf_close(&write->new_item);
	buf_close(&write->old_copy);
	finish(write, status);
	buf_close(&returned_copy);
	arena_close(&index_arena);
}

static void refuse_all(struct queue *writes, enum status status)
{
	struct queue *link;

	while ((link = queue_pop_head(writes)) != NULL)
		answer(CONTAINER_OF(link, struct partition_write, link), status);
}

static void answer_verdicts(struct queue *writes)
{
	struct queue *link;

	while ((link = queue_pop_head(writes)) != NULL) {
		struct partition_write *write = CONTAINER_OF(link, struct partition_write, link);

		answer(write, write->verdict);
	}
}

/* --- evaluating --- */

/* Of a write that is applied, or will not be proposed. */
static void drop_images(struct partition *partition, const struct partition_write *write, uint64_t sequence)
{
	partition_overlay_applied(&partition->overlay, write->row_key, sequence);
	if (write->changes_collection)
		partition_overlay_applied(&partition->overlay, write->collection_key, sequence);
}

enum engine_read_mode partition_write_read_mode(const struct partition_write *write)
{
	return write->read_count < DISK_READS_MAX ? ENGINE_READ_CACHED : ENGINE_READ_MAY_BLOCK;
}

/* The row as this write finds it: pending first, else applied. */
static enum status read_old(struct partition *partition, struct slice row_key, enum engine_read_mode mode,
			    struct engine_value *value, struct partition_old_image *old)
{
	struct partition_overlay_image pending;
	struct stored_item stored;
	enum status status;

	*old = (struct partition_old_image){ 0 };
	if (partition_overlay_find(&partition->overlay, row_key, &pending)) {
		old->exists = !pending.is_delete;
		old->size_bytes = pending.size_bytes;
		old->item = pending.item;
		return ST_OK;
	}
	status = engine_get(partition->env->engine, FAMILY_ITEMS, row_key, mode, value);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	status = stored_item_read(value->slice, &stored);
	old->exists = true;
	old->size_bytes = stored.size_bytes;
	old->item = stored.item;
	return status;
}

/* The row before goes into the log of changes, by way of the command. */
static enum status keep_old(struct partition *partition, struct partition_write *write,
			    const struct partition_old_image *old)
{
	buf_reset(&write->old_copy);
	if (partition_indexes_logs_changes(&partition->indexes) && old->exists && write->changes)
		return partition_indexes_keep_old(&partition->indexes, old->item, &write->old_copy);
	return ST_OK;
}

static void refuse_turn(struct partition *partition, enum status status);

/* What later writes are decided on. */
static enum status keep_images(struct partition *partition, struct partition_write *write)
{
	struct partition_overlay *overlay = &partition->overlay;
	struct partition_overlay_image image = {
		.is_delete = write->kind == PARTITION_DELETE,
		.size_bytes = write->new_size_bytes,
		.item = write->image,
	};
	enum status status = partition_overlay_put(overlay, write->row_key, partition->turn_sequence, &image);

	image = (struct partition_overlay_image){ .item = write->collection_value };
	if (status == ST_OK && write->changes_collection)
		status = partition_overlay_put(overlay, write->collection_key, partition->turn_sequence,
					       &image);
	if (status == ST_OK)
		return ST_OK;
	/* Half of it may be there, in the place of images that are still pending. */
	drop_images(partition, write, partition->turn_sequence);
	refuse_turn(partition, status);
	return status;
}

/* The verdict, into the overlay and the turn. */
static enum status take_result(struct partition *partition, struct partition_write *write,
			       const struct partition_old_image *old)
{
	enum status status = partition_verdict_reach(write, old, &partition->env->scratch);

	arena_reset(&partition->env->scratch);
	if (status == ST_OK)
		status = keep_old(partition, write, old);
	if (status == ST_OK && write->changes)
		status = keep_images(partition, write);
	if (status != ST_OK)
		return status;
	queue_init(&write->link);
	queue_push_tail(&partition->turn, &write->link);
	partition->turn_count++;
	partition->turn_bytes += write->row_key.size + write->image.size + write->returned_copy.size +
				 write->old_copy.size + write->local_rows_size_bytes;
	return ST_OK;
}

static void propose_turn(struct partition *partition);

static bool must_wait(const struct partition *partition)
{
	return (partition->must_drain && !queue_is_empty(&partition->proposed)) ||
	       partition_definitions_block_writes(partition);
}

/* Index rows and changes are made from what the write replaces. */
static bool needs_old(const struct partition *partition, const struct partition_write *write)
{
	return partition->indexes.set != NULL || partition_verdict_needs_old(write);
}

static enum status evaluate(struct partition *partition, struct partition_write *write)
{
	struct engine_value value = { 0 };
	struct partition_old_image old = { 0 };
	enum status status = ST_OK;

	/* A full turn leaves before this write joins the next: whatever comes of it, this write's
	 * done() does not run in here. */
	if (partition->turn_count >= PARTITION_COMMAND_WRITES_MAX ||
	    partition->turn_bytes >= PARTITION_COMMAND_BYTES_MAX)
		propose_turn(partition);
	if (must_wait(partition))
		return ST_BUSY;
	if (needs_old(partition, write))
		status = read_old(partition, write->row_key, partition_write_read_mode(write), &value, &old);
	if (status == ST_OK)
		status = take_result(partition, write, &old);
	engine_value_release(&value);
	if (status == ST_OK)
		runtime_defer(partition->env->runtime, &partition->propose_task);
	return status;
}

/* --- rows that are not in memory --- */

/* On a thread of the pool, or on the loop. */
static void warm_row(struct runtime_job *job)
{
	struct partition_write *write = CONTAINER_OF(job, struct partition_write, job);
	struct engine *engine = write->partition->env->engine;
	struct engine_value value;

	/* What is read is then in the block cache; evaluate() reads it again and sees any error. */
	if (engine_get(engine, FAMILY_ITEMS, write->row_key, ENGINE_READ_MAY_BLOCK, &value) == ST_OK)
		engine_value_release(&value);
	if (write->collection_key.size > 0 && engine_get(engine, FAMILY_LOCAL_INDEXES, write->collection_key,
							 ENGINE_READ_MAY_BLOCK, &value) == ST_OK)
		engine_value_release(&value);
}

/* With rows that are not in memory, too, while the loop may read them itself. */
static enum status evaluate_here(struct partition *partition, struct partition_write *write)
{
	struct runtime *runtime = partition->env->runtime;
	enum status status = evaluate(partition, write);

	while (status == ST_WOULD_BLOCK && runtime_may_work_here(runtime, RUNTIME_LANE_ROW)) {
		runtime_work_here(runtime, &write->job);
		write->read_count++;
		status = evaluate(partition, write);
	}
	return status;
}

static enum status admit(struct partition *partition, const struct partition_write *write);

static void fill_from_outcome(struct partition_write *write, const Cleave__Outcome *outcome)
{
	write->existed = outcome->existed;
	write->old_size_bytes = outcome->old_size_bytes;
	write->new_size_bytes = outcome->new_size_bytes;
	write->update_error = (Cleave__ExprUpdateError)outcome->update_error;
	write->refused_index_key = outcome->refused_index_key;
	write->index_units = outcome->index_units;
	write->index_unit_count = outcome->n_index_units;
	write->is_collection_full = outcome->is_collection_full;
	write->collection_size_bytes = outcome->collection_size_bytes;
	write->returned_item = slice_of(outcome->returned.data, outcome->returned.len);
}

static void answer_from_outcome(struct partition_write *write, const Cleave__Outcome *outcome)
{
	fill_from_outcome(write, outcome);
	buf_reset(&write->returned_copy);
	buf_append_slice(&write->returned_copy, write->returned_item);
	answer(write, write->returned_copy.status == ST_OK ? (enum status)outcome->status : ST_NO_MEMORY);
}

static void on_warm(struct runtime_job *job)
{
	struct partition_write *write = CONTAINER_OF(job, struct partition_write, job);
	struct partition *partition = write->partition;
	const Cleave__Outcome *outcome = NULL;
	enum status status = partition->is_closed ? ST_NOT_LEADER : admit(partition, write);

	write->read_count++;
	/* Another attempt may have run at another leader while the row was read. */
	if (status == ST_OK)
		outcome = partition_outcomes_find(&partition->outcomes, write->request_id);
	if (outcome != NULL)
		answer_from_outcome(write, outcome);
	else if (status == ST_OK)
		status = evaluate_here(partition, write);
	if (status == ST_WOULD_BLOCK)
		runtime_submit(partition->env->runtime, &write->job);
	else if (status != ST_OK)
		answer(write, status);
	if (status != ST_WOULD_BLOCK)
		partition_release(partition);
}

/* --- admitting --- */

static enum status check_retry(struct partition *partition, const struct partition_write *write)
{
	uint64_t now_ms = partition_window_ms(partition);
	uint64_t past_ms = (uint64_t)write->age_ms + RETRY_SKEW_MS;

	if (partition_outcomes_may_have_dropped(&partition->outcomes,
						now_ms < past_ms ? 0 : now_ms - past_ms))
		return ST_FORGOTTEN;
	return ST_OK;
}

static enum status admit(struct partition *partition, const struct partition_write *write)
{
	if (!group_is_ready(partition->group))
		return ST_NOT_LEADER;
	if (!partition_covers(partition, write->row_key))
		return ST_MOVED;
	if (!group_has_room(partition->group))
		return ST_NO_SPACE;
	if (must_wait(partition))
		return ST_BUSY;
	if (partition->pending_count >= PARTITION_PENDING_WRITES_MAX)
		return ST_OVERLOADED;
	return write->age_ms > 0 ? check_retry(partition, write) : ST_OK;
}

enum status partition_write_start(struct partition *partition, struct partition_write *write)
{
	const Cleave__Outcome *outcome;
	enum status status;

	CHECK(write->request_id.size == OUTCOMES_REQUEST_ID_SIZE);
	write->partition = partition;
	write->read_count = 0;
	write->returned_item = slice_of(NULL, 0);
	write->update_error = CLEAVE__EXPR_UPDATE_ERROR__EXPR_UPDATE_OK;
	buf_init(&write->new_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&write->returned_copy, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&write->old_copy, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	arena_init(&write->index_arena, PARTITION_INDEX_ROWS_BYTES_MAX);
	write->refused_index_key = NULL;
	write->index_unit_count = 0;
	write->local_row_count = 0;
	write->local_rows_size_bytes = 0;
	write->is_collection_full = false;
	write->collection_size_bytes = 0;
	write->collection_key = slice_of(NULL, 0);
	write->changes_collection = false;
	if (!group_is_ready(partition->group))
		return ST_NOT_LEADER;
	/* An attempt may overtake another of its request, whichever was sent first; one that is applied may
	 * still wait for global indexes. */
	if (hash_map_get(&partition->pending_ids, id_half(write)) != NULL)
		return ST_BUSY;
	outcome = partition_outcomes_find(&partition->outcomes, write->request_id);
	if (outcome != NULL) {
		fill_from_outcome(write, outcome);
		return (enum status)outcome->status;
	}
	status = admit(partition, write);
	if (status == ST_OK)
		status = hash_map_put(&partition->pending_ids, id_half(write), write);
	if (status != ST_OK)
		return status;
	partition->env->write_count++;
	write->job = (struct runtime_job){ .lane = RUNTIME_LANE_ROW, .work = warm_row, .done = on_warm };
	status = evaluate_here(partition, write);
	if (status == ST_WOULD_BLOCK) {
		partition_hold(partition);
		runtime_submit(partition->env->runtime, &write->job);
		status = ST_OK;
	}
	if (status != ST_OK) {
		(void)hash_map_remove(&partition->pending_ids, id_half(write));
		close_buffers(write);
		return status;
	}
	partition->pending_count++;
	return ST_WOULD_BLOCK;
}

/* --- proposing --- */

static Cleave__Mutation *encode_mutation(struct arena *arena, const struct partition_write *write)
{
	Cleave__Mutation *mutation = arena_alloc(arena, sizeof(*mutation));
	Cleave__Outcome *outcome = arena_alloc(arena, sizeof(*outcome));

	if (mutation == NULL || outcome == NULL)
		return NULL;
	cleave__mutation__init(mutation);
	cleave__outcome__init(outcome);
	mutation->row_key = (ProtobufCBinaryData){ write->row_key.size,
						   (uint8_t *)(uintptr_t)write->row_key.data };
	mutation->request_id = (ProtobufCBinaryData){ write->request_id.size,
						      (uint8_t *)(uintptr_t)write->request_id.data };
	mutation->is_delete = write->kind == PARTITION_DELETE;
	mutation->is_write = write->changes;
	if (write->changes)
		mutation->item = (ProtobufCBinaryData){ write->image.size,
							(uint8_t *)(uintptr_t)write->image.data };
	outcome->status = write->verdict;
	outcome->update_error = (int32_t)write->update_error;
	outcome->refused_index_key = write->refused_index_key;
	outcome->index_units = write->index_units;
	outcome->n_index_units = write->index_unit_count;
	outcome->is_collection_full = write->is_collection_full;
	if (write->needs_collection_size)
		outcome->collection_size_bytes = write->collection_size_bytes;
	outcome->existed = write->existed;
	outcome->old_size_bytes = write->old_size_bytes;
	outcome->new_size_bytes = write->new_size_bytes;
	outcome->returned = (ProtobufCBinaryData){ write->returned_copy.size, write->returned_copy.data };
	mutation->local_rows = write->local_rows;
	mutation->n_local_rows = write->local_row_count;
	mutation->old_item = (ProtobufCBinaryData){ write->old_copy.size, write->old_copy.data };
	mutation->outcome = outcome;
	return mutation;
}

static enum status pack_turn(struct partition *partition, struct buf *packed)
{
	struct arena *arena = &partition->arena;
	Cleave__PartitionCommand command;

	cleave__partition_command__init(&command);
	partition_propose_stamp(partition, &command);
	command.mutations = arena_alloc(arena, partition->turn_count * sizeof(struct Cleave__Mutation *));
	if (command.mutations == NULL)
		return ST_NO_MEMORY;
	for (const struct queue *link = partition->turn.next; link != &partition->turn; link = link->next) {
		Cleave__Mutation *mutation = encode_mutation(
			arena, CONTAINER_OF(link, struct partition_write, link));

		if (mutation == NULL)
			return ST_NO_MEMORY;
		command.mutations[command.n_mutations++] = mutation;
	}
	return partition_propose_pack(&command, packed);
}

static void drop_from_overlay(struct partition *partition, const struct queue *writes, uint64_t sequence)
{
	for (const struct queue *link = writes->next; link != writes; link = link->next)
		drop_images(partition, CONTAINER_OF(link, struct partition_write, link), sequence);
}

static enum status propose(struct partition *partition, struct partition_command_in_flight *command)
{
	struct buf packed;
	enum status status;

	buf_init(&packed, 4 * (size_t)LIMIT_REQUEST_BODY_SIZE_BYTES);
	status = pack_turn(partition, &packed);
	arena_reset(&partition->arena);
	if (status == ST_OK)
		status = group_propose(partition->group, buf_slice(&packed), &command->index);
	buf_close(&packed);
	return status;
}

static void begin_turn(struct partition *partition)
{
	partition->turn_sequence++;
	partition->turn_count = 0;
	partition->turn_bytes = 0;
}

/* Nothing was proposed, but images of older commands, still pending, may have been replaced in the
 * overlay: evaluate nothing on top until those are applied. */
static void refuse_turn(struct partition *partition, enum status status)
{
	struct queue refused;

	partition->must_drain = true;
	queue_init(&refused);
	queue_move_all(&partition->turn, &refused);
	drop_from_overlay(partition, &refused, partition->turn_sequence);
	begin_turn(partition);
	refuse_all(&refused, status);
}

static void propose_turn(struct partition *partition)
{
	struct partition_command_in_flight *command;
	enum status status = ST_NO_MEMORY;

	if (queue_is_empty(&partition->turn))
		return;
	command = calloc(1, sizeof(*command));
	if (command != NULL) {
		command->sequence = partition->turn_sequence;
		queue_init(&command->writes);
		status = propose(partition, command);
	}
	if (status != ST_OK) {
		free(command);
		refuse_turn(partition, status);
		return;
	}
	queue_move_all(&partition->turn, &command->writes);
	queue_init(&command->link);
	queue_push_tail(&partition->proposed, &command->link);
	begin_turn(partition);
}

void partition_write_flush(struct partition *partition)
{
	runtime_task_cancel(&partition->propose_task);
	propose_turn(partition);
}

static void on_turn_end(struct runtime_task *task)
{
	propose_turn(CONTAINER_OF(task, struct partition, propose_task));
}

/* --- global indexes --- */

void partition_write_on_fed(struct partition *partition, uint64_t sequence)
{
	partition->fed_sequence = sequence;
	while (!queue_is_empty(&partition->unfed)) {
		struct partition_command_in_flight *command = CONTAINER_OF(
			partition->unfed.next, struct partition_command_in_flight, link);

		if (command->changes_through > partition->fed_sequence)
			break;
		queue_remove(&command->link);
		answer_verdicts(&command->writes);
		free(command);
	}
}

/* It is applied; perhaps its rows are still to get into global indexes. */
static void end_command(struct partition *partition, struct partition_command_in_flight *command)
{
	command->changes_through = partition->changed_sequence;
	if (partition->env->waits_for_indexes && partition->feeder != NULL &&
	    command->changes_through > partition->fed_sequence) {
		queue_push_tail(&partition->unfed, &command->link);
		return;
	}
	answer_verdicts(&command->writes);
	free(command);
}

/* --- applied, lost --- */

void partition_write_on_applied(struct partition *partition, uint64_t index)
{
	while (!queue_is_empty(&partition->proposed)) {
		struct partition_command_in_flight *command = CONTAINER_OF(
			partition->proposed.next, struct partition_command_in_flight, link);

		if (command->index > index)
			break;
		queue_remove(&command->link);
		drop_from_overlay(partition, &command->writes, command->sequence);
		end_command(partition, command);
	}
	if (queue_is_empty(&partition->proposed))
		partition->must_drain = false;
}

void partition_write_on_lost(struct partition *partition)
{
	struct queue refused;
	struct queue *link;

	partition_overlay_clear(&partition->overlay);
	partition->must_drain = false;
	partition_write_on_fed(partition, UINT64_MAX); /* they are committed */
	queue_init(&refused);
	queue_move_all(&partition->turn, &refused);
	partition->turn_count = 0;
	partition->turn_bytes = 0;
	while ((link = queue_pop_head(&partition->proposed)) != NULL) {
		struct partition_command_in_flight *command = CONTAINER_OF(
			link, struct partition_command_in_flight, link);

		refuse_all(&command->writes, ST_UNKNOWN_OUTCOME);
		free(command);
	}
	refuse_all(&refused, ST_NOT_LEADER);
}

void partition_write_init(struct partition *partition)
{
	queue_init(&partition->turn);
	queue_init(&partition->proposed);
	queue_init(&partition->unfed);
	hash_map_init(&partition->pending_ids, 2 * (size_t)PARTITION_PENDING_WRITES_MAX);
	runtime_task_init(&partition->propose_task, on_turn_end);
	partition->turn_sequence = 1;
}
