/* Requests to create, change and delete tables: evaluated at the leader, on applied state. */
#include "node/catalog/catalog_creation.h"
#include "node/catalog/catalog_units.h"
#include "proto/catalog/index_info.h"
#include "proto/catalog/tag_info.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

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
	if (table == NULL || !table_info_is_named(table))
		return ST_NOT_FOUND;
	if (table->state != TABLE_ACTIVE)
		return ST_BUSY;
	*table_out = table;
	return ST_OK;
}

/* What replicas could not decode must not get into the log. */
static bool can_be_logged(struct evaluation *evaluation, const Cleave__TableRecord *record)
{
	struct table_info decoded;

	return table_info_decode(record, &evaluation->arena, &decoded) == ST_OK;
}

static enum status submit_table(struct evaluation *evaluation, const struct table_info *table)
{
	evaluation->command.put_table = table_info_encode(table, &evaluation->arena);
	evaluation->command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE;
	if (evaluation->command.put_table == NULL)
		return ST_NO_MEMORY;
	if (!can_be_logged(evaluation, evaluation->command.put_table))
		return ST_INVALID;
	return catalog_submit(evaluation->catalog, &evaluation->command, evaluation->request);
}

/* --- create --- */

/* Tables that clients made; global indexes do not count. */
static size_t named_count(const struct catalog_state *state)
{
	const struct table_info *table;
	size_t count = 0;

	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++)
		count += table_info_is_named(table);
	return count;
}

/* What is proposed and not applied yet counts as there. */
static enum status check_new_table(const struct evaluation *evaluation, const struct table_info *table)
{
	const struct catalog *catalog = evaluation->catalog;
	size_t pending_count = catalog->next_table_id - catalog->fsm.next_table_id;

	if (catalog_table_is_changing(catalog, table->name))
		return ST_OVERLOADED;
	if (catalog_state_table_named(evaluation->state, slice_of_string(table->name)) != NULL)
		return ST_EXISTS;
	if (named_count(evaluation->state) + pending_count >= LIMIT_TABLE_COUNT ||
	    evaluation->state->table_count + pending_count + TABLE_INDEXES_MAX >= CATALOG_TABLES_MAX)
		return ST_TOO_BIG;
	if (evaluation->state->settings.version == 0 || catalog->driver == NULL)
		return ST_UNAVAILABLE;
	return ST_OK;
}

static enum status create_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	Cleave__CreateTableCommand create = CLEAVE__CREATE_TABLE_COMMAND__INIT;
	const Cleave__CreateTableRequest *unpacked = cleave__create_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	struct catalog_creation creation;
	struct table_info table;
	enum status status;

	if (unpacked == NULL || unpacked->table == NULL || unpacked->table->base_table_id != 0 ||
	    table_info_decode(unpacked->table, &evaluation->arena, &table) != ST_OK)
		return ST_INVALID;
	status = check_request_id(evaluation, &unpacked->request_id);
	if (status == ST_OK)
		status = check_new_table(evaluation, &table);
	if (status != ST_OK)
		return status;
	catalog_creation_begin(&creation, evaluation->catalog, &evaluation->arena, evaluation->now_wall_us);
	catalog_creation_identify(&creation, &table);
	table.is_born_with_indexes = table.indexes != NULL;
	status = catalog_creation_number(&creation, table.indexes, &table.indexes);
	if (status == ST_OK)
		status = catalog_creation_place(&creation, &table, unpacked->partition_count, &create);
	if (status == ST_OK)
		status = catalog_creation_derive_all(&creation, &table, &create);
	if (status != ST_OK)
		return status;
	evaluation->command.create_table = &create;
	evaluation->command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE;
	status = catalog_submit(evaluation->catalog, &evaluation->command, evaluation->request);
	if (status == ST_OK)
		catalog_creation_commit(&creation);
	return status;
}

/* --- update --- */

static bool has_unsettled_index(const struct table_info *table)
{
	for (uint32_t i = 0; table->indexes != NULL && i < table->indexes->count; i++) {
		if (table->indexes->list[i].state == INDEX_CREATING ||
		    table->indexes->list[i].state == INDEX_DELETING)
			return true;
	}
	return false;
}

/* What is proposed and not applied yet counts as there. */
static enum status check_new_index(const struct evaluation *evaluation, const struct table_info *table)
{
	const struct catalog *catalog = evaluation->catalog;
	size_t pending_count = catalog->next_table_id - catalog->fsm.next_table_id;
	uint32_t global_count = 0;
	uint32_t cursor = 0;

	while (table_indexes_next(table->indexes, false, &cursor) != NULL)
		global_count++;
	if (has_unsettled_index(table) || global_count >= LIMIT_GLOBAL_INDEX_COUNT ||
	    evaluation->state->table_count + pending_count >= CATALOG_TABLES_MAX)
		return ST_TOO_BIG;
	return catalog->driver == NULL ? ST_UNAVAILABLE : ST_OK;
}

/* The table with one index more. */
static enum status append_index(struct evaluation *evaluation, struct table_info *table,
				const struct table_index *index)
{
	uint32_t count = table->indexes == NULL ? 0 : table->indexes->count;
	struct table_indexes *bigger;

	if (count == TABLE_INDEXES_MAX)
		return ST_TOO_BIG;
	bigger = arena_alloc(&evaluation->arena, sizeof(*bigger) + (count + 1) * sizeof(bigger->list[0]));
	if (bigger == NULL)
		return ST_NO_MEMORY;
	bigger->count = count + 1;
	if (count > 0)
		memcpy(bigger->list, table->indexes->list, count * sizeof(bigger->list[0]));
	bigger->list[count] = *index;
	table->indexes = bigger;
	return ST_OK;
}

