#include "tests/sim/sim_counter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/model/limits.h"
#include "tests/sim/sim_item.h"

enum {
	TRACE_COUNT = 40,
	LIST_MIN = 1024,
	READS_PERCENT = 20,
	ARENA_BYTES_MAX = 64 * 1024,
	KEY_ITEM_SIZE_MAX = 256,
	THINK_US_MIN = 30 * SIM_MS,
	THINK_US_MAX = 400 * SIM_MS,
};

static struct sim_count_op *op_of(const struct sim_counter_client *client)
{
	return &client->counters->counters[client->counter].ops[client->op_index];
}

static struct rng *rng_of(const struct sim_counter_client *client)
{
	return &client->counters->world->client_rng;
}

static double seconds(uint64_t at_us)
{
	return (double)(at_us - SIM_EPOCH_US) / SIM_SECOND;
}

static void think(struct sim_counter_client *client)
{
	runtime_timer_start(&client->coordinator->runtime.base, &client->timer,
			    sim_range(rng_of(client), 0, client->counters->think_us_max));
}

static const char *kind_name(const struct sim_count_op *op)
{
	return op->is_read ? "read" : "add";
}

/* --- verdicts --- */

static void report(struct sim_counter_client *client, const char *what)
{
	struct sim_counters *counters = client->counters;
	const struct sim_count_op *op = op_of(client);

	if (counters->problem[0] == '\0')
		(void)snprintf(counters->problem, sizeof(counters->problem),
			       "%s: %s of counter %" PRIu32 " by client %" PRIu32 " at %.6f got %s", what,
			       kind_name(op), client->counter, client->id, seconds(op->call_us),
			       status_name(op->status));
	counters->world->is_over = true;
}

static void take_answer(struct sim_counter_client *client)
{
	struct sim_counters *counters = client->counters;
	struct sim_count_op *op = op_of(client);
	const struct item_op *answer = &client->op;

	if ((!op->is_read || answer->is_found) && !sim_item_count(answer->found_item, &op->count))
		report(client, "unreadable answer");
	else if (!op->is_read && answer->is_found != (op->count > 1))
		report(client, "it says that the counter was there, or not, wrongly");
	op->outcome = SIM_DONE;
	if (op->is_last)
		counters->counters[client->counter].is_read_last = true;
}

static void on_done(struct item_op *answer)
{
	struct sim_counter_client *client = CONTAINER_OF(answer, struct sim_counter_client, op);
	struct sim_world *world = client->counters->world;
	struct sim_count_op *op = op_of(client);

	sim_world_trace(world, TRACE_COUNT + client->id * 100, (uint64_t)(int64_t)answer->status);
	op->status = answer->status;
	op->attempt_count = answer->call.attempt_count;
	op->return_us = world->now_us;
	client->is_busy = false;
	if (answer->status == ST_OK)
		take_answer(client);
	else if (!sim_coordinator_may_answer(client->coordinator, answer->status))
		report(client, "unexpected status");
	else if (!answer->may_have_happened && answer->status != ST_CANCELED)
		op->outcome = SIM_FAILED;
	arena_close(&client->arena);
	if (client->coordinator->is_running)
		think(client);
}

/* --- operations --- */

static size_t add_op(struct sim_counter *counter, const struct sim_count_op *op)
{
	if (counter->op_count == counter->op_capacity) {
		counter->op_capacity = counter->op_capacity == 0 ? LIST_MIN : 2 * counter->op_capacity;
		counter->ops = realloc(counter->ops, counter->op_capacity * sizeof(*counter->ops));
		CHECK(counter->ops != NULL);
	}
	counter->ops[counter->op_count] = *op;
	return counter->op_count++;
}

