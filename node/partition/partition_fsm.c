#include "node/partition/partition_fsm.h"

#include "node/partition/partition_definitions.h"
#include "node/partition/partition_propose.h"
#include "node/partition/partition_write.h"
#include "proto/model/item.h"
#include "proto/model/limits.h"
#include "proto/wire/proto_arena.h"
#include "storage/changes/change_log.h"
#include "storage/encoding/stored_item.h"

enum { META_KEY_SIZE = 9, META_SIZE_MAX = 64 * 1024, META_VERSION = 1 };

static struct partition *partition_of(struct group_fsm *fsm)
{
	return CONTAINER_OF(fsm, struct partition, fsm);
}

/* --- applying --- */

/* One command on its way into the state and the batch. */
struct applying {
	struct partition *partition;
	struct engine_batch *batch;
	const Cleave__PartitionCommand *command;
	uint64_t index;
	uint64_t term;
};

static void put_row(const struct applying *applying, const Cleave__Mutation *mutation, uint32_t size_bytes)
{
	struct engine *engine = applying->partition->env->engine;
	struct slice row_key = slice_of(mutation->row_key.data, mutation->row_key.len);
	uint8_t head[STORED_ITEM_HEAD_SIZE];
	struct slice parts[2] = { slice_of(head, sizeof(head)),
				  slice_of(mutation->item.data, mutation->item.len) };

	if (mutation->is_delete) {
		engine_batch_delete(engine, applying->batch, FAMILY_ITEMS, row_key);
		return;
	}
	stored_item_put_head(head, applying->command->hlc, (uint16_t)applying->command->origin, size_bytes);
	engine_batch_put_parts(engine, applying->batch, FAMILY_ITEMS, row_key, parts, ARRAY_COUNT(parts));
}

/* The same head as the item's. */
static enum status put_local_row(const struct applying *applying, const Cleave__Mutation *mutation,
				 const Cleave__LocalIndexRow *row)
{
	struct engine *engine = applying->partition->env->engine;
	struct slice row_key = slice_of(row->row_key.data, row->row_key.len);
	const ProtobufCBinaryData *item = row->is_whole_item ? &mutation->item : &row->item;
	uint8_t head[STORED_ITEM_HEAD_SIZE];
	struct slice parts[2] = { slice_of(head, sizeof(head)), slice_of(item->data, item->len) };

	if (!partition_covers(applying->partition, row_key))
		return ST_CORRUPT;
	if (row->is_delete) {
		engine_batch_delete(engine, applying->batch, FAMILY_LOCAL_INDEXES, row_key);
		return ST_OK;
	}
	stored_item_put_head(head, applying->command->hlc, (uint16_t)applying->command->origin,
			     row->size_bytes);
	engine_batch_put_parts(engine, applying->batch, FAMILY_LOCAL_INDEXES, row_key, parts,
			       ARRAY_COUNT(parts));
	return ST_OK;
}

static void log_change(const struct applying *applying, const Cleave__Mutation *mutation, size_t number)
{
	struct partition *partition = applying->partition;
	struct change change = {
		.sequence = change_sequence(applying->index, number),
		.hlc = applying->command->hlc,
		.origin = (uint16_t)applying->command->origin,
		.row_key = slice_of(mutation->row_key.data, mutation->row_key.len),
		.old_item = slice_of(mutation->old_item.data, mutation->old_item.len),
		.new_item = mutation->is_delete ? slice_of(NULL, 0)
						: slice_of(mutation->item.data, mutation->item.len),
	};

	change_log_put(partition->env->engine, applying->batch, partition->id, &change);
	partition->changed_sequence = change.sequence;
}

static enum status apply_mutation(const struct applying *applying, const Cleave__Mutation *mutation,
				  size_t number)
{
	if (!mutation->is_write)
		return ST_OK;
	if (!partition_covers(applying->partition, slice_of(mutation->row_key.data, mutation->row_key.len)))
		return ST_CORRUPT;
	put_row(applying, mutation, mutation->outcome == NULL ? 0 : mutation->outcome->new_size_bytes);
	for (size_t i = 0; i < mutation->n_local_rows; i++) {
		enum status status = put_local_row(applying, mutation, mutation->local_rows[i]);

		if (status != ST_OK)
			return status;
	}
	if (partition_indexes_logs_changes(&applying->partition->indexes))
		log_change(applying, mutation, number);
	return ST_OK;
}

static enum status apply_writes(const struct applying *applying)
{
	struct partition *partition = applying->partition;
	const Cleave__PartitionCommand *command = applying->command;
	enum status status;

	for (size_t i = 0; i < command->n_mutations; i++) {
		status = apply_mutation(applying, command->mutations[i], i);
		if (status != ST_OK)
			return status;
	}
	status = partition_outcomes_apply(&partition->outcomes, partition->env->engine, applying->batch,
					  command, applying->index, applying->term);
	if (status == ST_OK)
		partition->fsm.recorded_index = applying->index;
	return status;
}

