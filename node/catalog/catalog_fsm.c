#include "node/catalog/catalog_fsm.h"

#include "node/catalog/catalog_load.h"
#include "node/catalog/catalog_rows.h"
#include "proto/wire/proto_arena.h"

enum {
	COMMAND_ARENA_SIZE_MAX = 16 * 1024 * 1024,
	REPLY_SIZE_MAX = 256 * 1024,
};

/* One command on its way into the state and the batch. */
struct applying {
	struct catalog_fsm *fsm;
	struct engine_batch *batch;
	struct arena *arena; /* of the command, and for records to write */
	uint64_t version;    /* that the command makes */
	struct slice request_id;
};

static struct catalog_fsm *fsm_of(struct group_fsm *base)
{
	return CONTAINER_OF(base, struct catalog_fsm, base);
}

/* --- remembering --- */

static void drop_oldest_removal(struct applying *applying)
{
	struct catalog_fsm *fsm = applying->fsm;

	fsm->removals_known_from = fsm->removals[0].version;
	catalog_rows_delete(fsm->engine, applying->batch, CATALOG_ROW_REMOVED, fsm->removals[0].version);
	fsm->removal_count--;
	memmove(fsm->removals, fsm->removals + 1, fsm->removal_count * sizeof(fsm->removals[0]));
}

static enum status remember_removal(struct applying *applying, enum catalog_removed_kind kind, uint64_t id)
{
	struct catalog_fsm *fsm = applying->fsm;
	Cleave__RemovedRecord record = CLEAVE__REMOVED_RECORD__INIT;

	if (fsm->removal_count == CATALOG_REMOVALS_MAX)
		drop_oldest_removal(applying);
	fsm->removals[fsm->removal_count++] = (struct catalog_removed){ kind, id, applying->version };
	record.kind = (Cleave__RemovedRecord__Kind)kind;
	record.id = id;
	record.version = applying->version;
	return catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_REMOVED, applying->version,
				&record.base);
}

static void drop_oldest_outcome(struct applying *applying)
{
	struct catalog_fsm *fsm = applying->fsm;

	catalog_rows_delete(fsm->engine, applying->batch, CATALOG_ROW_REQUEST, fsm->outcomes.list[0].version);
	catalog_outcomes_drop_oldest(&fsm->outcomes);
}

static enum status remember_outcome(struct applying *applying, Cleave__TableRecord *table)
{
	struct catalog_fsm *fsm = applying->fsm;
	Cleave__RememberedRequest record = CLEAVE__REMEMBERED_REQUEST__INIT;
	Cleave__TableReply reply = CLEAVE__TABLE_REPLY__INIT;
	struct buf packed;
	uint8_t *room;
	enum status status;

	if (applying->request_id.size == 0)
		return ST_OK;
	if (fsm->outcomes.count == CATALOG_OUTCOMES_MAX)
		drop_oldest_outcome(applying);
	reply.table = table;
	reply.catalog_version = applying->version;
	record.request_id.data = arena_copy(applying->arena, applying->request_id);
	record.request_id.len = applying->request_id.size;
	record.reply = &reply;
	buf_init(&packed, REPLY_SIZE_MAX);
	room = buf_extend(&packed, cleave__table_reply__get_packed_size(&reply));
	if (room == NULL || record.request_id.data == NULL) {
		status = ST_NO_MEMORY;
		goto close;
	}
	(void)cleave__table_reply__pack(&reply, room);
	status = catalog_outcomes_add(&fsm->outcomes, applying->version, applying->request_id,
				      buf_slice(&packed));
	if (status == ST_OK)
		status = catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_REQUEST,
					  applying->version, &record.base);
close:
	buf_close(&packed);
	return status;
}

/* --- records into state and batch --- */

static enum status put_node(struct applying *applying, Cleave__NodeRecord *record)
{
	struct catalog_fsm *fsm = applying->fsm;
	struct node_info node;
	enum status status;

	record->version = applying->version;
	status = node_info_decode(record, &node);
	if (status == ST_OK)
		status = catalog_state_put_node(&fsm->state, &node);
	if (status == ST_OK)
		status = catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_NODE, node.node_id,
					  &record->base);
	return status;
}

static enum status put_table(struct applying *applying, Cleave__TableRecord *record)
{
	struct catalog_fsm *fsm = applying->fsm;
	struct table_info table;
	enum status status;

	record->version = applying->version;
	status = table_info_decode(record, applying->arena, &table);
	if (status == ST_OK)
		status = catalog_state_put_table(&fsm->state, &table);
	if (status != ST_OK)
		return status;
	if (table.table_id >= fsm->next_table_id)
		fsm->next_table_id = table.table_id + 1;
	return catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_TABLE, table.table_id,
				&record->base);
}