static void begin(struct sim_counter_client *client, uint32_t number, bool is_read,
		  const struct table_info *table)
{
	struct sim_counters *counters = client->counters;
	struct sim_count_op op = { .is_read = is_read,
				   .client = client->id,
				   .call_us = counters->world->now_us,
				   .return_us = UINT64_MAX };
	char name[SIM_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "counter-%" PRIu32, number);
	sim_item_key(&client->key_item, name);
	sim_item_row_key(&client->row_key, table, buf_slice(&client->key_item));
	client->counter = number;
	client->op_index = add_op(&counters->counters[number], &op);
	client->is_busy = true;
	arena_init(&client->arena, ARENA_BYTES_MAX);
	client->op = (struct item_op){
		.kind = is_read ? ITEM_OP_GET : ITEM_OP_UPDATE,
		.row_key = buf_slice(&client->row_key),
		.is_consistent = is_read,
		.arena = &client->arena,
		.done = on_done,
	};
	if (!is_read) {
		client->op.item = buf_slice(&client->key_item);
		client->op.update = sim_item_increment(&client->arena);
		client->op.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__UPDATED_NEW;
	}
	item_op_start(&client->coordinator->router.items, &client->op);
}

static bool is_any_busy(const struct sim_counters *counters)
{
	for (uint32_t id = 0; id < SIM_COUNTER_CLIENTS; id++) {
		if (counters->clients[id].is_busy)
			return true;
	}
	return false;
}

/* The number of a counter still to be read for the last time; SIM_COUNTERS if there is none. */
static uint32_t next_unread(const struct sim_counters *counters)
{
	uint32_t number = 0;

	while (number < SIM_COUNTERS && counters->counters[number].is_read_last)
		number++;
	return number;
}

/* One after the other, so that each begins after all else has ended. */
static void begin_last_read(struct sim_counter_client *client, const struct table_info *table)
{
	uint32_t number = next_unread(client->counters);

	if (number == SIM_COUNTERS)
		return;
	if (table == NULL || is_any_busy(client->counters)) {
		think(client);
		return;
	}
	begin(client, number, true, table);
	op_of(client)->is_last = true;
}

static void on_timer(struct runtime_timer *timer)
{
	struct sim_counter_client *client = CONTAINER_OF(timer, struct sim_counter_client, timer);
	const struct table_info *table = sim_coordinator_table(client->coordinator, SIM_MAIN_TABLE);

	if (client->counters->is_stopping)
		begin_last_read(client, table);
	else if (table == NULL || client->counters->world->now_us < client->counters->rests_until_us)
		think(client);
	else
		begin(client, (uint32_t)rng_below(rng_of(client), SIM_COUNTERS),
		      sim_percent(rng_of(client), READS_PERCENT), table);
}

/* --- life --- */

static void on_begin(struct sim_user *user)
{
	struct sim_counter_client *client = CONTAINER_OF(user, struct sim_counter_client, user);

	runtime_timer_init(&client->timer, on_timer);
	think(client);
}

static void on_end(struct sim_user *user)
{
	struct sim_counter_client *client = CONTAINER_OF(user, struct sim_counter_client, user);

	runtime_timer_stop(&client->coordinator->runtime.base, &client->timer);
	if (client->is_busy)
		item_op_cancel(&client->op);
}

