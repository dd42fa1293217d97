#include "tests/sim/sim_workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/partition/partition.h"
#include "proto/model/item_builder.h"
#include "proto/model/limits.h"
#include "proto/model/row_key.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "tests/sim/sim_node.h"

enum {
	TRACE_ANSWER = 30,
	OP_DEADLINE_MS_MIN = 2000,
	OP_DEADLINE_MS_MAX = 8000,
	ATTEMPT_MS_MIN = 40,
	ATTEMPT_MS_MAX = 1200,
	BACKOFF_US_MAX = 60 * SIM_MS,
	PADDING_MAX = 200,
	BIG_MIN = 10 * 1024,
	BIG_MAX = 60 * 1024,
	VALUE_TEXT_MAX = 24,
	OPS_MIN = 1024,
	TOKEN_SHIFT = 56,
	FROZEN_ATTEMPTS = 6, /* then stale is better than nothing */
	READS_PERCENT_MAX = 80,
	NODES_AT_BIRTH = 3,
	EVENTUAL_PERCENT = 15,
	DELETES_PERCENT = 12,
	BLIND_PERCENT = 15, /* writes that do not ask for the old image */
};

static void think(struct sim_client *client);
static void attempt(struct sim_client *client);

const char *sim_op_kind_name(enum sim_op_kind kind)
{
	static const char *const names[] = { "put", "delete", "read", "eventual" };

	return names[kind];
}

uint64_t sim_workload_token(uint64_t partition_id)
{
	return (partition_id - PARTITION_ID_FIRST) << TOKEN_SHIFT;
}

static struct sim_op *op_of(const struct sim_client *client)
{
	return &client->workload->ops[client->op_index];
}

static bool is_write(const struct sim_op *op)
{
	return op->kind == SIM_PUT || op->kind == SIM_DELETE;
}

static uint64_t *believed_leader(struct sim_client *client)
{
	return &client->leader[op_of(client)->partition_id - PARTITION_ID_FIRST];
}

/* --- items --- */

static void build_row_key(struct sim_client *client, const struct sim_op *op)
{
	char name[VALUE_TEXT_MAX];

	(void)snprintf(name, sizeof(name), "key-%" PRIu32, op->key);
	buf_reset(&client->row_key);
	row_key_token_start(&client->row_key, SIM_TABLE_ID, sim_workload_token(op->partition_id) + op->key);
	row_key_append_part(&client->row_key, ITEM_S, slice_of_string(name));
	CHECK(client->row_key.status == ST_OK);
}

