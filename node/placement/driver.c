#include "node/placement/driver.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/catalog/catalog_units.h"
#include "node/placement/driver_internal.h"
#include "node/placement/layout.h"
#include "proto/base/log.h"

enum {
	US_PER_MS = 1000,
	TICK_MS = 1000, /* notices dead nodes; all else comes with reports and changes */
	SCRATCH_SIZE_MAX = 1024 * 1024,
};

static struct driver *driver_of(struct catalog_driver *base)
{
	return CONTAINER_OF(base, struct driver, base);
}

static const struct catalog_state *state_of(const struct driver *driver)
{
	return catalog_applied_state(driver->catalog);
}

/* --- what was told --- */

/* The tracked object of an id, made if new; NULL when out of memory. */
static void *track(struct hash_map *map, uint64_t id, size_t size)
{
	void *object = hash_map_get(map, id);

	if (object != NULL)
		return object;
	object = calloc(1, size);
	if (object == NULL || hash_map_put(map, id, object) != ST_OK) {
		free(object);
		return NULL;
	}
	return object;
}

static void forget_all(struct hash_map *map, size_t count_max)
{
	size_t cursor = 0;
	void *object;

	while ((object = hash_map_next(map, &cursor)) != NULL)
		free(object);
	hash_map_close(map);
	hash_map_init(map, count_max);
}

/* The track of a partition that the catalog has with a replica on the node; NULL otherwise. */
static struct partition_track *track_partition(struct driver *driver, uint64_t partition_id, uint64_t node_id,
					       uint64_t replica_id)
{
	const struct partition_info *partition = catalog_state_partition(state_of(driver), partition_id);
	const struct partition_replica *replica = partition == NULL
							  ? NULL
							  : partition_info_find_replica(partition, node_id);
	struct partition_track *tracked;

	if (replica == NULL || (replica_id != 0 && replica->replica_id != replica_id))
		return NULL;
	tracked = track(&driver->partitions, partition_id, sizeof(*tracked));
	if (tracked != NULL)
		tracked->partition_id = partition_id;
	return tracked;
}

static void note_feeds(struct partition_track *tracked, const Cleave__ReplicaReport *report)
{
	tracked->feed_count = 0;
	for (size_t i = 0; i < report->n_indexes && i < LIMIT_GLOBAL_INDEX_COUNT; i++)
		tracked->feeds[tracked->feed_count++] = (struct feed_track){
			report->indexes[i]->index_table_id, report->indexes[i]->is_caught_up,
			report->indexes[i]->backfilled_percent
		};
}

static void note_rows(struct partition_track *tracked, const Cleave__ReplicaReport *report)
{
	if (report->items != NULL)
		tracked->items = (struct partition_rows){ report->items->count, report->items->size_bytes };
	for (size_t i = 0; i < report->n_local_indexes && i < LIMIT_LOCAL_INDEX_COUNT; i++)
		tracked->local_indexes[i] = (struct partition_rows){ report->local_indexes[i]->count,
								     report->local_indexes[i]->size_bytes };
}

static void note_replica(struct driver *driver, uint64_t node_id, const Cleave__ReplicaReport *report)
{
	struct partition_track *tracked = track_partition(driver, report->partition_id, node_id,
							  report->replica_id);

	if (tracked == NULL)
		return;
	tracked->seen_in_report = driver->report_number;
	if (report->is_leader && report->is_ready && report->term >= tracked->leader_term) {
		tracked->leader_node_id = node_id;
		tracked->leader_term = report->term;
		note_feeds(tracked, report);
		note_rows(tracked, report);
	} else if (tracked->leader_node_id == node_id && !(report->is_leader && report->is_ready)) {
		tracked->leader_node_id = 0;
	}
}

static bool has_dropped(const struct partition_track *tracked, uint64_t node_id)
{
	for (uint32_t i = 0; tracked != NULL && i < tracked->dropped_count; i++) {
		if (tracked->dropped_node_ids[i] == node_id)
			return true;
	}
	return false;
}

static void note_dropped(struct driver *driver, uint64_t node_id, uint64_t partition_id)
{
	struct partition_track *tracked = track_partition(driver, partition_id, node_id, 0);

	if (tracked == NULL || has_dropped(tracked, node_id))
		return;
	if (tracked->dropped_count < CATALOG_REPLICAS_MAX)
		tracked->dropped_node_ids[tracked->dropped_count++] = node_id;
}

