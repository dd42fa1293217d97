#include "tests/sim/sim_tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/methods.h"

enum {
	TRACE_TABLE = 35,
	CALL_TIMEOUT_MS = 10 * 1000,
	THINK_US_MIN = 200 * SIM_MS,
	THINK_US_MAX = 4 * SIM_SECOND,
	FIRST_US_MAX = 100 * SIM_MS,
	MESSAGE_SIZE_MAX = 4096,
	ARENA_BYTES_MAX = 64 * 1024,
	LIST_MIN = 256,
	INDEXED_TABLE = 0, /* of those that come and go */
	REPEAT_PERCENT = 15,
};

static struct sim_table_op *op_of(const struct sim_table_client *client)
{
	return &client->tables->ops[client->op_index];
}

static struct rng *rng_of(const struct sim_table_client *client)
{
	return &client->tables->world->client_rng;
}

static void table_name(char out[SIM_NAME_SIZE], uint32_t number)
{
	if (number == SIM_PASSING_TABLES)
		(void)snprintf(out, SIM_NAME_SIZE, "%s", SIM_MAIN_TABLE);
	else
		sim_passing_table_name(out, number);
}

static void think(struct sim_table_client *client, uint64_t us_max)
{
	runtime_timer_start(&client->coordinator->runtime.base, &client->timer,
			    sim_range(rng_of(client), 0, us_max));
}

/* --- ends --- */

static void report(struct sim_table_client *client, enum status status)
{
	struct sim_tables *tables = client->tables;

	if (tables->problem[0] == '\0')
		(void)snprintf(tables->problem, sizeof(tables->problem),
			       "unexpected status: operation %d on table %" PRIu32 " got %s",
			       (int)op_of(client)->kind, op_of(client)->name, status_name(status));
	tables->world->is_over = true;
}

/* Whatever has become of the table meanwhile. */
static void judge_repeat(const struct sim_table_client *client, enum status status)
{
	struct sim_tables *tables = client->tables;
	const struct sim_table_change *made = &client->made;
	bool is_first_answer = status == ST_OK && op_of(client)->table_id == made->table_id;

	/* "Busy" would be said of the table's state, which it is too late to look at. */
	if (is_first_answer || (status_is_retryable(status) && status != ST_BUSY))
		return;
	if (tables->problem[0] == '\0')
		(void)snprintf(tables->problem, sizeof(tables->problem),
			       "tables: the request that %s table %" PRIu32
			       " was sent again and got %s, table %" PRIu32,
			       made->kind == SIM_TABLE_CREATE ? "made" : "deleted", made->table_id,
			       status_name(status), op_of(client)->table_id);
	tables->world->is_over = true;
}

static void note_change(struct sim_table_client *client)
{
	const struct sim_table_op *op = op_of(client);
	struct sim_table_change *made = &client->made;

	if (op->status != ST_OK || (op->kind != SIM_TABLE_CREATE && op->kind != SIM_TABLE_DELETE))
		return;
	*made = (struct sim_table_change){ true, op->kind, op->name, op->table_id, { 0 } };
	memcpy(made->request_id, client->request_id, sizeof(made->request_id));
}

/* What a repetition is told is old: it is no part of the history. */
static void judge(struct sim_table_client *client, enum status status)
{
	struct sim_table_op *op = op_of(client);

	if (op->kind == SIM_TABLE_REPEAT) {
		judge_repeat(client, status);
		return;
	}
	switch (status) {
	case ST_OK:
	case ST_EXISTS:
	case ST_NOT_FOUND:
	case ST_BUSY:
		op->is_done = true;
		break;
	default:
		if (!status_is_retryable(status))
			report(client, status);
	}
	note_change(client);
}

static void finish(struct sim_table_client *client, enum status status)
{
	struct sim_tables *tables = client->tables;
	struct sim_table_op *op = op_of(client);

	sim_world_trace(tables->world, TRACE_TABLE + client->id * 100, (uint64_t)(int64_t)status);
	client->is_busy = false;
	op->status = status;
	op->return_us = tables->world->now_us;
	judge(client, status);
	if (op->name == SIM_PASSING_TABLES && op->is_done)
		tables->has_main = true;
	if (op->is_done && op->call_us > tables->done_call_us)
		tables->done_call_us = op->call_us;
	if (client->coordinator->is_running)
		think(client, tables->has_main ? tables->think_us_max : (uint64_t)FIRST_US_MAX);
}

