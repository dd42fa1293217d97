#include "proto/catalog/catalog_update.h"

#include "proto/wire/proto_arena.h"

/* A full update of CATALOG_PARTITIONS_MAX partitions, unpacked. */
enum { ARENA_SIZE_MAX = 256 * 1024 * 1024 };

/* --- packing --- */

struct packing {
	const struct catalog_state *state;
	struct arena arena;
	Cleave__CatalogUpdate update;
	uint64_t from_version; /* 0 for a full one */
};

static bool add_nodes(struct packing *packing)
{
	const struct node_info *node;
	size_t cursor = 0;
	size_t count = packing->state->nodes.count;

	packing->update.nodes = arena_alloc(&packing->arena, (count + 1) * sizeof(*packing->update.nodes));
	if (packing->update.nodes == NULL)
		return false;
	while ((node = catalog_state_next_node(packing->state, &cursor)) != NULL) {
		Cleave__NodeRecord *record;

		if (node->version <= packing->from_version)
			continue;
		record = node_info_encode(node, &packing->arena);
		if (record == NULL)
			return false;
		packing->update.nodes[packing->update.n_nodes++] = record;
	}
	return true;
}

static bool add_tables(struct packing *packing)
{
	size_t count = packing->state->table_count;

	packing->update.tables = arena_alloc(&packing->arena, (count + 1) * sizeof(*packing->update.tables));
	if (packing->update.tables == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct table_info *table = catalog_state_table_at(packing->state, i);
		Cleave__TableRecord *record;

		if (table->version <= packing->from_version)
			continue;
		record = table_info_encode(table, &packing->arena);
		if (record == NULL)
			return false;
		packing->update.tables[packing->update.n_tables++] = record;
	}
	return true;
}

static bool add_partitions(struct packing *packing)
{
	const struct partition_info *partition;
	size_t cursor = 0;
	size_t count = packing->state->partitions.count;

	packing->update.partitions = arena_alloc(&packing->arena,
						 (count + 1) * sizeof(*packing->update.partitions));
	if (packing->update.partitions == NULL)
		return false;
	while ((partition = catalog_state_next_partition(packing->state, &cursor)) != NULL) {
		Cleave__PartitionRecord *record;

		if (partition->version <= packing->from_version)
			continue;
		record = partition_info_encode(partition, &packing->arena);
		if (record == NULL)
			return false;
		packing->update.partitions[packing->update.n_partitions++] = record;
	}
	return true;
}

static bool add_removed(struct packing *packing, const struct catalog_removed *removed, size_t count)
{
	Cleave__RemovedRecord *records = arena_alloc(&packing->arena, (count + 1) * sizeof(*records));

	packing->update.removed = arena_alloc(&packing->arena,
					      (count + 1) * sizeof(*packing->update.removed));
	if (records == NULL || packing->update.removed == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (removed[i].version <= packing->from_version)
			continue;
		cleave__removed_record__init(&records[i]);
		records[i].kind = (Cleave__RemovedRecord__Kind)removed[i].kind;
		records[i].id = removed[i].id;
		records[i].version = removed[i].version;
		packing->update.removed[packing->update.n_removed++] = &records[i];
	}
	return true;
}

static bool add_settings(struct packing *packing)
{
	const struct catalog_settings *settings = &packing->state->settings;

	if (settings->version <= packing->from_version)
		return true;
	packing->update.settings = catalog_settings_encode(settings, &packing->arena);
	return packing->update.settings != NULL;
}

static enum status append_packed(const Cleave__CatalogUpdate *update, struct buf *out)
{
	uint8_t *room = buf_extend(out, cleave__catalog_update__get_packed_size(update));

	if (room != NULL)
		(void)cleave__catalog_update__pack(update, room);
	return out->status;
}

