#include "tests/sim/sim_workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/model/limits.h"
#include "tests/sim/sim_item.h"

enum {
	TRACE_ANSWER = 30,
	RETRIES_MAX = 3,
	BACKOFF_US_MAX = 100 * SIM_MS,
	PADDING_MAX = 200,
	BIG_MIN = 10 * 1024,
	LIST_MIN = 1024,
	READS_PERCENT_MAX = 80,
	EVENTUAL_PERCENT = 15,
	DELETES_PERCENT = 12,
	BLIND_PERCENT = 15,  /* writes that do not ask for the old image */
	CAS_PERCENT = 35,    /* of the puts */
	INSIST_PERCENT = 60, /* of those whose condition failed */
	PASSING_PERCENT = 20,
	ARENA_BYTES_MAX = 1024 * 1024,
	THINK_US_MAX = 60 * SIM_MS,
	NO_KEY = UINT32_MAX,
};

static void think(struct sim_client *client, uint64_t us_max);

const char *sim_op_kind_name(enum sim_op_kind kind)
{
	static const char *const names[] = { "put", "cas", "delete", "read", "eventual" };

	return names[kind];
}

void sim_passing_table_name(char out[SIM_NAME_SIZE], uint64_t number)
{
	(void)snprintf(out, SIM_NAME_SIZE, "passing-%" PRIu64, number);
}

static struct sim_op *op_of(const struct sim_client *client)
{
	return &client->workload->ops[client->op_index];
}

static struct rng *rng_of(const struct sim_client *client)
{
	return &client->workload->world->client_rng;
}

/* --- items --- */

static void build_item(struct sim_client *client, const char *name, uint64_t value)
{
	struct rng *rng = rng_of(client);
	size_t padding_size = sim_percent(rng, client->workload->big_percent)
				      ? sim_range(rng, BIG_MIN, SIM_ITEM_PADDING_MAX)
				      : sim_range(rng, 0, PADDING_MAX);

	sim_item_register(&client->item, name, value, padding_size);
}

/* --- keys --- */

static void build_row_key(struct sim_client *client, const struct table_info *table, const char *name)
{
	sim_item_key(&client->item, name);
	sim_item_row_key(&client->row_key, table, buf_slice(&client->item));
}

static uint32_t add_key(struct sim_workload *workload, const struct sim_key *key)
{
	if (workload->key_count == workload->key_capacity) {
		workload->key_capacity = workload->key_capacity == 0 ? LIST_MIN : 2 * workload->key_capacity;
		workload->keys = realloc(workload->keys, workload->key_capacity * sizeof(*workload->keys));
		CHECK(workload->keys != NULL);
	}
	workload->keys[workload->key_count] = *key;
	return (uint32_t)workload->key_count++;
}

/* Names for the main table's keys, so that every partition has one. */
static void choose_main_keys(struct sim_client *client, const struct table_info *table)
{
	const struct catalog_state *state = &client->coordinator->router.view.state;
	struct sim_workload *workload = client->workload;
	uint64_t number = 0;

	workload->has_main = true;
	workload->main_key_first = (uint32_t)workload->key_count;
	workload->main_partitions = (uint32_t)catalog_state_partition_count(state, table->table_id);
	CHECK(workload->main_partitions > 0 && workload->main_partitions <= SIM_PARTITIONS_MAX);
	for (uint32_t i = 0; i < workload->main_keys; i++) {
		const struct partition_info *wanted;
		struct sim_key key = { .table_id = table->table_id, .is_main = true };

		key.partition = i % workload->main_partitions;
		wanted = catalog_state_partition_at(state, table->table_id, key.partition);
		do {
			(void)snprintf(key.name, sizeof(key.name), "key-%" PRIu64, number++);
			build_row_key(client, table, key.name);
		} while (!partition_info_holds(wanted, buf_slice(&client->row_key)));
		(void)add_key(workload, &key);
	}
}

static uint32_t find_passing_key(struct sim_workload *workload, uint32_t table_id, uint64_t number)
{
	struct sim_key key = { .table_id = table_id };

	(void)snprintf(key.name, sizeof(key.name), "key-%" PRIu64, number);
	for (size_t i = workload->key_count; i > 0; i--) {
		if (workload->keys[i - 1].table_id == table_id &&
		    strcmp(workload->keys[i - 1].name, key.name) == 0)
			return (uint32_t)(i - 1);
	}
	return add_key(workload, &key);
}