static bool take_table(struct sim_table_op *op, struct slice body)
{
	Cleave__TableReply *reply = cleave__table_reply__unpack(NULL, body.size, body.data);
	struct table_info table;
	struct arena arena;
	bool is_sound;

	arena_init(&arena, ARENA_BYTES_MAX);
	is_sound = reply != NULL && reply->table != NULL &&
		   table_info_decode(reply->table, &arena, &table) == ST_OK;

	if (is_sound) {
		op->table_id = table.table_id;
		op->state = table.state;
	}
	if (reply != NULL)
		cleave__table_reply__free_unpacked(reply, NULL);
	arena_close(&arena);
	return is_sound;
}

static void on_changed(struct catalog_call *call)
{
	struct sim_table_client *client = CONTAINER_OF(call, struct sim_table_client, call);
	enum status status = call->status;

	if (status == ST_OK && !take_table(op_of(client), call->reply))
		status = ST_CORRUPT;
	finish(client, status);
}

static void on_synced(struct catalog_sync *sync)
{
	struct sim_table_client *client = CONTAINER_OF(sync, struct sim_table_client, sync);
	struct sim_table_op *op = op_of(client);
	const struct table_info *table;
	char name[SIM_NAME_SIZE];

	table_name(name, op->name);
	if (sync->status != ST_OK) {
		finish(client, sync->status);
		return;
	}
	table = catalog_state_table_named(&client->coordinator->router.view.state, slice_of_string(name));
	if (table != NULL) {
		op->table_id = table->table_id;
		op->state = table->state;
	}
	finish(client, table == NULL ? ST_NOT_FOUND : ST_OK);
}

/* --- beginnings --- */

static void start_call(struct sim_table_client *client, uint16_t method, const ProtobufCMessage *message)
{
	uint8_t body[MESSAGE_SIZE_MAX];

	CHECK(protobuf_c_message_get_packed_size(message) <= sizeof(body));
	catalog_call_start(&client->coordinator->router.view.seeds, &client->call, method,
			   slice_of(body, protobuf_c_message_pack(message, body)), CALL_TIMEOUT_MS,
			   on_changed);
}

/* The main table and one of those that come and go may be born with indexes. */
static const struct table_indexes *choose_indexes(const struct sim_table_client *client, struct arena *arena)
{
	const struct sim_index *index = client->tables->index;
	uint32_t number = op_of(client)->name;
	struct table_indexes *indexes;

	if (number != SIM_PASSING_TABLES && number != INDEXED_TABLE)
		return NULL;
	indexes = arena_alloc(arena, sizeof(*indexes) + 2 * sizeof(indexes->list[0]));
	CHECK(indexes != NULL);
	indexes->count = 0;
	if (index->is_used && (index->is_born || number == INDEXED_TABLE))
		sim_index_define(index, &indexes->list[indexes->count++]);
	if (index->has_local)
		sim_index_define_local(index, &indexes->list[indexes->count++]);
	return indexes->count == 0 ? NULL : indexes;
}

static void start_create(struct sim_table_client *client, const char *name)
{
	Cleave__CreateTableRequest message = CLEAVE__CREATE_TABLE_REQUEST__INIT;
	struct table_info table = { .is_on_demand = true };
	struct arena arena;

	arena_init(&arena, ARENA_BYTES_MAX);
	memcpy(table.name, name, strlen(name));
	CHECK(table_schema_init(&table.schema, slice_of_string("k"), slice_of_string("S")) == ST_OK);
	table.indexes = choose_indexes(client, &arena);
	message.table = table_info_encode(&table, &arena);
	CHECK(message.table != NULL);
	message.request_id = (ProtobufCBinaryData){ sizeof(client->request_id), client->request_id };
	start_call(client, METHOD_CATALOG_CREATE_TABLE, &message.base);
	arena_close(&arena);
}

static void start_delete(struct sim_table_client *client, char *name)
{
	Cleave__DeleteTableRequest message = CLEAVE__DELETE_TABLE_REQUEST__INIT;

	message.name = name;
	message.request_id = (ProtobufCBinaryData){ sizeof(client->request_id), client->request_id };
	start_call(client, METHOD_CATALOG_DELETE_TABLE, &message.base);
}

static void start(struct sim_table_client *client, enum sim_table_op_kind kind, char *name)
{
	switch (kind) {
	case SIM_TABLE_CREATE:
		start_create(client, name);
		break;
	case SIM_TABLE_DELETE:
		start_delete(client, name);
		break;
	case SIM_TABLE_DESCRIBE:
		catalog_view_sync(&client->coordinator->router.view, &client->sync, CALL_TIMEOUT_MS,
				  on_synced);
		break;
	case SIM_TABLE_REPEAT:
		memcpy(client->request_id, client->made.request_id, sizeof(client->request_id));
		start(client, client->made.kind, name);
		break;
	}
}

