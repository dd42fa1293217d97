#include "node/catalog/catalog_creation.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/base/digest.h"

void catalog_creation_begin(struct catalog_creation *creation, struct catalog *catalog, struct arena *arena,
			    uint64_t now_wall_us)
{
	*creation = (struct catalog_creation){
		.catalog = catalog,
		.arena = arena,
		.now_wall_us = now_wall_us,
		.ids = { catalog->next_table_id, catalog->next_partition_id, catalog->next_replica_id },
	};
}

void catalog_creation_commit(const struct catalog_creation *creation)
{
	creation->catalog->next_table_id = creation->ids.next_table_id;
	creation->catalog->next_partition_id = creation->ids.next_partition_id;
	creation->catalog->next_replica_id = creation->ids.next_replica_id;
}

/* Clients see the uuid: hashed, it does not give away the generator's state, and so not the
 * secret seed. */
static void choose_identity(struct rng *rng, struct table_info *table)
{
	uint8_t chance[SHA256_SIZE];
	uint8_t digest[SHA256_SIZE];

	rng_fill(rng, chance, sizeof(chance));
	digest_sha256(slice_of(chance, sizeof(chance)), digest);
	memcpy(table->uuid, digest, sizeof(table->uuid));
	table->uuid[6] = (uint8_t)((table->uuid[6] & 0x0f) | 0x40); /* a random one: RFC 4122, 4.4 */
	table->uuid[8] = (uint8_t)((table->uuid[8] & 0x3f) | 0x80);
	table->token_seed = get_u64_be(digest + sizeof(table->uuid));
}

void catalog_creation_identify(struct catalog_creation *creation, struct table_info *table)
{
	table->table_id = creation->ids.next_table_id++;
	table->state = TABLE_CREATING;
	choose_identity(&creation->catalog->runtime->rng, table);
	table->created_wall_us = creation->now_wall_us;
	table->next_units.is_set = false;
	table->billing_changed_wall_us = table->is_on_demand ? creation->now_wall_us : 0;
	table->increased_wall_us = 0;
	table->decreased_wall_us = 0;
	table->decreases_today = 0;
}

enum status catalog_creation_number(struct catalog_creation *creation, const struct table_indexes *indexes,
				    const struct table_indexes **indexes_out)
{
	struct table_indexes *copy;
	uint8_t local_count = 0;
	void *room;

	*indexes_out = NULL;
	if (indexes == NULL)
		return ST_OK;
	room = arena_alloc(creation->arena, table_indexes_size(indexes));
	if (room == NULL)
		return ST_NO_MEMORY;
	copy = table_indexes_copy(indexes, room);
	for (uint32_t i = 0; i < copy->count; i++) {
		struct table_index *index = &copy->list[i];

		index->state = INDEX_CREATING;
		index->is_backfilling = false;
		index->next_units.is_set = false;
		if (table_index_is_local(index))
			index->local_number = ++local_count;
		else
			index->table_id = creation->ids.next_table_id++;
	}
	*indexes_out = copy;
	return local_count <= LIMIT_LOCAL_INDEX_COUNT ? ST_OK : ST_INVALID;
}

enum status catalog_creation_place(struct catalog_creation *creation, const struct table_info *table,
				   uint32_t partition_count, Cleave__CreateTableCommand *command)
{
	struct catalog *catalog = creation->catalog;
	struct catalog_placement placement = {
		.table = table,
		.partition_count = partition_count,
		.first_partition_id = creation->ids.next_partition_id,
		.first_replica_id = creation->ids.next_replica_id,
	};
	size_t pending_count = (size_t)(creation->ids.next_partition_id - catalog->fsm.next_partition_id);
	enum status status = catalog->driver->ops->place(catalog->driver, &placement, creation->arena,
							 &command->partitions, &command->n_partitions);

	if (status != ST_OK)
		return status;
	if (catalog->fsm.state.partitions.count + pending_count + command->n_partitions >
	    CATALOG_PARTITIONS_MAX)
		return ST_TOO_BIG;
	for (size_t i = 0; i < command->n_partitions; i++)
		creation->ids.next_replica_id += command->partitions[i]->n_replicas;
	creation->ids.next_partition_id += command->n_partitions;
	command->table = table_info_encode(table, creation->arena);
	return command->table == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status catalog_creation_derive(struct catalog_creation *creation, const struct table_info *base,
				    const struct table_index *index, Cleave__CreateTableCommand **command_out)
{
	struct table_info *derived = arena_alloc_zeroed(creation->arena, sizeof(*derived));
	Cleave__CreateTableCommand *command = arena_alloc(creation->arena, sizeof(*command));

	if (derived == NULL || command == NULL)
		return ST_NO_MEMORY;
	cleave__create_table_command__init(command);
	choose_identity(&creation->catalog->runtime->rng, derived);
	derived->table_id = index->table_id;
	derived->base_table_id = base->table_id;
	derived->state = TABLE_CREATING;
	derived->schema = index->schema;
	derived->is_on_demand = base->is_on_demand;
	derived->read_units = index->read_units;
	derived->write_units = index->write_units;
	derived->created_wall_us = creation->now_wall_us;
	(void)snprintf(derived->name, sizeof(derived->name), CATALOG_DERIVED_PREFIX "%" PRIu32,
		       derived->table_id);
	*command_out = command;
	return catalog_creation_place(creation, derived, 0, command);
}

enum status catalog_creation_derive_all(struct catalog_creation *creation, const struct table_info *base,
					Cleave__CreateTableCommand *command)
{
	const struct table_index *index;
	uint32_t cursor = 0;
	enum status status = ST_OK;

	command->derived = arena_alloc(creation->arena,
				       TABLE_INDEXES_MAX * sizeof(struct Cleave__CreateTableCommand *));
	if (command->derived == NULL)
		return ST_NO_MEMORY;
	while (status == ST_OK && (index = table_indexes_next(base->indexes, false, &cursor)) != NULL)
		status = catalog_creation_derive(creation, base, index,
						 &command->derived[command->n_derived++]);
	return status;
}