/* A key of the main table, or now and then of another that this coordinator knows. */
static uint32_t choose_key(struct sim_client *client, const struct table_info **table_out)
{
	struct sim_workload *workload = client->workload;
	char name[SIM_NAME_SIZE] = SIM_MAIN_TABLE;
	bool is_main = !sim_percent(rng_of(client), PASSING_PERCENT);

	if (!is_main)
		sim_passing_table_name(name, rng_below(rng_of(client), SIM_PASSING_TABLES));
	*table_out = sim_coordinator_table(client->coordinator, name);
	if (*table_out == NULL)
		return NO_KEY;
	if (!is_main)
		return find_passing_key(workload, (*table_out)->table_id,
					rng_below(rng_of(client), SIM_KEYS_PASSING));
	if (!workload->has_main)
		choose_main_keys(client, *table_out);
	return workload->main_key_first + (uint32_t)rng_below(rng_of(client), workload->main_keys);
}

/* --- history --- */

size_t sim_workload_note(struct sim_workload *workload, const struct sim_op *op)
{
	if (workload->op_count == workload->op_capacity) {
		workload->op_capacity = workload->op_capacity == 0 ? LIST_MIN : 2 * workload->op_capacity;
		workload->ops = realloc(workload->ops, workload->op_capacity * sizeof(*workload->ops));
		CHECK(workload->ops != NULL);
	}
	workload->ops[workload->op_count] = *op;
	return workload->op_count++;
}

static void report(struct sim_workload *workload, const char *what, const struct sim_op *op,
		   enum status status)
{
	if (workload->problem[0] != '\0')
		return;
	(void)snprintf(workload->problem, sizeof(workload->problem),
		       "%s: %s of %s in table %" PRIu32 " by client %" PRIu32 " at %.6f got %s", what,
		       sim_op_kind_name(op->kind), workload->keys[op->key].name,
		       workload->keys[op->key].table_id, op->client,
		       (double)(workload->world->now_us - SIM_EPOCH_US) / SIM_SECOND, status_name(status));
	workload->world->is_over = true;
}

static void note_progress(struct sim_workload *workload, const struct sim_op *op)
{
	const struct sim_key *key = &workload->keys[op->key];

	if (!sim_op_is_write(op) || op->outcome != SIM_DONE || !key->is_main)
		return;
	workload->acked_key[key->partition] = op->key;
	if (op->call_us > workload->acked_call_us[key->partition])
		workload->acked_call_us[key->partition] = op->call_us;
}

/* --- verdicts --- */

static bool is_expected(const struct sim_client *client, enum status status)
{
	if (status == ST_NOT_FOUND)
		return !client->workload->keys[op_of(client)->key].is_main; /* the table was deleted */
	return sim_coordinator_may_answer(client->coordinator, status);
}

/* A condition must have held on what it says that it found, and failed on all else. */
static void take_verdict(struct sim_client *client, bool has_held)
{
	struct sim_workload *workload = client->workload;
	struct sim_op *op = op_of(client);

	if (has_held)
		workload->cas_held_count++;
	else
		workload->cas_failed_count++;
	if (op->knows_old && (op->old == op->expected) != has_held)
		report(workload,
		       has_held ? "a condition held on another value" : "a condition failed in vain", op,
		       op->status);
	op->knows_old = true;
	if (has_held)
		op->old = op->expected;
	else
		op->outcome = SIM_REFUSED;
}

static void take_answer(struct sim_client *client)
{
	struct sim_workload *workload = client->workload;
	struct sim_op *op = op_of(client);
	const struct item_op *answer = &client->op;
	bool is_write = sim_op_is_write(op);
	uint64_t value = 0;

	op->knows_old = op->knows_old || op->status == ST_CONDITION_FAILED;
	if (answer->is_found && (!is_write || op->knows_old) &&
	    !sim_item_value(answer->found_item, workload->keys[op->key].name, &value)) {
		report(workload, "unreadable answer", op, ST_CORRUPT);
		return;
	}
	if (is_write)
		op->old = value;
	else
		op->value = value;
	op->outcome = SIM_DONE;
	if (op->kind == SIM_CAS)
		take_verdict(client, op->status == ST_OK);
	workload->keys[op->key].seen[client->id] = op->outcome == SIM_REFUSED ? op->old : op->value;
	note_progress(workload, op);
}