static void note_partition_ids(struct catalog_fsm *fsm, const struct partition_info *partition)
{
	if (partition->partition_id >= fsm->next_partition_id)
		fsm->next_partition_id = partition->partition_id + 1;
	for (uint32_t i = 0; i < partition->replica_count; i++) {
		if (partition->replicas[i].replica_id >= fsm->next_replica_id)
			fsm->next_replica_id = partition->replicas[i].replica_id + 1;
	}
}

static enum status put_partition(struct applying *applying, Cleave__PartitionRecord *record)
{
	struct catalog_fsm *fsm = applying->fsm;
	struct partition_info *partition;
	enum status status;

	record->version = applying->version;
	status = partition_info_decode(record, &partition);
	if (status != ST_OK)
		return status;
	status = catalog_state_put_partition(&fsm->state, partition);
	if (status != ST_OK) {
		partition_info_free(partition);
		return status;
	}
	note_partition_ids(fsm, partition);
	return catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_PARTITION, record->partition_id,
				&record->base);
}

static bool is_known(const struct catalog_state *state, const Cleave__TableRecord *table)
{
	return catalog_state_table_named(state, slice_of_string(table->name)) != NULL ||
	       catalog_state_table(state, table->table_id) != NULL;
}

static enum status add_table(struct applying *applying, Cleave__CreateTableCommand *command)
{
	enum status status;

	if (command->table == NULL)
		return ST_CORRUPT;
	status = put_table(applying, command->table);
	for (size_t i = 0; i < command->n_partitions && status == ST_OK; i++)
		status = put_partition(applying, command->partitions[i]);
	for (size_t i = 0; i < command->n_derived && status == ST_OK; i++)
		status = add_table(applying, command->derived[i]);
	return status;
}

/* A table and the tables derived from it. */
static enum status create_table(struct applying *applying, Cleave__CreateTableCommand *command)
{
	enum status status;

	if (command->table == NULL)
		return ST_CORRUPT;
	/* The leader looked; should it be wrong, all replicas refuse alike. */
	if (is_known(&applying->fsm->state, command->table))
		return ST_OK;
	status = add_table(applying, command);
	return status == ST_OK ? remember_outcome(applying, command->table) : status;
}

static enum status replace_table(struct applying *applying, Cleave__TableRecord *record)
{
	const struct table_info *table = catalog_state_table(&applying->fsm->state, record->table_id);
	enum status status;

	if (table == NULL || strcmp(table->name, record->name) != 0)
		return ST_OK; /* removed meanwhile */
	status = put_table(applying, record);
	return status == ST_OK ? remember_outcome(applying, record) : status;
}

/* A table gets an index: its record and the derived table, at one version. */
static enum status create_index(struct applying *applying, Cleave__CreateIndexCommand *command)
{
	const struct catalog_state *state = &applying->fsm->state;
	enum status status;

	if (command->table == NULL || command->derived == NULL || command->derived->table == NULL)
		return ST_CORRUPT;
	if (catalog_state_table(state, command->table->table_id) == NULL ||
	    is_known(state, command->derived->table))
		return ST_OK; /* as replace_table() and create_table() */
	status = replace_table(applying, command->table);
	return status == ST_OK ? add_table(applying, command->derived) : status;
}

static enum status replace_partition(struct applying *applying, Cleave__PartitionRecord *record)
{
	if (catalog_state_table(&applying->fsm->state, record->table_id) == NULL)
		return ST_OK; /* its table was removed meanwhile */
	return put_partition(applying, record);
}

static enum status remove_table(struct applying *applying, const Cleave__RemoveTableCommand *command)
{
	struct catalog_fsm *fsm = applying->fsm;
	const struct partition_info *partition;

	if (catalog_state_table(&fsm->state, command->table_id) == NULL)
		return ST_OK;
	for (size_t i = 0;
	     (partition = catalog_state_partition_at(&fsm->state, command->table_id, i)) != NULL; i++)
		catalog_rows_delete(fsm->engine, applying->batch, CATALOG_ROW_PARTITION,
				    partition->partition_id);
	catalog_rows_delete(fsm->engine, applying->batch, CATALOG_ROW_TABLE, command->table_id);
	catalog_state_remove_table(&fsm->state, command->table_id);
	return remember_removal(applying, CATALOG_REMOVED_TABLE, command->table_id);
}

static enum status put_settings(struct applying *applying, Cleave__CatalogSettings *record)
{
	struct catalog_fsm *fsm = applying->fsm;

	record->version = applying->version;
	catalog_settings_decode(record, &fsm->state.settings);
	return catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_SETTINGS, 0, &record->base);
}

static enum status put_head(const struct applying *applying)
{
	const struct catalog_fsm *fsm = applying->fsm;
	Cleave__CatalogHead head = CLEAVE__CATALOG_HEAD__INIT;

