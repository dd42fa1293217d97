/* Requests to create, change and delete tables: evaluated at the leader, on applied state. */
#include "node/catalog/catalog_internal.h"
#include "proto/base/digest.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum { S_PER_DAY = 86400, US_PER_S = 1000000 };

/* One request being evaluated; nothing here waits. */
struct evaluation {
	struct catalog *catalog;
	struct rpc_request *request;
	const struct catalog_state *state;
	struct arena arena;
	ProtobufCAllocator allocator;
	uint64_t now_wall_us;
	const struct catalog_outcome *outcome; /* of an earlier attempt of the same request */
	Cleave__CatalogCommand command;
};

/* ST_EXISTS: this very request has taken effect before, its outcome is the answer. */
static enum status check_request_id(struct evaluation *evaluation, const ProtobufCBinaryData *request_id)
{
	if (request_id->len == 0 || request_id->len > CATALOG_REQUEST_ID_SIZE_MAX)
		return ST_INVALID;
	evaluation->outcome = catalog_outcomes_find(&evaluation->catalog->fsm.outcomes,
						    slice_of(request_id->data, request_id->len));
	evaluation->command.request_id = *request_id;
	return evaluation->outcome == NULL ? ST_OK : ST_EXISTS;
}

/* The table, if it can be changed now. */
static enum status find_settled(const struct evaluation *evaluation, const char *name,
				const struct table_info **table_out)
{
	const struct table_info *table = catalog_state_table_named(evaluation->state, slice_of_string(name));

	if (catalog_table_is_changing(evaluation->catalog, name))
		return ST_OVERLOADED;
	if (table == NULL)
		return ST_NOT_FOUND;
	if (table->state != TABLE_ACTIVE)
		return ST_BUSY;
	*table_out = table;
	return ST_OK;
}

static enum status submit_table(struct evaluation *evaluation, const struct table_info *table)
{
	struct table_info decoded;

	evaluation->command.put_table = table_info_encode(table, &evaluation->arena);
	evaluation->command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE;
	if (evaluation->command.put_table == NULL)
		return ST_NO_MEMORY;
	/* What replicas could not decode must not get into the log. */
	if (table_info_decode(evaluation->command.put_table, &evaluation->arena, &decoded) != ST_OK)
		return ST_INVALID;
	return catalog_submit(evaluation->catalog, &evaluation->command, evaluation->request);
}

/* --- create --- */

/* What is proposed and not applied yet counts as there. */
static enum status check_new_table(const struct evaluation *evaluation, const struct table_info *table)
{
	const struct catalog *catalog = evaluation->catalog;
	size_t pending_count = catalog->next_table_id - catalog->fsm.next_table_id;

	if (catalog_table_is_changing(catalog, table->name))
		return ST_OVERLOADED;
	if (catalog_state_table_named(evaluation->state, slice_of_string(table->name)) != NULL)
		return ST_EXISTS;
	if (evaluation->state->table_count + pending_count >= LIMIT_TABLE_COUNT)
		return ST_TOO_BIG;
	if (evaluation->state->settings.version == 0 || catalog->driver == NULL)
		return ST_UNAVAILABLE;
	return ST_OK;
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
	table->token_seed = get_u64_be(digest + sizeof(table->uuid));
}

/* All that must not differ between replicas is chosen here. */
static void fill_new_table(const struct evaluation *evaluation, struct table_info *table)
{
	struct catalog *catalog = evaluation->catalog;

	table->table_id = catalog->next_table_id;
	table->state = TABLE_CREATING;
	choose_identity(&catalog->runtime->rng, table);
	table->created_wall_us = evaluation->now_wall_us;
	table->billing_changed_wall_us = table->is_on_demand ? evaluation->now_wall_us : 0;
	table->increased_wall_us = 0;
	table->decreased_wall_us = 0;
	table->decreases_today = 0;
}

/* Ask the driver for partitions; the ids they took are given out from now on. */
static enum status place_partitions(struct evaluation *evaluation, const struct table_info *table,
				    uint32_t partition_count, Cleave__CreateTableCommand *create)
{
	struct catalog *catalog = evaluation->catalog;
	struct catalog_placement placement = {
		.table = table,
		.partition_count = partition_count,
		.first_partition_id = catalog->next_partition_id,
		.first_replica_id = catalog->next_replica_id,
	};
	size_t pending_count = (size_t)(catalog->next_partition_id - catalog->fsm.next_partition_id);
	enum status status = catalog->driver->ops->place(catalog->driver, &placement, &evaluation->arena,
							 &create->partitions, &create->n_partitions);

	if (status != ST_OK)
		return status;
	if (evaluation->state->partitions.count + pending_count + create->n_partitions >
	    CATALOG_PARTITIONS_MAX)
		return ST_TOO_BIG;
	return ST_OK;
}

static void take_ids(struct catalog *catalog, const Cleave__CreateTableCommand *create)
{
	catalog->next_table_id++;
	for (size_t i = 0; i < create->n_partitions; i++) {
		catalog->next_partition_id++;
		catalog->next_replica_id += create->partitions[i]->n_replicas;
	}
}