static bool begin(struct sim_client *client, enum sim_op_kind kind, uint32_t key_index,
		  const struct table_info *table);

/* The SDK tries again with a request of its own, unless the table is gone; who was told that the
 * value is another may expect that one now. */
static bool retry(struct sim_client *client)
{
	const struct sim_op *op = op_of(client);
	const struct table_info *table;
	uint64_t table_id = client->workload->keys[op->key].table_id;

	if (op->status == ST_OK || op->status == ST_NOT_FOUND || client->retries_left == 0 ||
	    !client->coordinator->is_running)
		return false;
	if (op->status == ST_CONDITION_FAILED && !sim_percent(rng_of(client), INSIST_PERCENT))
		return false;
	client->retries_left--;
	table = catalog_state_table(&client->coordinator->router.view.state, (uint32_t)table_id);
	return table != NULL && table_info_is_usable(table) && begin(client, op->kind, op->key, table);
}

static void on_timer(struct runtime_timer *timer);

static void on_done(struct item_op *answer)
{
	struct sim_client *client = CONTAINER_OF(answer, struct sim_client, op);
	struct sim_workload *workload = client->workload;
	struct sim_op *op = op_of(client);

	sim_world_trace(workload->world, TRACE_ANSWER + client->id * 100, (uint64_t)(int64_t)answer->status);
	op->status = answer->status;
	op->attempt_count = answer->call.attempt_count;
	op->return_us = workload->world->now_us;
	client->is_busy = false;
	if (answer->status == ST_OK || (answer->status == ST_CONDITION_FAILED && op->kind == SIM_CAS))
		take_answer(client);
	else if (answer->status == ST_FORGOTTEN)
		report(workload, "outcome forgotten too early", op, answer->status);
	else if (!is_expected(client, answer->status))
		report(workload, "unexpected status", op, answer->status);
	else if (sim_op_is_write(op) && !answer->may_have_happened && answer->status != ST_CANCELED)
		op->outcome = SIM_FAILED;
	arena_close(&client->arena);
	if (client->coordinator->is_running)
		think(client, op->status == ST_OK ? workload->think_us_max : (uint64_t)BACKOFF_US_MAX);
}

/* --- operations --- */

static enum sim_op_kind choose_kind(struct rng *rng, uint32_t read_percent)
{
	if (sim_percent(rng, EVENTUAL_PERCENT))
		return SIM_READ_EVENTUAL;
	if (sim_percent(rng, read_percent))
		return SIM_READ;
	if (sim_percent(rng, DELETES_PERCENT))
		return SIM_DELETE;
	return sim_percent(rng, CAS_PERCENT) ? SIM_CAS : SIM_PUT;
}

static enum item_op_kind item_kind(enum sim_op_kind kind)
{
	if (kind == SIM_PUT || kind == SIM_CAS)
		return ITEM_OP_PUT;
	return kind == SIM_DELETE ? ITEM_OP_DELETE : ITEM_OP_GET;
}

static void send(struct sim_client *client, const struct sim_op *op)
{
	struct sim_workload *workload = client->workload;

	if (sim_op_is_put(op))
		build_item(client, workload->keys[op->key].name, op->value);
	arena_init(&client->arena, ARENA_BYTES_MAX);
	client->op = (struct item_op){
		.kind = item_kind(op->kind),
		.row_key = buf_slice(&client->row_key),
		.is_consistent = op->kind == SIM_READ,
		.returned = op->knows_old ? CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD
					  : CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NOTHING,
		.arena = &client->arena,
		.done = on_done,
	};
	if (sim_op_is_put(op))
		client->op.item = buf_slice(&client->item);
	if (op->kind == SIM_CAS) {
		client->op.condition = sim_item_expects(&client->arena, op->expected);
		client->op.returns_old_on_failure = true;
	}
	item_op_start(&client->coordinator->router.items, &client->op);
}

static bool begin(struct sim_client *client, enum sim_op_kind kind, uint32_t key_index,
		  const struct table_info *table)
{
	struct sim_workload *workload = client->workload;
	const char *name = workload->keys[key_index].name;
	struct sim_op op = {
		.kind = kind,
		.client = client->id,
		.key = key_index,
		.call_us = workload->world->now_us,
		.return_us = UINT64_MAX,
	};

	op.knows_old = sim_op_is_write(&op) && !sim_percent(rng_of(client), BLIND_PERCENT);
	if (sim_op_is_put(&op))
		op.value = ++workload->next_value;
	if (kind == SIM_CAS)
		op.expected = workload->keys[key_index].seen[client->id];
	client->op_index = sim_workload_note(workload, &op);
	client->is_busy = true;
	build_row_key(client, table, name);
	send(client, &op);
	return true;
}