void sim_counters_init(struct sim_counters *counters, struct sim_world *world,
		       struct sim_coordinator *coordinators)
{
	*counters = (struct sim_counters){ .world = world };
	counters->think_us_max = sim_range(&world->client_rng, THINK_US_MIN, THINK_US_MAX);
	for (uint32_t id = 0; id < SIM_COUNTER_CLIENTS; id++) {
		struct sim_counter_client *client = &counters->clients[id];

		client->counters = counters;
		client->coordinator = &coordinators[id % SIM_COORDINATORS];
		client->id = id;
		client->user.begin = on_begin;
		client->user.end = on_end;
		buf_init(&client->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
		buf_init(&client->key_item, KEY_ITEM_SIZE_MAX);
		sim_coordinator_add(client->coordinator, &client->user);
	}
}

void sim_counters_stop(struct sim_counters *counters)
{
	counters->is_stopping = true;
}

void sim_counters_rest(struct sim_counters *counters, uint64_t until_us)
{
	counters->rests_until_us = until_us;
}

bool sim_counters_is_idle(const struct sim_counters *counters)
{
	return counters->is_stopping && next_unread(counters) == SIM_COUNTERS && !is_any_busy(counters);
}

uint64_t sim_counters_op_count(const struct sim_counters *counters)
{
	uint64_t count = 0;

	for (uint32_t number = 0; number < SIM_COUNTERS; number++)
		count += counters->counters[number].op_count;
	return count;
}

void sim_counters_close(struct sim_counters *counters)
{
	for (uint32_t id = 0; id < SIM_COUNTER_CLIENTS; id++) {
		CHECK(!counters->clients[id].is_busy);
		buf_close(&counters->clients[id].row_key);
		buf_close(&counters->clients[id].key_item);
	}
	for (uint32_t number = 0; number < SIM_COUNTERS; number++) {
		free(counters->counters[number].ops);
		counters->counters[number].ops = NULL;
	}
}

/* --- the check --- */

static void print_op(struct buf *out, const struct sim_count_op *op)
{
	buf_append_format(
		out, "  %10.6f  %10.6f  client %" PRIu32 "  %-4s gives %" PRIu64 "  (%" PRIu32 " attempts)\n",
		seconds(op->call_us), seconds(op->return_us), op->client, kind_name(op), op->count,
		op->attempt_count);
}

/* What is wrong with two answers, of which a began first; NULL if nothing is. */
static const char *judge_pair(const struct sim_count_op *a, const struct sim_count_op *b)
{
	if (a->outcome != SIM_DONE || b->outcome != SIM_DONE)
		return NULL;
	if (!a->is_read && !b->is_read && a->count == b->count)
		return "two increments gave the same count";
	if (a->return_us < b->call_us && b->count < a->count + (b->is_read ? 0 : 1))
		return "a count went back, or did not move on";
	return NULL;
}

/* What the counts before and beside an answer allow it to be. */
static void find_bounds(const struct sim_counter *counter, const struct sim_count_op *b, uint64_t *low_out,
			uint64_t *high_out)
{
	*low_out = b->is_read ? 0 : 1;
	*high_out = 0;
	for (size_t i = 0; i < counter->op_count && counter->ops[i].call_us <= b->return_us; i++) {
		const struct sim_count_op *a = &counter->ops[i];

		if (a->is_read || a->outcome == SIM_FAILED)
			continue;
		*high_out += 1;
		if (a->outcome == SIM_DONE && a->return_us < b->call_us)
			*low_out += 1;
	}
}

static void check_op(const struct sim_counter *counter, uint32_t number, const struct sim_count_op *b,
		     struct buf *out)
{
	uint64_t low;
	uint64_t high;

	for (const struct sim_count_op *a = counter->ops; a < b; a++) {
		const char *wrong = judge_pair(a, b);

		if (wrong == NULL)
			continue;
		buf_append_format(out, "counters: %s: counter %" PRIu32 "\n", wrong, number);
		print_op(out, a);
		print_op(out, b);
		return;
	}
	find_bounds(counter, b, &low, &high);
	if (b->count >= low && b->count <= high)
		return;
	buf_append_format(out,
			  "counters: increments were %s: counter %" PRIu32 " must be from %" PRIu64
			  " to %" PRIu64 "\n",
			  b->count < low ? "lost" : "made twice", number, low, high);
	print_op(out, b);
}

void sim_counters_check(const struct sim_counters *counters, struct buf *report_out)
{
	for (uint32_t number = 0; number < SIM_COUNTERS; number++) {
		const struct sim_counter *counter = &counters->counters[number];

		for (size_t i = 0; i < counter->op_count; i++) {
			if (counter->ops[i].outcome == SIM_DONE)
				check_op(counter, number, &counter->ops[i], report_out);
			if (report_out->size > 0)
				return;
		}
	}
}