enum status catalog_update_pack(const struct catalog_state *state, uint64_t from_version, bool is_full,
				const struct catalog_removed *removed, size_t removed_count, struct buf *out)
{
	struct packing packing = { .state = state, .from_version = is_full ? 0 : from_version };
	enum status status = ST_NO_MEMORY;

	arena_init(&packing.arena, ARENA_SIZE_MAX);
	cleave__catalog_update__init(&packing.update);
	packing.update.version = state->version;
	packing.update.is_full = is_full;
	if (add_nodes(&packing) && add_tables(&packing) && add_partitions(&packing) &&
	    add_removed(&packing, removed, is_full ? 0 : removed_count) && add_settings(&packing))
		status = append_packed(&packing.update, out);
	arena_close(&packing.arena);
	return status;
}

/* --- applying --- */

static enum status put_tables(struct catalog_state *state, const Cleave__CatalogUpdate *update,
			      struct arena *arena)
{
	enum status status = ST_OK;

	for (size_t i = 0; i < update->n_tables && status == ST_OK; i++) {
		struct table_info table;

		status = table_info_decode(update->tables[i], arena, &table);
		if (status == ST_OK)
			status = catalog_state_put_table(state, &table);
	}
	return status;
}

static enum status put_partitions(struct catalog_state *state, const Cleave__CatalogUpdate *update)
{
	enum status status = ST_OK;

	for (size_t i = 0; i < update->n_partitions && status == ST_OK; i++) {
		struct partition_info *partition;

		status = partition_info_decode(update->partitions[i], &partition);
		if (status != ST_OK)
			break;
		status = catalog_state_put_partition(state, partition);
		if (status != ST_OK)
			partition_info_free(partition);
	}
	return status;
}

static enum status put_nodes(struct catalog_state *state, const Cleave__CatalogUpdate *update)
{
	enum status status = ST_OK;

	for (size_t i = 0; i < update->n_nodes && status == ST_OK; i++) {
		struct node_info node;

		status = node_info_decode(update->nodes[i], &node);
		if (status == ST_OK)
			status = catalog_state_put_node(state, &node);
	}
	return status;
}

static enum status remove_records(struct catalog_state *state, const Cleave__CatalogUpdate *update)
{
	for (size_t i = 0; i < update->n_removed; i++) {
		const Cleave__RemovedRecord *removed = update->removed[i];

		switch (removed->kind) {
		case CLEAVE__REMOVED_RECORD__KIND__NODE:
			catalog_state_remove_node(state, removed->id);
			break;
		case CLEAVE__REMOVED_RECORD__KIND__TABLE:
			catalog_state_remove_table(state, (uint32_t)removed->id);
			break;
		case CLEAVE__REMOVED_RECORD__KIND__PARTITION:
			catalog_state_remove_partition(state, removed->id);
			break;
		default:
			return ST_CORRUPT;
		}
	}
	return ST_OK;
}

/* Removals first: a table's name may have been given to another since. */
static enum status apply_records(struct catalog_state *state, const Cleave__CatalogUpdate *update,
				 struct arena *arena)
{
	enum status status;

	if (update->is_full)
		catalog_state_close(state);
	status = remove_records(state, update);
	if (status == ST_OK)
		status = put_nodes(state, update);
	if (status == ST_OK)
		status = put_tables(state, update, arena);
	if (status == ST_OK)
		status = put_partitions(state, update);
	if (update->settings != NULL)
		catalog_settings_decode(update->settings, &state->settings);
	state->version = status == ST_OK ? update->version : 0;
	return status;
}

enum status catalog_update_apply(struct catalog_state *state, struct slice body, bool *changed_out)
{
	struct arena arena;
	ProtobufCAllocator allocator;
	Cleave__CatalogUpdate *update;
	enum status status = ST_OK;

	arena_init(&arena, ARENA_SIZE_MAX);
	allocator = proto_arena_allocator(&arena);
	*changed_out = false;
	update = cleave__catalog_update__unpack(&allocator, body.size, body.data);
	if (update == NULL) {
		status = ST_CORRUPT;
	} else if (update->version > state->version) {
		*changed_out = true;
		status = apply_records(state, update, &arena);
	}
	arena_close(&arena);
	return status;
}