static size_t note(struct sim_tables *tables, const struct sim_table_op *op)
{
	if (tables->op_count == tables->op_capacity) {
		tables->op_capacity = tables->op_capacity == 0 ? LIST_MIN : 2 * tables->op_capacity;
		tables->ops = realloc(tables->ops, tables->op_capacity * sizeof(*tables->ops));
		CHECK(tables->ops != NULL);
	}
	tables->ops[tables->op_count] = *op;
	return tables->op_count++;
}

static void begin(struct sim_table_client *client, enum sim_table_op_kind kind, uint32_t number)
{
	struct sim_table_op op = { .kind = kind, .client = client->id, .name = number };
	char name[SIM_NAME_SIZE];

	op.call_us = client->tables->world->now_us;
	op.return_us = UINT64_MAX;
	client->op_index = note(client->tables, &op);
	client->is_busy = true;
	table_name(name, number);
	rng_fill(rng_of(client), client->request_id, sizeof(client->request_id));
	start(client, kind, name);
}

static void begin_any(struct sim_table_client *client)
{
	uint32_t number = (uint32_t)rng_below(rng_of(client), SIM_PASSING_TABLES);

	if (client->made.is_set && sim_percent(rng_of(client), REPEAT_PERCENT))
		begin(client, SIM_TABLE_REPEAT, client->made.name);
	else
		begin(client, (enum sim_table_op_kind)rng_below(rng_of(client), SIM_TABLE_REPEAT), number);
}

static void on_timer(struct runtime_timer *timer)
{
	struct sim_table_client *client = CONTAINER_OF(timer, struct sim_table_client, timer);
	struct sim_tables *tables = client->tables;

	if (tables->is_stopping)
		return;
	if (!tables->has_main) {
		if (client->id == 0)
			begin(client, SIM_TABLE_CREATE, SIM_PASSING_TABLES);
		else
			think(client, FIRST_US_MAX);
		return;
	}
	begin_any(client);
}

/* --- life --- */

static void on_begin(struct sim_user *user)
{
	struct sim_table_client *client = CONTAINER_OF(user, struct sim_table_client, user);

	runtime_timer_init(&client->timer, on_timer);
	think(client, FIRST_US_MAX);
}

static void on_end(struct sim_user *user)
{
	struct sim_table_client *client = CONTAINER_OF(user, struct sim_table_client, user);

	runtime_timer_stop(&client->coordinator->runtime.base, &client->timer);
	if (client->is_busy && op_of(client)->kind == SIM_TABLE_DESCRIBE)
		catalog_view_sync_cancel(&client->sync);
	else if (client->is_busy)
		catalog_call_cancel(&client->call);
}

void sim_tables_init(struct sim_tables *tables, struct sim_world *world, struct sim_coordinator *coordinators,
		     const struct sim_index *index)
{
	*tables = (struct sim_tables){ .world = world, .index = index };
	tables->think_us_max = sim_range(&world->client_rng, THINK_US_MIN, THINK_US_MAX);
	for (uint32_t id = 0; id < SIM_COORDINATORS; id++) {
		struct sim_table_client *client = &tables->clients[id];

		client->tables = tables;
		client->coordinator = &coordinators[id];
		client->id = id;
		client->user.begin = on_begin;
		client->user.end = on_end;
		sim_coordinator_add(&coordinators[id], &client->user);
	}
}

void sim_tables_stop(struct sim_tables *tables)
{
	tables->is_stopping = true;
}

void sim_tables_note_absent(struct sim_tables *tables, uint32_t client, uint32_t name, uint64_t call_us)
{
	struct sim_table_op op = {
		.kind = SIM_TABLE_DESCRIBE,
		.client = client,
		.name = name,
		.is_done = true,
		.status = ST_NOT_FOUND,
		.call_us = call_us,
		.return_us = tables->world->now_us,
	};

	(void)note(tables, &op);
}

bool sim_tables_is_idle(const struct sim_tables *tables)
{
	for (uint32_t id = 0; id < SIM_COORDINATORS; id++) {
		if (tables->clients[id].is_busy)
			return false;
	}
	return true;
}

void sim_tables_close(struct sim_tables *tables)
{
	free(tables->ops);
	tables->ops = NULL;
}

/* --- the check --- */