	head.version = applying->version;
	head.next_table_id = fsm->next_table_id;
	head.next_partition_id = fsm->next_partition_id;
	head.next_replica_id = fsm->next_replica_id;
	head.removals_known_from = fsm->removals_known_from;
	return catalog_rows_put(fsm->engine, applying->batch, CATALOG_ROW_HEAD, 0, &head.base);
}

/* --- the group's calls --- */

static enum status apply_command(struct applying *applying, Cleave__CatalogCommand *command)
{
	switch (command->command_case) {
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_NODE:
		return put_node(applying, command->put_node);
	case CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE:
		return create_table(applying, command->create_table);
	case CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_INDEX:
		return create_index(applying, command->create_index);
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE:
		return replace_table(applying, command->put_table);
	case CLEAVE__CATALOG_COMMAND__COMMAND_REMOVE_TABLE:
		return remove_table(applying, command->remove_table);
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_SETTINGS:
		return put_settings(applying, command->put_settings);
	case CLEAVE__CATALOG_COMMAND__COMMAND_PUT_PARTITION:
		return replace_partition(applying, command->put_partition);
	default:
		return ST_CORRUPT;
	}
}

static enum status on_apply(struct group_fsm *base, const struct group_command *command,
			    struct engine_batch *batch)
{
	struct catalog_fsm *fsm = fsm_of(base);
	struct arena arena;
	struct applying applying = { .fsm = fsm, .batch = batch, .arena = &arena };
	ProtobufCAllocator allocator;
	Cleave__CatalogCommand *unpacked;
	enum status status = ST_CORRUPT;

	arena_init(&arena, COMMAND_ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	unpacked = cleave__catalog_command__unpack(&allocator, command->body.size, command->body.data);
	if (unpacked != NULL) {
		applying.version = fsm->state.version + 1;
		applying.request_id = slice_of(unpacked->request_id.data, unpacked->request_id.len);
		status = apply_command(&applying, unpacked);
	}
	if (status == ST_OK)
		status = put_head(&applying);
	if (status == ST_OK)
		fsm->state.version = applying.version;
	arena_close(&arena);
	return status;
}

static void on_applied(struct group_fsm *base, uint64_t index)
{
	struct catalog_fsm *fsm = fsm_of(base);

	fsm->events->applied(fsm, index);
}

static void on_leader_ready(struct group_fsm *base)
{
	struct catalog_fsm *fsm = fsm_of(base);

	fsm->events->leader_ready(fsm);
}

static void on_leader_lost(struct group_fsm *base)
{
	struct catalog_fsm *fsm = fsm_of(base);

	fsm->events->leader_lost(fsm);
}

static size_t on_ranges(struct group_fsm *base, struct group_range ranges_out[GROUP_RANGES_MAX])
{
	struct catalog_fsm *fsm = fsm_of(base);

	ranges_out[0] = (struct group_range){
		.family = FAMILY_META,
		.start = slice_of(fsm->range_start, sizeof(fsm->range_start)),
		.end = slice_of(fsm->range_end, sizeof(fsm->range_end)),
	};
	return 1;
}

static enum status on_restored(struct group_fsm *base)
{
	struct catalog_fsm *fsm = fsm_of(base);
	enum status status = catalog_load(fsm);

	if (status == ST_OK)
		fsm->events->applied(fsm, 0);
	return status;
}

static const struct group_fsm_ops ops = {
	.apply = on_apply,
	.applied = on_applied,
	.leader_ready = on_leader_ready,
	.leader_lost = on_leader_lost,
	.ranges = on_ranges,
	.restored = on_restored,
};

/* --- life --- */

void catalog_fsm_init(struct catalog_fsm *fsm, struct engine *engine, const struct catalog_fsm_events *events)
{
	*fsm = (struct catalog_fsm){ .base = { .ops = &ops }, .events = events, .engine = engine };
	catalog_state_init(&fsm->state);
	catalog_rows_bounds(fsm->range_start, fsm->range_end);
	catalog_fsm_forget(fsm);
}

void catalog_fsm_forget(struct catalog_fsm *fsm)
{
	catalog_state_close(&fsm->state);
	catalog_outcomes_clear(&fsm->outcomes);
	fsm->removal_count = 0;
	fsm->removals_known_from = 0;
	fsm->next_table_id = 1;
	fsm->next_partition_id = CATALOG_FIRST_PARTITION_ID;
	fsm->next_replica_id = CATALOG_FIRST_PARTITION_ID;
}

enum status catalog_fsm_pack_update(const struct catalog_fsm *fsm, uint64_t from_version, struct buf *out)
{
	bool is_full = from_version == 0 || from_version < fsm->removals_known_from;

	return catalog_update_pack(&fsm->state, from_version, is_full, fsm->removals, fsm->removal_count,
				   out);
}