/* Rows of a global index: those that the source's mark has not passed, then the mark. */
static enum status apply_index_rows(const struct applying *applying)
{
	struct partition *partition = applying->partition;
	const Cleave__PartitionCommand *command = applying->command;
	struct slice mark = partition_sources_mark(&partition->sources, command->source_partition_id);
	struct slice position = mark;

	for (size_t i = 0; i < command->n_mutations; i++) {
		const Cleave__Mutation *mutation = command->mutations[i];
		struct slice item = slice_of(mutation->item.data, mutation->item.len);

		position = slice_of(mutation->position.data, mutation->position.len);
		if (slice_compare(position, mark) <= 0)
			continue;
		if (!partition_covers(partition, slice_of(mutation->row_key.data, mutation->row_key.len)))
			return ST_CORRUPT;
		put_row(applying, mutation, (uint32_t)item_size_bytes(item));
	}
	if (slice_compare(position, mark) <= 0)
		return ST_OK;
	return partition_sources_move(&partition->sources, partition->env->engine, applying->batch,
				      command->source_partition_id, position);
}

static enum status apply_progress(const struct applying *applying)
{
	struct partition *partition = applying->partition;

	for (size_t i = 0; i < applying->command->n_progress; i++) {
		enum status status = partition_indexes_apply_progress(&partition->indexes,
								      partition->env->engine, applying->batch,
								      applying->command->progress[i]);

		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

static enum status apply_body(const struct applying *applying)
{
	struct partition *partition = applying->partition;
	const Cleave__PartitionCommand *command = applying->command;

	if (command->indexes != NULL)
		return partition_indexes_apply(&partition->indexes, partition->env->engine, applying->batch,
					       applying->index, command->indexes);
	if (command->n_progress > 0)
		return apply_progress(applying);
	if (command->source_partition_id != 0)
		return apply_index_rows(applying);
	return apply_writes(applying);
}

static enum status apply_one(const struct applying *applying)
{
	struct partition *partition = applying->partition;
	const Cleave__PartitionCommand *command = applying->command;
	enum status status = apply_body(applying);

	if (command->hlc > partition->last_hlc)
		partition->last_hlc = command->hlc;
	if (command->window_ms > partition->window_ms)
		partition->window_ms = command->window_ms;
	return status;
}

static Cleave__PartitionCommand *decode(struct partition *partition, const void *body, size_t size_bytes)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&partition->arena);

	return cleave__partition_command__unpack(&allocator, size_bytes, body);
}

static enum status apply_command(const struct applying *applying)
{
	const Cleave__PartitionCommand *command = applying->command;
	struct applying one = *applying;
	enum status status = ST_OK;

	if (command->n_gathered == 0)
		return apply_one(applying);
	for (size_t i = 0; status == ST_OK && i < command->n_gathered; i++) {
		one.command = decode(applying->partition, command->gathered[i].data,
				     command->gathered[i].len);
		/* Nothing else is gathered: the numbers of changes begin anew in each command. */
		status = one.command == NULL || one.command->source_partition_id == 0 ||
					 one.command->n_gathered > 0
				 ? ST_CORRUPT
				 : apply_one(&one);
	}
	return status;
}

static enum status apply(struct group_fsm *fsm, const struct group_command *command,
			 struct engine_batch *batch)
{
	struct partition *partition = partition_of(fsm);
	Cleave__PartitionCommand *decoded = decode(partition, command->body.data, command->body.size);
	struct applying applying = { partition, batch, decoded, command->index, command->term };
	enum status status = decoded == NULL ? ST_CORRUPT : apply_command(&applying);

	arena_reset(&partition->arena);
	return status;
}

static void applied(struct group_fsm *fsm, uint64_t index)
{
	struct partition *partition = partition_of(fsm);

	if (partition->env->feeders != NULL && group_is_ready(partition->group) &&
	    (partition->feeder != NULL || partition->indexes.feed_count > 0))
		partition->env->feeders->changed(partition->env->feeders, partition);
	partition_write_on_applied(partition, index);
	partition_propose_on_applied(partition, index);
	if (partition->wants_definitions)
		partition_definitions_follow(partition);
}

static void leader_ready(struct group_fsm *fsm)
{
	struct partition *partition = partition_of(fsm);
	struct partition_env *env = partition->env;

	partition->window_mono_ms = runtime_mono_ms(env->runtime);
	partition_definitions_follow(partition);
	if (env->feeders != NULL && partition->indexes.feed_count > 0)
		env->feeders->changed(env->feeders, partition);
	if (env->leader_changed != NULL)
		env->leader_changed(env);
}

static void leader_lost(struct group_fsm *fsm)
{
	struct partition *partition = partition_of(fsm);

	partition->window_mono_ms = 0;
	partition_on_lost(partition);
	if (partition->env->leader_changed != NULL)
		partition->env->leader_changed(partition->env);
}