static void print_op(struct buf *out, const struct sim_table_op *op)
{
	static const char *const kinds[] = { "create", "delete", "describe", "repeat" };
	static const char *const states[] = { "CREATING", "ACTIVE", "UPDATING", "DELETING" };
	char name[SIM_NAME_SIZE];

	table_name(name, op->name);
	buf_append_format(out, "  %10.6f  ", (double)(op->call_us - SIM_EPOCH_US) / SIM_SECOND);
	if (op->is_done)
		buf_append_format(out, "%10.6f", (double)(op->return_us - SIM_EPOCH_US) / SIM_SECOND);
	else
		buf_append_string(out, "         ?");
	buf_append_format(out, "  client %" PRIu32 "  %-8s %s: %s", op->client, kinds[op->kind], name,
			  op->is_done ? status_name(op->status) : "unknown outcome");
	if (op->table_id != 0)
		buf_append_format(out, ", table %" PRIu32 " %s", op->table_id, states[op->state]);
	buf_append_string(out, "\n");
}

/* With all that happened to the name in between. */
static void accuse(const struct sim_tables *tables, struct buf *out, const char *what,
		   const struct sim_table_op *first, const struct sim_table_op *second)
{
	buf_append_format(out, "tables: %s\n", what);
	for (size_t i = 0; i < tables->op_count; i++) {
		const struct sim_table_op *op = &tables->ops[i];

		if (op == second || (op->name == second->name && op->call_us <= second->return_us &&
				     (first == NULL || op->call_us >= first->call_us)))
			print_op(out, op);
	}
}

static bool is_before(const struct sim_table_op *a, const struct sim_table_op *b)
{
	return a->is_done && b->is_done && a->return_us < b->call_us;
}

static uint64_t rank(const struct sim_table_op *op)
{
	return 4 * (uint64_t)op->table_id + (uint64_t)op->state;
}

static bool sees_none(const struct sim_table_op *op)
{
	return op->is_done && op->status == ST_NOT_FOUND;
}

/* Has somebody asked to delete the table that a saw, before b had ended? */
static bool may_be_deleted(const struct sim_tables *tables, const struct sim_table_op *a,
			   const struct sim_table_op *b)
{
	for (size_t i = 0; i < tables->op_count; i++) {
		const struct sim_table_op *op = &tables->ops[i];

		if (op->kind == SIM_TABLE_DELETE && op->name == a->name && op->call_us < b->return_us &&
		    (!op->is_done || (op->status == ST_OK && op->table_id == a->table_id)))
			return true;
	}
	return false;
}

static bool check_pair(const struct sim_tables *tables, const struct sim_table_op *a,
		       const struct sim_table_op *b, struct buf *out)
{
	if (a != b && a->kind == SIM_TABLE_CREATE && b->kind == SIM_TABLE_CREATE && a->is_done &&
	    b->is_done && a->status == ST_OK && b->status == ST_OK && a->table_id == b->table_id)
		accuse(tables, out, "two tables were made with one id", a, b);
	else if (a->name != b->name || !is_before(a, b) || a->table_id == 0)
		return true;
	else if (b->table_id != 0 && rank(b) < rank(a))
		accuse(tables, out, "an older state was seen after a newer one", a, b);
	else if (sees_none(b) && !may_be_deleted(tables, a, b))
		accuse(tables, out, "a table is gone that nobody deleted", a, b);
	else
		return true;
	return false;
}

/* Was the table of this create gone, for all to know, before b began? */
static bool is_known_gone(const struct sim_tables *tables, const struct sim_table_op *create,
			  const struct sim_table_op *b)
{
	if (!create->is_done)
		return false;
	for (size_t i = 0; i < tables->op_count; i++) {
		const struct sim_table_op *op = &tables->ops[i];

		if (op->name == b->name && is_before(op, b) && is_before(create, op) &&
		    (sees_none(op) || op->table_id > create->table_id))
			return true;
	}
	return false;
}

static bool may_exist(const struct sim_tables *tables, const struct sim_table_op *b)
{
	for (size_t i = 0; i < tables->op_count; i++) {
		const struct sim_table_op *op = &tables->ops[i];

		if (op->kind == SIM_TABLE_CREATE && op->name == b->name && op->call_us < b->return_us &&
		    (!op->is_done || op->status == ST_OK) && !is_known_gone(tables, op, b))
			return true;
	}
	return false;
}

void sim_tables_check(const struct sim_tables *tables, struct buf *report_out)
{
	for (size_t i = 0; i < tables->op_count; i++) {
		const struct sim_table_op *op = &tables->ops[i];

		for (size_t k = 0; k < tables->op_count; k++) {
			if (!check_pair(tables, &tables->ops[k], op, report_out))
				return;
		}
		if (op->is_done && op->status == ST_EXISTS && !may_exist(tables, op)) {
			accuse(tables, report_out, "it exists, it was said, but none can", NULL, op);
			return;
		}
	}
}