/* The last reads: of every key, until each was answered. */
static void begin_last_read(struct sim_client *client)
{
	struct sim_workload *workload = client->workload;
	const struct table_info *table = sim_coordinator_table(client->coordinator, SIM_MAIN_TABLE);

	if (workload->keys_to_read == 0)
		return;
	if (table == NULL || !workload->has_main)
		think(client, workload->think_us_max);
	else
		(void)begin(client, SIM_READ, workload->main_key_first + --workload->keys_to_read, table);
}

static void on_timer(struct runtime_timer *timer)
{
	struct sim_client *client = CONTAINER_OF(timer, struct sim_client, timer);
	struct sim_workload *workload = client->workload;
	const struct table_info *table;
	uint32_t key;

	if (workload->is_stopping) {
		begin_last_read(client);
		return;
	}
	if (workload->world->now_us < workload->rests_until_us) {
		think(client, workload->think_us_max);
		return;
	}
	if (client->op_index < workload->op_count && op_of(client)->client == client->id && retry(client))
		return;
	client->retries_left = RETRIES_MAX;
	key = choose_key(client, &table);
	if (key == NO_KEY)
		think(client, workload->think_us_max);
	else
		(void)begin(client, choose_kind(rng_of(client), client->read_percent), key, table);
}

static void think(struct sim_client *client, uint64_t us_max)
{
	runtime_timer_start(&client->coordinator->runtime.base, &client->timer,
			    sim_range(rng_of(client), 0, us_max));
}

/* --- life --- */

static void on_begin(struct sim_user *user)
{
	struct sim_client *client = CONTAINER_OF(user, struct sim_client, user);

	runtime_timer_init(&client->timer, on_timer);
	think(client, client->workload->think_us_max);
}

static void on_end(struct sim_user *user)
{
	struct sim_client *client = CONTAINER_OF(user, struct sim_client, user);

	runtime_timer_stop(&client->coordinator->runtime.base, &client->timer);
	if (client->is_busy)
		item_op_cancel(&client->op);
}

static void init_client(struct sim_workload *workload, struct sim_coordinator *coordinator, uint32_t id)
{
	struct sim_client *client = &workload->clients[id];

	client->workload = workload;
	client->coordinator = coordinator;
	client->id = id;
	client->op_index = SIZE_MAX;
	client->read_percent = (uint32_t)sim_range(&workload->world->client_rng, 0, READS_PERCENT_MAX);
	client->user.begin = on_begin;
	client->user.end = on_end;
	buf_init(&client->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&client->item, 2 * (size_t)SIM_ITEM_PADDING_MAX);
	sim_coordinator_add(coordinator, &client->user);
}

void sim_workload_init(struct sim_workload *workload, struct sim_world *world,
		       struct sim_coordinator *coordinators, uint32_t main_keys)
{
	*workload = (struct sim_workload){ .world = world, .main_keys = main_keys };
	workload->think_us_max = THINK_US_MAX;
	for (uint32_t id = 0; id < SIM_CLIENTS; id++)
		init_client(workload, &coordinators[id % SIM_COORDINATORS], id);
}

void sim_workload_stop(struct sim_workload *workload)
{
	workload->is_stopping = true;
	workload->keys_to_read = workload->main_keys;
}

void sim_workload_rest(struct sim_workload *workload, uint64_t until_us)
{
	workload->rests_until_us = until_us;
}

bool sim_workload_is_idle(const struct sim_workload *workload)
{
	if (!workload->is_stopping || workload->keys_to_read > 0)
		return false;
	for (uint32_t id = 0; id < SIM_CLIENTS; id++) {
		if (workload->clients[id].is_busy)
			return false;
	}
	return true;
}

void sim_workload_close(struct sim_workload *workload)
{
	for (uint32_t id = 0; id < SIM_CLIENTS; id++) {
		CHECK(!workload->clients[id].is_busy);
		buf_close(&workload->clients[id].row_key);
		buf_close(&workload->clients[id].item);
	}
	free(workload->ops);
	free(workload->keys);
	workload->ops = NULL;
	workload->keys = NULL;
}