/* A node that knows of the deletion and names the partition no more has dropped it. */
static void note_absent(struct driver *driver, uint64_t node_id, uint64_t catalog_version)
{
	const struct catalog_state *state = state_of(driver);

	for (size_t i = 0; i < driver->busy_count; i++) {
		const struct table_info *table = catalog_state_table(state, driver->busy_table_ids[i]);
		const struct partition_info *partition;

		if (table == NULL || table->state != TABLE_DELETING || catalog_version < table->version)
			continue;
		for (size_t k = 0;
		     (partition = catalog_state_partition_at(state, table->table_id, k)) != NULL; k++) {
			struct partition_track *tracked = track_partition(driver, partition->partition_id,
									  node_id, 0);

			if (tracked != NULL && tracked->seen_in_report != driver->report_number)
				note_dropped(driver, node_id, partition->partition_id);
		}
	}
}

/* --- decisions --- */

/* What cannot be proposed now is decided again at the next look. */
static void propose(struct driver *driver, Cleave__CatalogCommand *command, uint32_t table_id)
{
	enum status status = catalog_propose(driver->catalog, command);

	if (status != ST_OK)
		log_debug("driver", "step waits", "table=%" PRIu32 " status=%s", table_id,
			  status_name(status));
}

void driver_propose_table(struct driver *driver, const struct table_info *table)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	struct arena arena;

	arena_init(&arena, SCRATCH_SIZE_MAX);
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE;
	command.put_table = table_info_encode(table, &arena);
	if (command.put_table != NULL)
		propose(driver, &command, table->table_id);
	arena_close(&arena);
}

/* The update is done, and what it was on its way to is there. */
static void propose_updated(struct driver *driver, const struct table_info *table)
{
	struct table_info changed = *table;
	struct arena arena;

	arena_init(&arena, SCRATCH_SIZE_MAX);
	changed.state = TABLE_ACTIVE;
	if (catalog_units_finish(&changed, runtime_wall_us(driver->runtime), &arena) == ST_OK)
		driver_propose_table(driver, &changed);
	arena_close(&arena);
}

/* The table is there, and its indexes with it. */
static void propose_active(struct driver *driver, const struct table_info *table)
{
	struct table_info changed = *table;
	struct arena arena;

	arena_init(&arena, SCRATCH_SIZE_MAX);
	changed.state = TABLE_ACTIVE;
	changed.indexes = driver_indexes_activate(table, &arena);
	if (table->indexes == NULL || changed.indexes != NULL)
		driver_propose_table(driver, &changed);
	arena_close(&arena);
}

static void propose_removal(struct driver *driver, uint32_t table_id)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	Cleave__RemoveTableCommand removal = CLEAVE__REMOVE_TABLE_COMMAND__INIT;

	removal.table_id = table_id;
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_REMOVE_TABLE;
	command.remove_table = &removal;
	propose(driver, &command, table_id);
}

bool driver_has_all_leaders(const struct driver *driver, uint32_t table_id)
{
	const struct partition_info *partition;

	for (size_t i = 0; (partition = catalog_state_partition_at(state_of(driver), table_id, i)) != NULL;
	     i++) {
		if (driver_partition_leader(driver, partition->partition_id) == 0)
			return false;
	}
	return true;
}

static bool is_dropped_everywhere(const struct driver *driver, const struct partition_info *partition)
{
	const struct partition_track *tracked = hash_map_get(&driver->partitions, partition->partition_id);

	for (uint32_t i = 0; i < partition->replica_count; i++) {
		uint64_t node_id = partition->replicas[i].node_id;

		if (!has_dropped(tracked, node_id) && driver_node_is_alive(driver, node_id))
			return false;
	}
	return true;
}

static bool is_table_dropped(const struct driver *driver, uint32_t table_id)
{
	const struct partition_info *partition;

	for (size_t i = 0; (partition = catalog_state_partition_at(state_of(driver), table_id, i)) != NULL;
	     i++) {
		if (!is_dropped_everywhere(driver, partition))
			return false;
	}
	return true;
}

static void look_at(struct driver *driver, const struct table_info *table)
{
	switch (table->state) {
	case TABLE_CREATING:
		if (driver_has_all_leaders(driver, table->table_id) &&
		    driver_indexes_are_ready(driver, table))
			propose_active(driver, table);
		break;
	case TABLE_UPDATING:
		if (driver_indexes_are_placed(driver, table))
			propose_updated(driver, table);
		break;
	case TABLE_DELETING:
		if (driver_indexes_are_gone(driver, table) && is_table_dropped(driver, table->table_id))
			propose_removal(driver, table->table_id);
		break;
	case TABLE_ACTIVE:
		driver_indexes_look_at(driver, table);
		break;
	}
}

