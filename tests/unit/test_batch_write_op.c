#include "coordinator/exec/batch_write_op.h"

#include <stdlib.h>

#include "proto/model/limits.h"
#include "tests/unit/item_op_fixture.h"

enum { SIZE_BEFORE = 100 };

/* A write that a node has taken and will answer in a later turn. */
struct flight {
	struct runtime_task task;
	struct many *many;
	struct rpc_call *call; /* NULL: free */
	uint32_t number;
	bool is_canceled;
};

/* A batch whose write n is answered with answers[n], always. */
struct many {
	struct item_fixture f;
	struct batch_write_op op;
	struct batch_write writes[LIMIT_BATCH_WRITE_COUNT];
	uint8_t keys[LIMIT_BATCH_WRITE_COUNT][16];
	enum status answers[LIMIT_BATCH_WRITE_COUNT];
	uint32_t sent_counts[LIMIT_BATCH_WRITE_COUNT];
	struct flight flights[LIMIT_BATCH_WRITE_COUNT];
	uint32_t in_flight_count;
	uint32_t in_flight_count_max;
	uint32_t done_count;
};

static struct many *many_of(struct rpc_transport *transport)
{
	return CONTAINER_OF(fixture_of(transport), struct many, f);
}

/* --- the nodes --- */

static void answer(struct flight *flight, enum status status)
{
	struct many *many = flight->many;
	struct rpc_call *call = flight->call;
	Cleave__WriteItemReply reply = CLEAVE__WRITE_ITEM_REPLY__INIT;
	uint8_t bytes[64];
	size_t size = 0;

	reply.old_size_bytes = SIZE_BEFORE;
	reply.new_size_bytes = flight->number;
	if (status == ST_OK)
		size = cleave__write_item_reply__pack(&reply, bytes);
	flight->call = NULL;
	many->in_flight_count--;
	runtime_timer_stop(&many->f.runtime.base, &call->timer);
	call->status = status;
	call->reply = slice_of(bytes, size);
	call->is_in_flight = false;
	call->done(call);
}

static struct flight *flight_of(struct many *many, const struct rpc_call *call)
{
	for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++) {
		if (many->flights[i].call == call)
			return &many->flights[i];
	}
	fail_msg("more in flight than writes");
	return NULL;
}

static void on_answer(struct runtime_task *task)
{
	struct flight *flight = CONTAINER_OF(task, struct flight, task);

	answer(flight, flight->is_canceled ? ST_CANCELED : flight->many->answers[flight->number]);
}

static void on_silence(struct runtime_timer *timer)
{
	struct rpc_call *call = CONTAINER_OF(timer, struct rpc_call, timer);

	answer(flight_of(many_of(call->transport), call), ST_TIMEOUT);
}

static void take_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct many *many = many_of(transport);
	struct flight *flight = flight_of(many, NULL);
	Cleave__WriteItemRequest *write = cleave__write_item_request__unpack(NULL, call->body.size,
									     call->body.data);

	assert_non_null(write);
	*flight = (struct flight){ .many = many, .call = call };
	flight->number = write->row_key.data[write->row_key.len - 1];
	assert_int_equal(write->kind, flight->number % 2 == 0 ? CLEAVE__WRITE_ITEM_REQUEST__KIND__PUT
							      : CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE);
	assert_int_equal(write->needs_old_size, true);
	cleave__write_item_request__free_unpacked(write, NULL);
	many->sent_counts[flight->number]++;
	if (++many->in_flight_count > many->in_flight_count_max)
		many->in_flight_count_max = many->in_flight_count;
	call->is_in_flight = true;
	runtime_timer_init(&call->timer, on_silence);
	runtime_task_init(&flight->task, on_answer);
	if (many->answers[flight->number] == ST_TIMEOUT)
		runtime_timer_start(&many->f.runtime.base, &call->timer, call->timeout_ms * 1000ull);
	else
		runtime_defer(&many->f.runtime.base, &flight->task);
}

static void cancel_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct many *many = many_of(transport);
	struct flight *flight = flight_of(many, call);

	flight->is_canceled = true;
	if (many->answers[flight->number] == ST_TIMEOUT)
		runtime_defer(&many->f.runtime.base, &flight->task);
}

static const struct rpc_transport_ops many_ops = {
	.call = take_call,
	.cancel = cancel_call,
	.is_up = fixture_is_up,
};

/* --- the batch --- */

static void on_done(struct batch_write_op *op)
{
	CONTAINER_OF(op, struct many, op)->done_count++;
}

static struct many *many_open(uint32_t count)
{
	struct many *many = calloc(1, sizeof(*many));

	assert_non_null(many);
	fixture_open(&many->f);
	many->f.transport.ops = &many_ops;
	for (uint32_t i = 0; i < count; i++) {
		put_u32_be(many->keys[i], FIXTURE_TABLE);
		put_u64_be(many->keys[i] + 4, 99);
		many->keys[i][12] = (uint8_t)i;
		many->writes[i] = (struct batch_write){
			.kind = i % 2 == 0 ? ITEM_OP_PUT : ITEM_OP_DELETE,
			.row_key = slice_of(many->keys[i], 13),
			.item = i % 2 == 0 ? slice_of_string("item bytes") : slice_of(NULL, 0),
		};
	}
	many->op = (struct batch_write_op){
		.writes = many->writes,
		.write_count = count,
		.needs_old_size = true,
		.arena = &many->f.arena,
		.done = on_done,
	};
	return many;
}