static void build_item(struct sim_client *client, uint64_t value)
{
	static const uint8_t padding[BIG_MAX];
	struct rng *rng = &client->workload->world->client_rng;
	size_t padding_size = sim_percent(rng, client->workload->big_percent)
				      ? sim_range(rng, BIG_MIN, BIG_MAX)
				      : sim_range(rng, 0, PADDING_MAX);
	struct item_builder builder;
	char text[VALUE_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	buf_reset(&client->item);
	item_builder_init(&builder, &client->item);
	item_builder_name(&builder, slice_of_string("v"));
	item_builder_string(&builder, slice_of_string(text));
	item_builder_name(&builder, slice_of_string("padding"));
	item_builder_binary(&builder, slice_of(padding, padding_size));
	CHECK(item_builder_finish(&builder) == ST_OK);
}

/* The value of an item; false if it is none of ours. */
static bool parse_item(const ProtobufCBinaryData *item, uint64_t *value_out)
{
	struct item_value value;
	char text[VALUE_TEXT_MAX];

	if (!item_find(slice_of(item->data, item->len), slice_of_string("v"), &value) ||
	    value.type != ITEM_S || value.payload.size >= sizeof(text))
		return false;
	memcpy(text, value.payload.data, value.payload.size);
	text[value.payload.size] = '\0';
	*value_out = strtoull(text, NULL, 10);
	return *value_out != 0;
}

/* --- history --- */

static size_t add_op(struct sim_workload *workload, const struct sim_op *op)
{
	if (workload->op_count == workload->op_capacity) {
		workload->op_capacity = workload->op_capacity == 0 ? OPS_MIN : 2 * workload->op_capacity;
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
		       "%s: %s of key %" PRIu32 " by client %" PRIu32 " at %.6f got %s", what,
		       sim_op_kind_name(op->kind), op->key, op->client,
		       (double)(workload->world->now_us - SIM_EPOCH_US) / SIM_SECOND, status_name(status));
	workload->world->is_over = true;
}

static void finish(struct sim_client *client, enum sim_op_outcome outcome)
{
	struct sim_workload *workload = client->workload;
	struct sim_op *op = op_of(client);

	op->outcome = outcome;
	op->return_us = workload->world->now_us;
	if (outcome == SIM_DONE && is_write(op)) {
		uint64_t *acked_call_us = &workload->acked_call_us[op->partition_id - PARTITION_ID_FIRST];

		if (op->call_us > *acked_call_us)
			*acked_call_us = op->call_us;
	}
	client->is_busy = false;
	think(client);
}

/* --- verdicts --- */

static bool take_written(struct sim_op *op, struct slice body)
{
	Cleave__WriteItemReply *reply = cleave__write_item_reply__unpack(NULL, body.size, body.data);
	bool is_sound = reply != NULL;

	if (is_sound && op->knows_old && reply->existed)
		is_sound = parse_item(&reply->old_item, &op->old);
	if (reply != NULL)
		cleave__write_item_reply__free_unpacked(reply, NULL);
	return is_sound;
}

static bool take_read(struct sim_op *op, struct slice body)
{
	Cleave__GetItemReply *reply = cleave__get_item_reply__unpack(NULL, body.size, body.data);
	bool is_sound = reply != NULL;

	op->value = 0;
	if (is_sound && reply->found)
		is_sound = parse_item(&reply->item, &op->value);
	if (reply != NULL)
		cleave__get_item_reply__free_unpacked(reply, NULL);
	return is_sound;
}

/* The write of this attempt has certainly not been executed, and never will be. */
static bool is_refusal(enum status status)
{
	switch (status) {
	case ST_UNREACHABLE:
	case ST_NOT_LEADER:
	case ST_MOVED:
	case ST_BUSY:
	case ST_OVERLOADED:
	case ST_UNAVAILABLE:
	case ST_STALE:
	case ST_NO_SPACE:
		return true;
	default:
		return false;
	}
}

static void follow_hint(struct sim_client *client, struct slice body)
{
	Cleave__RoutingHint *hint = cleave__routing_hint__unpack(NULL, body.size, body.data);
	uint64_t nodes = SIM_NODES_MAX;

	if (hint != NULL && hint->leader_node_id != 0 && hint->leader_node_id != client->target)
		client->target = hint->leader_node_id;
	else
		client->target = 1 + (client->target +
				      rng_below(&client->workload->world->client_rng, nodes - 1)) %
					     nodes;
	if (hint != NULL)
		cleave__routing_hint__free_unpacked(hint, NULL);
}

static void retry_or_give_up(struct sim_client *client, enum status status)
{
	struct sim_op *op = op_of(client);
	struct runtime *runtime = &client->coordinator->runtime.base;
	struct slice hint = is_refusal(status) ? client->call.reply : slice_of(NULL, 0);

	if (runtime_mono_us(runtime) >= client->deadline_mono_us) {
		finish(client, is_write(op) && !client->may_have_run ? SIM_FAILED : SIM_OPEN);
		return;
	}
	follow_hint(client, hint);
	runtime_timer_start(runtime, &client->timer,
			    sim_range(&client->workload->world->client_rng, 0, BACKOFF_US_MAX));
}

static void on_answer(struct rpc_call *call)
{
	struct sim_client *client = CONTAINER_OF(call, struct sim_client, call);
	struct sim_workload *workload = client->workload;
	struct sim_op *op = op_of(client);
	enum status status = call->status;

	sim_world_trace(workload->world, TRACE_ANSWER + client->id * 100, (uint64_t)(int64_t)status);
	if (status == ST_OK) {
		if (!(is_write(op) ? take_written(op, call->reply) : take_read(op, call->reply)))
			report(workload, "unreadable answer", op, ST_CORRUPT);
		if (op->kind != SIM_READ_EVENTUAL)
			*believed_leader(client) = client->target;
		finish(client, SIM_DONE);
		return;
	}
	if (status == ST_FORGOTTEN) {
		report(workload, "outcome forgotten too early", op, status);
		return;
	}
	if (!status_is_retryable(status) && status != ST_NO_SPACE) {
		report(workload, "unexpected status", op, status);
		return;
	}
	if (!is_refusal(status))
		client->may_have_run = true;
	retry_or_give_up(client, status);
}

/* --- attempts --- */

static ProtobufCBinaryData borrow(const struct buf *buf)
{
	return (ProtobufCBinaryData){ buf->size, buf->data };
}

static void pack_write(struct sim_client *client, const struct sim_op *op)
{
	uint64_t age_us = runtime_mono_us(&client->coordinator->runtime.base) - client->started_mono_us;
	Cleave__WriteItemRequest request;

	cleave__write_item_request__init(&request);
	request.partition_id = op->partition_id;
	request.epoch = 1;
	request.row_key = borrow(&client->row_key);
	request.kind = op->kind == SIM_DELETE ? CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE
					      : CLEAVE__WRITE_ITEM_REQUEST__KIND__PUT;
	if (op->kind == SIM_PUT)
		request.item = borrow(&client->item);
	request.return_old = op->knows_old;
	request.request_id = (ProtobufCBinaryData){ sizeof(client->request_id), client->request_id };
	request.age_ms = op->attempt_count == 1 ? 0 : (uint32_t)(age_us / SIM_MS) + 1;
	client->call.method = METHOD_WRITE_ITEM;
	(void)cleave__write_item_request__pack(
		&request, buf_extend(&client->body, cleave__write_item_request__get_packed_size(&request)));
}

static void pack_read(struct sim_client *client, const struct sim_op *op)
{
	Cleave__GetItemRequest request;

	cleave__get_item_request__init(&request);
	request.partition_id = op->partition_id;
	request.epoch = 1;
	request.row_key = borrow(&client->row_key);
	request.consistent_read = op->kind == SIM_READ;
	request.accepts_frozen = op->attempt_count > FROZEN_ATTEMPTS;
	client->call.method = METHOD_GET_ITEM;
	(void)cleave__get_item_request__pack(
		&request, buf_extend(&client->body, cleave__get_item_request__get_packed_size(&request)));
}

static void attempt(struct sim_client *client)
{
	struct sim_op *op = op_of(client);

	op->attempt_count++;
	buf_reset(&client->body);
	if (is_write(op))
		pack_write(client, op);
	else
		pack_read(client, op);
	CHECK(client->body.status == ST_OK);
	client->call.peer_id = client->target;
	client->call.timeout_ms = client->timeout_ms;
	client->call.body = buf_slice(&client->body);
	client->call.done = on_answer;
	rpc_call_start(&client->coordinator->endpoint.base, &client->call);
}

/* --- operations --- */

static enum sim_op_kind choose_kind(struct rng *rng, uint32_t read_percent)
{
	if (sim_percent(rng, EVENTUAL_PERCENT))
		return SIM_READ_EVENTUAL;
	if (sim_percent(rng, read_percent))
		return SIM_READ;
	return sim_percent(rng, DELETES_PERCENT) ? SIM_DELETE : SIM_PUT;
}

static void begin(struct sim_client *client, enum sim_op_kind kind, uint32_t key)
{
	struct sim_workload *workload = client->workload;
	struct rng *rng = &workload->world->client_rng;
	struct sim_op op = {
		.kind = kind,
		.client = client->id,
		.key = key,
		.partition_id = PARTITION_ID_FIRST + key % workload->partition_count,
		.call_us = workload->world->now_us,
		.return_us = UINT64_MAX,
	};

	op.knows_old = (kind == SIM_PUT || kind == SIM_DELETE) && !sim_percent(rng, BLIND_PERCENT);
	if (kind == SIM_PUT)
		op.value = ++workload->next_value;
	client->op_index = add_op(workload, &op);
	client->is_busy = true;
	client->may_have_run = false;
	client->timeout_ms = (uint32_t)sim_range(rng, ATTEMPT_MS_MIN, ATTEMPT_MS_MAX);
	client->started_mono_us = runtime_mono_us(&client->coordinator->runtime.base);
	client->deadline_mono_us = client->started_mono_us +
				   sim_range(rng, OP_DEADLINE_MS_MIN, OP_DEADLINE_MS_MAX) * SIM_MS;
	client->target = kind == SIM_READ_EVENTUAL ? sim_range(rng, 1, SIM_NODES_MAX)
						   : *believed_leader(client);
	rng_fill(rng, client->request_id, sizeof(client->request_id));
	build_row_key(client, &op);
	if (kind == SIM_PUT)
		build_item(client, op.value);
	attempt(client);
}

static void begin_next(struct sim_client *client)
{
	struct sim_workload *workload = client->workload;
	struct rng *rng = &workload->world->client_rng;

	if (!workload->is_stopping)
		begin(client, choose_kind(rng, client->read_percent),
		      (uint32_t)rng_below(rng, workload->key_count));
	else if (workload->keys_to_read > 0)
		begin(client, SIM_READ, --workload->keys_to_read);
}

static void on_timer(struct runtime_timer *timer)
{
	struct sim_client *client = CONTAINER_OF(timer, struct sim_client, timer);

	if (client->is_busy)
		attempt(client);
	else
		begin_next(client);
}

static void think(struct sim_client *client)
{
	runtime_timer_start(
		&client->coordinator->runtime.base, &client->timer,
		sim_range(&client->workload->world->client_rng, 0, client->workload->think_us_max));
}

/* --- life --- */

static void init_client(struct sim_workload *workload, uint32_t id)
{
	struct sim_client *client = &workload->clients[id];

	client->workload = workload;
	client->coordinator = &workload->coordinators[id % SIM_COORDINATORS];
	client->id = id;
	client->read_percent = (uint32_t)sim_range(&workload->world->client_rng, 0, READS_PERCENT_MAX);
	for (uint32_t i = 0; i < SIM_PARTITIONS_MAX; i++)
		client->leader[i] = sim_range(&workload->world->client_rng, 1, NODES_AT_BIRTH);
	buf_init(&client->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&client->item, 2 * (size_t)BIG_MAX);
	buf_init(&client->body, 4 * (size_t)BIG_MAX);
	runtime_timer_init(&client->timer, on_timer);
}

void sim_workload_init(struct sim_workload *workload, struct sim_world *world, struct sim_net *net,
		       uint32_t partition_count, uint32_t key_count)
{
	*workload = (struct sim_workload){ .world = world, .net = net, .partition_count = partition_count };
	workload->key_count = key_count;
	workload->think_us_max = 40 * SIM_MS;
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		struct sim_coordinator *coordinator = &workload->coordinators[i];

		sim_runtime_init(&coordinator->runtime, world, SIM_COORDINATOR_ID_FIRST + i);
		sim_net_start(net, &coordinator->endpoint, &coordinator->runtime,
			      SIM_COORDINATOR_ID_FIRST + i, 0, NULL);
	}
	for (uint32_t id = 0; id < SIM_CLIENTS; id++)
		init_client(workload, id);
}

void sim_workload_start(struct sim_workload *workload)
{
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_runtime_enter(&workload->coordinators[i].runtime);
	for (uint32_t id = 0; id < SIM_CLIENTS; id++)
		think(&workload->clients[id]);
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_runtime_leave(&workload->coordinators[i].runtime);
}

void sim_workload_stop(struct sim_workload *workload)
{
	workload->is_stopping = true;
	workload->keys_to_read = workload->key_count;
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
	/* What still runs ends as it would at the end of its process: nobody sees the answer. */
	workload->is_stopping = true;
	workload->keys_to_read = 0;
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++) {
		sim_net_stop(&workload->coordinators[i].endpoint, true);
		for (uint32_t id = 0; id < SIM_CLIENTS; id++)
			workload->clients[id].deadline_mono_us = 0;
		CHECK(sim_runtime_drain(&workload->coordinators[i].runtime));
		sim_runtime_close(&workload->coordinators[i].runtime);
	}
	for (uint32_t id = 0; id < SIM_CLIENTS; id++) {
		buf_close(&workload->clients[id].row_key);
		buf_close(&workload->clients[id].item);
		buf_close(&workload->clients[id].body);
	}
	free(workload->ops);
	workload->ops = NULL;
}