static void find_busy_tables(struct driver *driver)
{
	const struct catalog_state *state = state_of(driver);
	const struct table_info *table;

	if (driver->busy_version == state->version)
		return;
	driver->busy_version = state->version;
	driver->busy_count = 0;
	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++) {
		if (table->state != TABLE_ACTIVE || driver_indexes_are_busy(state, table))
			driver->busy_table_ids[driver->busy_count++] = table->table_id;
	}
}

/* Take every step that can be taken now. */
static void look(struct driver *driver)
{
	find_busy_tables(driver);
	for (size_t i = 0; i < driver->busy_count; i++) {
		const struct table_info *table = catalog_state_table(state_of(driver),
								     driver->busy_table_ids[i]);

		if (table != NULL && !catalog_table_is_changing(driver->catalog, table->name))
			look_at(driver, table);
	}
}

/* Partitions that the catalog has no more need no track. */
static void sweep(struct driver *driver)
{
	struct hash_map kept;
	struct partition_track *tracked;
	size_t cursor = 0;

	if (driver->partitions.count <= state_of(driver)->partitions.count)
		return;
	hash_map_init(&kept, CATALOG_PARTITIONS_MAX);
	while ((tracked = hash_map_next(&driver->partitions, &cursor)) != NULL) {
		if (catalog_state_partition(state_of(driver), tracked->partition_id) == NULL ||
		    hash_map_put(&kept, tracked->partition_id, tracked) != ST_OK)
			free(tracked);
	}
	hash_map_close(&driver->partitions);
	driver->partitions = kept;
}

static void on_tick(struct runtime_timer *timer)
{
	struct driver *driver = CONTAINER_OF(timer, struct driver, tick);

	look(driver);
	runtime_timer_start(driver->runtime, &driver->tick, TICK_MS * US_PER_MS);
}

/* --- the catalog's calls --- */

static void forget(struct driver *driver)
{
	forget_all(&driver->nodes, CATALOG_NODES_MAX);
	forget_all(&driver->partitions, CATALOG_PARTITIONS_MAX);
	driver->busy_count = 0;
	driver->busy_version = 0;
}

static void on_leader_ready(struct catalog_driver *base)
{
	struct driver *driver = driver_of(base);

	forget(driver);
	driver->is_active = true;
	driver->active_since_mono_ms = runtime_mono_ms(driver->runtime);
	runtime_timer_start(driver->runtime, &driver->tick, TICK_MS * US_PER_MS);
}

static void on_leader_lost(struct catalog_driver *base)
{
	struct driver *driver = driver_of(base);

	driver->is_active = false;
	runtime_timer_stop(driver->runtime, &driver->tick);
	forget(driver);
}

static void on_changed(struct catalog_driver *base)
{
	struct driver *driver = driver_of(base);

	sweep(driver);
	look(driver);
}

/* Register a node that is new or came back elsewhere. */
static enum status check_node(struct driver *driver, Cleave__NodeRecord *record)
{
	const struct node_info *known = catalog_state_node(state_of(driver), record->node_id);
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	struct node_info node;
	struct arena arena;
	enum status status = node_info_decode(record, &node);

	if (status != ST_OK)
		return ST_INVALID;
	if (known != NULL && memcmp(known->incarnation, node.incarnation, sizeof(node.incarnation)) != 0)
		return ST_FORGOTTEN;
	if (known != NULL && node_info_equal(known, &node))
		return ST_OK;
	log_info("driver", "node registers", "node=%" PRIu64 " zone=%s host=%s port=%u", node.node_id,
		 node.zone, node.host, (unsigned)node.port);
	/* As we understood it: what else the record holds must not get into everybody's store. */
	arena_init(&arena, SCRATCH_SIZE_MAX);
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_NODE;
	command.put_node = node_info_encode(&node, &arena);
	status = command.put_node == NULL ? ST_NO_MEMORY : catalog_propose(driver->catalog, &command);
	arena_close(&arena);
	return status == ST_BUSY ? ST_OK : status; /* it is on its way */
}