static enum status create_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	Cleave__CreateTableCommand create = CLEAVE__CREATE_TABLE_COMMAND__INIT;
	const Cleave__CreateTableRequest *unpacked = cleave__create_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	struct table_info table;
	enum status status;

	if (unpacked == NULL || unpacked->table == NULL ||
	    table_info_decode(unpacked->table, &evaluation->arena, &table) != ST_OK)
		return ST_INVALID;
	status = check_request_id(evaluation, &unpacked->request_id);
	if (status == ST_OK)
		status = check_new_table(evaluation, &table);
	if (status != ST_OK)
		return status;
	fill_new_table(evaluation, &table);
	status = place_partitions(evaluation, &table, unpacked->partition_count, &create);
	if (status != ST_OK)
		return status;
	create.table = table_info_encode(&table, &evaluation->arena);
	if (create.table == NULL)
		return ST_NO_MEMORY;
	evaluation->command.create_table = &create;
	evaluation->command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE;
	status = catalog_submit(evaluation->catalog, &evaluation->command, evaluation->request);
	if (status == ST_OK)
		take_ids(evaluation->catalog, &create);
	return status;
}

/* --- update --- */

static void note_decrease(struct table_info *table, uint64_t now_wall_us)
{
	const uint64_t us_per_day = (uint64_t)S_PER_DAY * US_PER_S;
	bool is_same_day = table->decreased_wall_us / us_per_day == now_wall_us / us_per_day;

	table->decreases_today = is_same_day ? table->decreases_today + 1 : 1;
	table->decreased_wall_us = now_wall_us;
}

static void change_settings(struct table_info *table, const Cleave__TableRecord *wanted, uint64_t now_wall_us)
{
	bool was_provisioned = !table->is_on_demand && !wanted->is_on_demand;

	if (was_provisioned &&
	    (wanted->read_units > table->read_units || wanted->write_units > table->write_units))
		table->increased_wall_us = now_wall_us;
	if (was_provisioned &&
	    (wanted->read_units < table->read_units || wanted->write_units < table->write_units))
		note_decrease(table, now_wall_us);
	if (table->is_on_demand != wanted->is_on_demand)
		table->billing_changed_wall_us = now_wall_us;
	table->is_on_demand = wanted->is_on_demand;
	table->read_units = wanted->read_units;
	table->write_units = wanted->write_units;
	table->deletion_protection = wanted->deletion_protection;
}

static enum status update_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	const Cleave__UpdateTableRequest *unpacked = cleave__update_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	const struct table_info *old;
	struct table_info table;
	enum status status;

	if (unpacked == NULL || unpacked->table == NULL ||
	    strlen(unpacked->table->table_class) > CATALOG_CLASS_SIZE_MAX)
		return ST_INVALID;
	status = check_request_id(evaluation, &unpacked->request_id);
	if (status == ST_OK)
		status = find_settled(evaluation, unpacked->table->name, &old);
	if (status != ST_OK)
		return status;
	/* The caller changed what it had read: somebody else's change must not be undone by it. */
	if (unpacked->table->version != 0 && unpacked->table->version != old->version)
		return ST_CONDITION_FAILED;
	table = *old;
	table.state = TABLE_UPDATING;
	change_settings(&table, unpacked->table, evaluation->now_wall_us);
	memcpy(table.table_class, unpacked->table->table_class, strlen(unpacked->table->table_class) + 1);
	return submit_table(evaluation, &table);
}

/* --- delete --- */

static enum status delete_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	const Cleave__DeleteTableRequest *unpacked = cleave__delete_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	const struct table_info *old;
	struct table_info table;
	enum status status;

	if (unpacked == NULL)
		return ST_INVALID;
	status = check_request_id(evaluation, &unpacked->request_id);
	if (status == ST_OK)
		status = find_settled(evaluation, unpacked->name, &old);
	if (status != ST_OK)
		return status;
	if (old->deletion_protection)
		return ST_DENIED;
	table = *old;
	table.state = TABLE_DELETING;
	return submit_table(evaluation, &table);
}

/* --- all --- */

static enum status evaluate(struct evaluation *evaluation, const struct rpc_request *request)
{
	switch (request->method) {
	case METHOD_CATALOG_CREATE_TABLE:
		return create_table(evaluation, request);
	case METHOD_CATALOG_UPDATE_TABLE:
		return update_table(evaluation, request);
	default:
		return delete_table(evaluation, request);
	}
}

void catalog_handle_table(struct catalog *catalog, struct rpc_request *request)
{
	struct evaluation evaluation = {
		.catalog = catalog,
		.request = request,
		.state = &catalog->fsm.state,
		.now_wall_us = runtime_wall_us(catalog->runtime),
		.command = CLEAVE__CATALOG_COMMAND__INIT,
	};
	enum status status;

	arena_init(&evaluation.arena, CATALOG_REQUEST_ARENA_SIZE_MAX);
	evaluation.allocator = proto_arena_allocator(&evaluation.arena);
	status = evaluate(&evaluation, request);
	arena_close(&evaluation.arena);
	if (evaluation.outcome != NULL)
		rpc_request_reply(request, ST_OK, evaluation.outcome->reply);
	else if (status == ST_NOT_LEADER)
		catalog_reply_not_leader(catalog, request);
	else if (status != ST_OK)
		rpc_request_reply_status(request, status);
	/* else it is answered when the change has been applied */
}