static size_t ranges(struct group_fsm *fsm, struct group_range ranges_out[GROUP_RANGES_MAX])
{
	struct partition *partition = partition_of(fsm);
	struct slice start = buf_slice(&partition->range_start);
	struct slice end = buf_slice(&partition->range_end);
	struct slice own_start = slice_of(partition->own_rows_start, sizeof(partition->own_rows_start));
	struct slice own_end = slice_of(partition->own_rows_end, sizeof(partition->own_rows_end));

	/* Ascending by family: snapshots are staged in this order. */
	ranges_out[0] = (struct group_range){ FAMILY_ITEMS, start, end };
	ranges_out[1] = (struct group_range){ FAMILY_LOCAL_INDEXES, start, end };
	ranges_out[2] = (struct group_range){ FAMILY_CHANGES, own_start, own_end };
	ranges_out[3] = (struct group_range){ FAMILY_META, own_start, own_end };
	return 4;
}

static enum status restored(struct group_fsm *fsm)
{
	struct partition *partition = partition_of(fsm);

	partition_outcomes_close(&partition->outcomes);
	partition_outcomes_init(&partition->outcomes, partition->id);
	return partition_fsm_load(partition);
}

static enum status recorded(struct group_fsm *fsm, uint64_t *index_out, uint64_t *term_out)
{
	struct partition *partition = partition_of(fsm);

	return partition_outcomes_recorded(partition->env->engine, partition->id, index_out, term_out);
}

const struct group_fsm_ops partition_fsm_ops = {
	.apply = apply,
	.applied = applied,
	.leader_ready = leader_ready,
	.leader_lost = leader_lost,
	.ranges = ranges,
	.restored = restored,
	.recorded = recorded,
};

/* --- the partition's own rows --- */

static struct slice meta_key(uint8_t key[META_KEY_SIZE], uint64_t partition_id)
{
	put_u64_be(key, partition_id);
	key[8] = 'M';
	return slice_of(key, META_KEY_SIZE);
}

enum status partition_fsm_put_meta(struct partition *partition, struct engine_batch *batch)
{
	Cleave__PartitionMeta meta;
	struct buf packed;
	uint8_t key[META_KEY_SIZE];
	uint8_t *start;

	cleave__partition_meta__init(&meta);
	meta.table_id = partition->table_id;
	meta.epoch = partition->epoch;
	meta.catalog_version = partition->catalog_version;
	meta.awaits_indexes = partition->awaits_indexes;
	meta.range_start = (ProtobufCBinaryData){ partition->range_start.size, partition->range_start.data };
	meta.range_end = (ProtobufCBinaryData){ partition->range_end.size, partition->range_end.data };
	buf_init(&packed, META_SIZE_MAX);
	buf_put_u8(&packed, META_VERSION);
	start = buf_extend(&packed, cleave__partition_meta__get_packed_size(&meta));
	if (start == NULL) {
		buf_close(&packed);
		return ST_NO_MEMORY;
	}
	(void)cleave__partition_meta__pack(&meta, start);
	engine_batch_put(partition->env->engine, batch, FAMILY_META, meta_key(key, partition->id),
			 buf_slice(&packed));
	buf_close(&packed);
	return ST_OK;
}

static enum status take_meta(struct partition *partition, struct slice value)
{
	Cleave__PartitionMeta *meta;
	enum status status;

	if (value.size < 1 || value.data[0] != META_VERSION)
		return value.size < 1 ? ST_CORRUPT : ST_VERSION;
	meta = cleave__partition_meta__unpack(NULL, value.size - 1, value.data + 1);
	if (meta == NULL)
		return ST_CORRUPT;
	partition->table_id = meta->table_id;
	partition->epoch = meta->epoch;
	partition->catalog_version = meta->catalog_version;
	partition->awaits_indexes = meta->awaits_indexes;
	buf_reset(&partition->range_start);
	buf_reset(&partition->range_end);
	buf_append(&partition->range_start, meta->range_start.data, meta->range_start.len);
	buf_append(&partition->range_end, meta->range_end.data, meta->range_end.len);
	status = partition->range_start.status != ST_OK ? partition->range_start.status
							: partition->range_end.status;
	cleave__partition_meta__free_unpacked(meta, NULL);
	return status;
}

enum status partition_fsm_load(struct partition *partition)
{
	struct engine_value value;
	uint8_t key[META_KEY_SIZE];
	enum status status = engine_get(partition->env->engine, FAMILY_META, meta_key(key, partition->id),
					ENGINE_READ_MAY_BLOCK, &value);

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_CORRUPT : status;
	status = take_meta(partition, value.slice);
	engine_value_release(&value);
	if (status == ST_OK)
		status = partition_indexes_load(&partition->indexes, partition->env->engine,
						partition->awaits_indexes);
	if (status == ST_OK)
		status = partition_sources_load(&partition->sources, partition->env->engine);
	if (status == ST_OK)
		status = partition_outcomes_load(&partition->outcomes, partition->env->engine);
	if (status == ST_OK && !queue_is_empty(&partition->outcomes.commands))
		partition->last_hlc = partition_outcomes_newest_hlc(&partition->outcomes);
	if (status == ST_OK)
		partition->window_ms = partition_outcomes_newest_window_ms(&partition->outcomes);
	return status;
}