static enum status on_report(struct catalog_driver *base, const Cleave__NodeReport *report,
			     Cleave__NodeReportReply *reply_out)
{
	struct driver *driver = driver_of(base);
	uint64_t node_id = report->node->node_id;
	struct node_track *node;
	enum status status = check_node(driver, report->node);

	if (status != ST_OK)
		return status;
	node = track(&driver->nodes, node_id, sizeof(*node));
	if (node == NULL)
		return ST_NO_MEMORY;
	node->node_id = node_id;
	node->last_report_mono_ms = runtime_mono_ms(driver->runtime);
	driver->report_number++;
	find_busy_tables(driver);
	for (size_t i = 0; i < report->n_replicas; i++)
		note_replica(driver, node_id, report->replicas[i]);
	for (size_t i = 0; i < report->n_dropped_partitions; i++)
		note_dropped(driver, node_id, report->dropped_partitions[i]);
	if (report->is_complete) {
		node->has_told_all = true;
		note_absent(driver, node_id, report->catalog_version);
	}
	reply_out->wants_complete = !node->has_told_all;
	look(driver);
	return ST_OK;
}

static enum status on_place(struct catalog_driver *base, const struct catalog_placement *placement,
			    struct arena *arena, Cleave__PartitionRecord ***partitions_out, size_t *count_out)
{
	return layout_table(state_of(driver_of(base)), placement, arena, partitions_out, count_out);
}

static void add_rows(struct catalog_rows_count *sum, const struct partition_rows *rows)
{
	sum->count += rows->count;
	sum->size_bytes += rows->size_bytes;
}

static void on_count(struct catalog_driver *base, uint32_t table_id, struct catalog_table_count *count_out)
{
	const struct driver *driver = driver_of(base);
	const struct partition_info *partition;

	*count_out = (struct catalog_table_count){ .items = { 0 } };
	for (size_t i = 0; (partition = catalog_state_partition_at(state_of(driver), table_id, i)) != NULL;
	     i++) {
		const struct partition_track *tracked = hash_map_get(&driver->partitions,
								     partition->partition_id);

		if (tracked == NULL)
			continue;
		add_rows(&count_out->items, &tracked->items);
		for (size_t k = 0; k < LIMIT_LOCAL_INDEX_COUNT; k++)
			add_rows(&count_out->local_indexes[k], &tracked->local_indexes[k]);
	}
}

static const struct catalog_driver_ops ops = {
	.leader_ready = on_leader_ready,
	.leader_lost = on_leader_lost,
	.changed = on_changed,
	.place = on_place,
	.report = on_report,
	.count = on_count,
};

/* --- life and questions --- */

enum status driver_create(struct catalog *catalog, struct runtime *runtime, struct driver **driver_out)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	if (driver == NULL)
		return ST_NO_MEMORY;
	driver->busy_table_ids = calloc(CATALOG_TABLES_MAX, sizeof(*driver->busy_table_ids));
	if (driver->busy_table_ids == NULL) {
		free(driver);
		return ST_NO_MEMORY;
	}
	driver->base.ops = &ops;
	driver->catalog = catalog;
	driver->runtime = runtime;
	runtime_timer_init(&driver->tick, on_tick);
	hash_map_init(&driver->nodes, CATALOG_NODES_MAX);
	hash_map_init(&driver->partitions, CATALOG_PARTITIONS_MAX);
	catalog_set_driver(catalog, &driver->base);
	*driver_out = driver;
	return ST_OK;
}

void driver_destroy(struct driver *driver)
{
	if (driver == NULL)
		return;
	runtime_timer_stop(driver->runtime, &driver->tick);
	forget(driver);
	free(driver->busy_table_ids);
	free(driver);
}

bool driver_node_is_alive(const struct driver *driver, uint64_t node_id)
{
	const struct node_track *node = hash_map_get(&driver->nodes, node_id);
	uint64_t heard_mono_ms = node == NULL ? driver->active_since_mono_ms : node->last_report_mono_ms;

	return driver->is_active && catalog_state_node(state_of(driver), node_id) != NULL &&
	       runtime_mono_ms(driver->runtime) - heard_mono_ms < DRIVER_NODE_DEAD_MS;
}

uint64_t driver_partition_leader(const struct driver *driver, uint64_t partition_id)
{
	const struct partition_track *tracked = hash_map_get(&driver->partitions, partition_id);

	return tracked == NULL ? 0 : tracked->leader_node_id;
}