static void many_start(struct many *many)
{
	batch_write_op_start(&many->f.env, &many->op);
	assert_int_equal(many->done_count, 0); /* never from inside start */
}

static void many_wait(struct many *many)
{
	manual_runtime_settle(&many->f.runtime);
	for (uint32_t ms = 0; many->done_count == 0 && ms <= 2 * ITEM_OP_DEADLINE_MS; ms++)
		manual_runtime_advance_ms(&many->f.runtime, 1);
	manual_runtime_advance_ms(&many->f.runtime, 10);
	assert_int_equal(many->done_count, 1); /* exactly once */
	assert_int_equal(many->in_flight_count, 0);
	assert_int_equal(runtime_next_deadline_mono_us(&many->f.runtime.base), UINT64_MAX);
}

static void many_close(struct many *many)
{
	fixture_close(&many->f);
	free(many);
}

static void every_write_is_sent_once_and_a_few_at_a_time(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= LIMIT_BATCH_WRITE_COUNT; count++) {
		struct many *many = many_open(count);

		many_start(many);
		many_wait(many);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(many->writes[i].status, ST_OK);
			assert_int_equal(many->sent_counts[i], 1);
			assert_int_equal(many->writes[i].old_size_bytes, SIZE_BEFORE);
			assert_int_equal(many->writes[i].new_size_bytes, i);
		}
		assert_int_equal(many->in_flight_count_max,
				 count < BATCH_WRITE_OP_WORKERS ? count : BATCH_WRITE_OP_WORKERS);
		many_close(many);
	}
}

static void a_write_that_fails_fails_alone(void **state)
{
	struct many *many = many_open(LIMIT_BATCH_WRITE_COUNT);

	(void)state;
	many->answers[3] = ST_NO_SPACE;
	many->answers[20] = ST_INVALID;
	many_start(many);
	many_wait(many);
	for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++)
		assert_int_equal(many->writes[i].status, many->answers[i]);
	many_close(many);
}

static void one_deadline_is_for_all(void **state)
{
	struct many *many = many_open(LIMIT_BATCH_WRITE_COUNT);
	uint64_t before_ms = runtime_mono_ms(&many->f.runtime.base);

	(void)state;
	for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++)
		many->answers[i] = ST_BUSY;
	many_start(many);
	many_wait(many);
	assert_true(runtime_mono_ms(&many->f.runtime.base) - before_ms <= ITEM_OP_DEADLINE_MS + 200);
	for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++) {
		assert_int_equal(many->writes[i].status, ST_BUSY);
		assert_true(many->sent_counts[i] > 1);
	}
	many_close(many);
}

/* As many as there are workers at first wait to the end; those behind them are written all the same. */
static void writes_that_wait_do_not_hold_up_the_others(void **state)
{
	struct many *many = many_open(LIMIT_BATCH_WRITE_COUNT);

	(void)state;
	for (uint32_t i = 0; i < BATCH_WRITE_OP_WORKERS; i++)
		many->answers[i] = ST_BUSY;
	many_start(many);
	manual_runtime_settle(&many->f.runtime);
	assert_int_equal(many->sent_counts[BATCH_WRITE_OP_WORKERS], 0);
	for (uint32_t ms = 0; ms <= BATCH_WRITE_OP_PATIENCE_MS; ms++)
		manual_runtime_advance_ms(&many->f.runtime, 1);
	for (uint32_t i = BATCH_WRITE_OP_WORKERS; i < LIMIT_BATCH_WRITE_COUNT; i++)
		assert_int_equal(many->sent_counts[i], 1);
	many_wait(many);
	for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++)
		assert_int_equal(many->writes[i].status, many->answers[i]);
	many_close(many);
}

static void what_was_never_answered_may_have_happened(void **state)
{
	struct many *many = many_open(3);

	(void)state;
	many->answers[1] = ST_TIMEOUT;
	many_start(many);
	many_wait(many);
	assert_int_equal(many->writes[0].status, ST_OK);
	assert_int_equal(many->writes[1].status, ST_UNKNOWN_OUTCOME);
	assert_int_equal(many->writes[2].status, ST_OK);
	many_close(many);
}

static void a_cancelled_batch_ends_soon_and_once(void **state)
{
	(void)state;
	for (uint32_t turns = 0; turns < 6; turns++) {
		struct many *many = many_open(LIMIT_BATCH_WRITE_COUNT);
		uint64_t before_ms = runtime_mono_ms(&many->f.runtime.base);

		for (uint32_t i = 0; i < LIMIT_BATCH_WRITE_COUNT; i++)
			many->answers[i] = i % 2 == 0 ? ST_TIMEOUT : ST_OK;
		many_start(many);
		for (uint32_t i = 0; i < turns; i++)
			manual_runtime_turn(&many->f.runtime);
		batch_write_op_cancel(&many->op);
		many_wait(many);
		assert_true(runtime_mono_ms(&many->f.runtime.base) - before_ms < 100);
		assert_int_equal(many->writes[LIMIT_BATCH_WRITE_COUNT - 1].status, ST_CANCELED);
		many_close(many);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_is_sent_once_and_a_few_at_a_time),
		cmocka_unit_test(a_write_that_fails_fails_alone),
		cmocka_unit_test(one_deadline_is_for_all),
		cmocka_unit_test(writes_that_wait_do_not_hold_up_the_others),
		cmocka_unit_test(what_was_never_answered_may_have_happened),
		cmocka_unit_test(a_cancelled_batch_ends_soon_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