/* The index and its derived table begin together; the driver goes on. */
static enum status create_index(struct evaluation *evaluation, struct table_info *table,
				const Cleave__IndexRecord *record)
{
	Cleave__CreateIndexCommand create = CLEAVE__CREATE_INDEX_COMMAND__INIT;
	struct catalog_creation creation;
	struct table_index index;
	enum status status;

	if (index_info_decode(record, &evaluation->arena, &index) != ST_OK || table_index_is_local(&index) ||
	    table_indexes_find(table->indexes, slice_of_string(index.name)) != NULL)
		return ST_INVALID;
	status = check_new_index(evaluation, table);
	if (status != ST_OK)
		return status;
	catalog_creation_begin(&creation, evaluation->catalog, &evaluation->arena, evaluation->now_wall_us);
	index.table_id = creation.ids.next_table_id++;
	index.state = INDEX_CREATING;
	index.is_backfilling = false;
	index.next_units.is_set = false;
	status = append_index(evaluation, table, &index);
	if (status == ST_OK)
		status = catalog_creation_derive(&creation, table, &index, &create.derived);
	if (status != ST_OK)
		return status;
	create.table = table_info_encode(table, &evaluation->arena);
	if (create.table == NULL)
		return ST_NO_MEMORY;
	if (!can_be_logged(evaluation, create.table))
		return ST_INVALID;
	evaluation->command.create_index = &create;
	evaluation->command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_INDEX;
	status = catalog_submit(evaluation->catalog, &evaluation->command, evaluation->request);
	if (status == ST_OK)
		catalog_creation_commit(&creation);
	return status;
}

/* Its rows are no longer made from now on; the driver drops the derived table and the record. */
static enum status delete_index(struct evaluation *evaluation, struct table_info *table, const char *name)
{
	const struct table_index *found = table_indexes_find(table->indexes, slice_of_string(name));
	struct table_indexes *copy;
	void *room;

	if (found == NULL || table_index_is_local(found))
		return ST_INVALID;
	if (has_unsettled_index(table))
		return ST_TOO_BIG;
	room = arena_alloc(&evaluation->arena, table_indexes_size(table->indexes));
	if (room == NULL)
		return ST_NO_MEMORY;
	copy = table_indexes_copy(table->indexes, room);
	copy->list[found - table->indexes->list].state = INDEX_DELETING;
	table->indexes = copy;
	return submit_table(evaluation, table);
}

static enum status update_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	const Cleave__UpdateTableRequest *unpacked = cleave__update_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	const struct table_info *old;
	const struct table_indexes *wanted;
	struct table_info table;
	enum status status;

	if (unpacked == NULL || unpacked->table == NULL ||
	    index_info_decode_all(unpacked->table, &evaluation->arena, &wanted) != ST_OK ||
	    strlen(unpacked->table->table_class) > CATALOG_CLASS_SIZE_MAX ||
	    strlen(unpacked->table->kms_key) > CATALOG_KMS_KEY_SIZE_MAX)
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
	table.deletion_protection = unpacked->table->deletion_protection;
	memcpy(table.table_class, unpacked->table->table_class, strlen(unpacked->table->table_class) + 1);
	table.is_encrypted = unpacked->table->is_encrypted;
	memcpy(table.kms_key, unpacked->table->kms_key, strlen(unpacked->table->kms_key) + 1);
	status = catalog_units_begin(&table, unpacked->table, wanted, evaluation->now_wall_us,
				     &evaluation->arena);
	if (status != ST_OK)
		return status;
	if (unpacked->create_index != NULL)
		return create_index(evaluation, &table, unpacked->create_index);
	if (unpacked->delete_index[0] != '\0')
		return delete_index(evaluation, &table, unpacked->delete_index);
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

/* --- tags --- */

/* The table goes on as it was: tags are no business of its replicas. */
static enum status tag_table(struct evaluation *evaluation, const struct rpc_request *request)
{
	const Cleave__TagTableRequest *unpacked = cleave__tag_table_request__unpack(
		&evaluation->allocator, request->body.size, request->body.data);
	const struct table_info *old;
	struct table_info table;
	enum status status;

	if (unpacked == NULL)
		return ST_INVALID;
	status = check_request_id(evaluation, &unpacked->request_id);
	if (status != ST_OK)
		return status;
	old = catalog_state_table_named(evaluation->state, slice_of_string(unpacked->name));
	if (catalog_table_is_changing(evaluation->catalog, unpacked->name))
		return ST_OVERLOADED;
	if (old == NULL)
		return ST_NOT_FOUND;
	if (!table_info_is_usable(old))
		return ST_BUSY;
	table = *old;
	status = tag_info_change(old->tags, unpacked, &evaluation->arena, &table.tags);
	if (status == ST_CORRUPT)
		return ST_INVALID;
	return status == ST_OK ? submit_table(evaluation, &table) : status;
}

/* --- all --- */

static enum status evaluate(struct evaluation *evaluation, const struct rpc_request *request)
{
	switch (request->method) {
	case METHOD_CATALOG_CREATE_TABLE:
		return create_table(evaluation, request);
	case METHOD_CATALOG_UPDATE_TABLE:
		return update_table(evaluation, request);
	case METHOD_CATALOG_TAG_TABLE:
		return tag_table(evaluation, request);
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
		catalog_refuse(catalog, request, status);
	/* else it is answered when the change has been applied */
}
