#include "deploy/cleave/bench_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "deploy/cleave/bench_client.h"
#include "deploy/cleave/bench_pacer.h"
#include "proto/model/limits.h"

enum {
	S_US = 1000 * 1000,
	SWEEP_US = 50 * 1000, /* how exact timeouts are */
	HTTP_OK = 200,
	EMPTY_BODY_SIZE = 2, /* {} */
	ERROR_SIZE_MAX = 32,
	LINE_SIZE_MAX = 512,
	ANSWER_EXTRA_SIZE = 16 * 1024,
};

enum phase { LOAD, WARM_UP, MEASURE, DRAIN };

struct lane; /* a connection and what it is doing */

struct run {
	struct runtime_uv *runtime;
	const struct bench_settings *settings;
	struct bench_signer *signer;
	struct bench_result *result;
	struct bench_workload workload;
	struct bench_request requests[BENCH_OP_COUNT];
	struct lane *lanes;
	size_t lane_count;
	struct queue idle; /* lanes that could send */
	size_t busy_count;
	enum phase phase;
	uint64_t phase_start_us;
	uint64_t measure_start_us; /* UINT64_MAX until then */
	uint64_t measure_end_us;   /* UINT64_MAX until then */
	uint64_t load_key_next;
	uint64_t schedule_start_us; /* open loop */
	uint64_t schedule_next;     /* index of the next operation to send */
	struct bench_cpu_times cpu_start;
	bool has_cpu_start;
	struct bench_pacer pacer;
	uv_signal_t interrupt;
	struct runtime_timer phase_end;
	struct runtime_timer sweep;
	/* Of the current second; merged into the result at its end. */
	struct runtime_timer second;
	struct bench_histogram recent;
	uint64_t recent_count;
	bool is_progress_wanted;
};

struct lane {
	struct bench_client client;
	struct run *run;
	struct queue idle_link;
	enum bench_op op;
	uint64_t due_us; /* when the operation should have been sent */
};

static const char *const operations[] = {
	[BENCH_OP_PUT] = "PutItem",    [BENCH_OP_GET] = "GetItem", [BENCH_OP_PUT_IF] = "PutItem",
	[BENCH_OP_ADD] = "UpdateItem", [BENCH_OP_QUERY] = "Query", [BENCH_OP_SCAN] = "Scan",
};

static void feed(struct lane *lane);
static void begin_warm_up(struct run *run);
static void begin_drain(struct run *run);

static uint64_t now_us(const struct run *run)
{
	return runtime_mono_us(&run->runtime->base);
}

static struct lane *lane_of(struct bench_client *client)
{
	return CONTAINER_OF(client, struct lane, client);
}

/* --- sending --- */

static void send_one(struct lane *lane, enum bench_op op, uint64_t key_index, uint64_t due_us)
{
	struct run *run = lane->run;
	struct slice body = bench_workload_body(&run->workload, op, key_index);
	struct slice head;

	bench_signer_set_time(run->signer, runtime_wall_us(&run->runtime->base) / S_US);
	head = bench_request_sign(&run->requests[op], run->signer, body);
	lane->op = op;
	lane->due_us = due_us;
	run->busy_count++;
	bench_client_send(&lane->client, head, body);
}

static void send_chosen(struct lane *lane, uint64_t due_us)
{
	struct bench_workload *workload = &lane->run->workload;
	enum bench_op op = bench_workload_choose_op(workload);

	send_one(lane, op, bench_workload_choose_key(workload), due_us);
}

static uint64_t due_us_of(const struct run *run, uint64_t index)
{
	uint64_t rate_per_s = run->settings->rate_per_s;

	return run->schedule_start_us + index / rate_per_s * S_US + index % rate_per_s * S_US / rate_per_s;
}

static void park(struct lane *lane)
{
	queue_push_tail(&lane->run->idle, &lane->idle_link);
}

static void feed_open_loop(struct lane *lane)
{
	struct run *run = lane->run;
	uint64_t due_us = due_us_of(run, run->schedule_next);

	if (due_us <= now_us(run)) {
		run->schedule_next++;
		send_chosen(lane, due_us);
		return;
	}
	park(lane);
	bench_pacer_arm(&run->pacer, due_us);
}

/* Give a connected lane that is not busy something to do. */
static void feed(struct lane *lane)
{
	struct run *run = lane->run;

	if (run->phase == DRAIN || (run->phase == LOAD && run->load_key_next == run->settings->key_count))
		park(lane);
	else if (run->phase == LOAD)
		send_one(lane, BENCH_OP_PUT, run->load_key_next++, now_us(run));
	else if (run->settings->rate_per_s > 0)
		feed_open_loop(lane);
	else
		send_chosen(lane, now_us(run));
}

static void feed_idle(struct run *run)
{
	struct queue idle;

	queue_init(&idle);
	queue_move_all(&run->idle, &idle);
	for (struct queue *link = queue_pop_head(&idle); link != NULL; link = queue_pop_head(&idle))
		feed(CONTAINER_OF(link, struct lane, idle_link));
}

static void on_due(struct bench_pacer *pacer)
{
	struct run *run = CONTAINER_OF(pacer, struct run, pacer);
	struct queue *link;

	/* What is due after all connections are busy waits in the schedule. */
	while (run->phase != DRAIN && due_us_of(run, run->schedule_next) <= now_us(run) &&
	       (link = queue_pop_head(&run->idle)) != NULL)
		feed(CONTAINER_OF(link, struct lane, idle_link));
	if (run->phase != DRAIN && !queue_is_empty(&run->idle))
		bench_pacer_arm(pacer, due_us_of(run, run->schedule_next));
}

/* --- counting --- */

/* Was the lane's operation to start within the measured time? */
static bool is_measured(const struct lane *lane)
{
	const struct run *run = lane->run;

	return lane->due_us >= run->measure_start_us && lane->due_us < run->measure_end_us;
}

static struct bench_errors *errors_of(const struct lane *lane)
{
	return is_measured(lane) ? &lane->run->result->errors : &lane->run->result->early_errors;
}

static void count_latency(struct lane *lane)
{
	struct run *run = lane->run;
	uint64_t end_us = now_us(run);

	if (is_measured(lane))
		bench_histogram_record(&run->recent, end_us > lane->due_us ? end_us - lane->due_us : 0);
}

static void count_success(struct lane *lane, const struct bench_response *response)
{
	struct run *run = lane->run;

	if (run->phase == LOAD)
		run->result->load_count++;
	run->recent_count++;
	if (run->phase == MEASURE) {
		run->result->success_count++;
		run->result->answer_count++;
	}
	if (!is_measured(lane))
		return;
	run->result->operation_count++;
	if (lane->op == BENCH_OP_GET && response->body.size <= EMPTY_BODY_SIZE)
		run->result->missing_count++;
	count_latency(lane);
}

static void count_refusal(struct lane *lane, const struct bench_response *response)
{
	struct slice type = bench_response_error_type(response->body);
	char text[ERROR_SIZE_MAX];

	if (lane->run->phase == MEASURE)
		lane->run->result->answer_count++;
	if (type.size == 0) {
		(void)snprintf(text, sizeof(text), "HTTP-%" PRIu32, response->http_status);
		type = slice_of_string(text);
	}
	bench_errors_add(errors_of(lane), type);
}

static const char *name_of(enum status status)
{
	switch (status) {
	case ST_UNREACHABLE:
		return "(cannot-connect)";
	case ST_TIMEOUT:
		return "(timeout)";
	case ST_CORRUPT:
	case ST_TOO_BIG:
		return "(not-an-answer)";
	default:
		return "(connection-lost)";
	}
}

/* What was due in the measured time but waits in the schedule still. */
static void count_unsent(struct run *run)
{
	for (;; run->schedule_next++) {
		uint64_t due_us = due_us_of(run, run->schedule_next);

		if (due_us >= run->measure_end_us)
			return;
		if (due_us < run->measure_start_us)
			continue;
		run->result->unsent_count++;
		bench_histogram_record(&run->recent, run->measure_end_us - due_us);
	}
}

static void stop_if_done(struct run *run)
{
	if (run->busy_count > 0)
		return;
	if (run->phase == LOAD && run->load_key_next == run->settings->key_count)
		begin_warm_up(run);
	else if (run->phase == DRAIN)
		runtime_uv_stop(run->runtime);
}

static void stop_if_hopeless(struct run *run)
{
	if (run->phase == LOAD && run->result->early_errors.count >= BENCH_RUN_LOAD_ERRORS_MAX)
		begin_drain(run);
}

/* --- what connections tell --- */

static void on_ready(struct bench_client *client)
{
	feed(lane_of(client));
}

static void on_answered(struct bench_client *client, const struct bench_response *response)
{
	struct lane *lane = lane_of(client);
	struct run *run = lane->run;

	run->busy_count--;
	if (response->http_status == HTTP_OK)
		count_success(lane, response);
	else
		count_refusal(lane, response);
	stop_if_hopeless(run);
	if (!response->is_last)
		feed(lane);
	stop_if_done(run);
}

static void on_ended(struct bench_client *client, enum status status, bool was_busy)
{
	struct lane *lane = lane_of(client);
	struct run *run = lane->run;

	queue_remove(&lane->idle_link);
	if (was_busy)
		run->busy_count--;
	else if (status != ST_UNREACHABLE)
		return; /* it was idle, and connects again */
	else
		lane->due_us = now_us(run);
	if (was_busy)
		count_latency(lane);
	bench_errors_add(errors_of(lane), slice_of_string(name_of(status)));
	stop_if_hopeless(run);
	stop_if_done(run);
}

static const struct bench_client_user client_user = { on_ready, on_answered, on_ended };

/* --- phases --- */

static void enter(struct run *run, enum phase phase)
{
	run->phase = phase;
	run->phase_start_us = now_us(run);
	runtime_timer_stop(&run->runtime->base, &run->phase_end);
}

static void begin_load(struct run *run)
{
	enter(run, LOAD);
}

static void end_load(struct run *run)
{
	if (run->phase == LOAD && run->settings->is_load)
		run->result->load_us = now_us(run) - run->phase_start_us;
}

static void begin_warm_up(struct run *run)
{
	end_load(run);
	enter(run, WARM_UP);
	run->schedule_start_us = run->phase_start_us;
	runtime_timer_start(&run->runtime->base, &run->phase_end, run->settings->warmup_ms * 1000);
	feed_idle(run);
}

static void begin_measure(struct run *run)
{
	run->has_cpu_start = bench_cpu_read(&run->settings->pids, &run->cpu_start) == ST_OK;
	enter(run, MEASURE);
	run->measure_start_us = run->phase_start_us;
	runtime_timer_start(&run->runtime->base, &run->phase_end, run->settings->duration_ms * 1000);
}

static void take_cpu(struct run *run)
{
	struct bench_cpu_times *cpu = &run->result->cpu;

	run->result->has_cpu = run->has_cpu_start && bench_cpu_read(&run->settings->pids, cpu) == ST_OK;
	if (!run->result->has_cpu)
		return;
	cpu->own_us -= run->cpu_start.own_us;
	for (uint32_t i = 0; i < run->settings->pids.count; i++)
		cpu->server_us[i] -= run->cpu_start.server_us[i];
}

static void end_measure(struct run *run)
{
	if (run->phase != MEASURE)
		return;
	take_cpu(run);
	run->measure_end_us = now_us(run);
	run->result->measured_us = run->measure_end_us - run->measure_start_us;
	if (run->settings->rate_per_s > 0)
		count_unsent(run);
}

static void begin_drain(struct run *run)
{
	end_load(run);
	end_measure(run);
	enter(run, DRAIN);
	stop_if_done(run);
}

static void on_phase_end(struct runtime_timer *timer)
{
	struct run *run = CONTAINER_OF(timer, struct run, phase_end);

	if (run->phase == WARM_UP)
		begin_measure(run);
	else
		begin_drain(run);
}

/* --- timers and signals --- */

static void on_sweep(struct runtime_timer *timer)
{
	struct run *run = CONTAINER_OF(timer, struct run, sweep);
	uint64_t at_us = now_us(run);

	runtime_timer_start(&run->runtime->base, timer, SWEEP_US);
	for (size_t i = 0; i < run->lane_count; i++)
		bench_client_check_deadline(&run->lanes[i].client, at_us);
}

static void print_progress(const struct run *run)
{
	static const char *const names[] = {
		[LOAD] = "load", [WARM_UP] = "warm-up", [MEASURE] = "measure", [DRAIN] = "drain"
	};
	struct buf line;

	buf_init(&line, LINE_SIZE_MAX);
	buf_append_format(&line, "\r\033[K%-8s %3" PRIu64 " s  %8" PRIu64 " ops/s  ", names[run->phase],
			  (now_us(run) - run->phase_start_us) / S_US, run->recent_count);
	if (run->recent.count > 0) {
		buf_append_string(&line, "p50 ");
		bench_result_print_latency(&line, (double)bench_histogram_percentile_us(&run->recent, 500));
		buf_append_string(&line, "  p99 ");
		bench_result_print_latency(&line, (double)bench_histogram_percentile_us(&run->recent, 990));
	}
	buf_append_format(&line, "  errors %" PRIu64,
			  run->result->errors.count + run->result->early_errors.count);
	(void)fwrite(line.data, 1, line.size, stderr); /* progress is a courtesy */
	buf_close(&line);
}

static void end_second(struct run *run)
{
	bench_histogram_merge(&run->result->latency, &run->recent);
	bench_histogram_reset(&run->recent);
	run->recent_count = 0;
}

static void on_second(struct runtime_timer *timer)
{
	struct run *run = CONTAINER_OF(timer, struct run, second);

	runtime_timer_start(&run->runtime->base, timer, S_US);
	if (run->is_progress_wanted)
		print_progress(run);
	end_second(run);
}

/* The next SIGINT finds no handler any more, and ends the process. */
static void on_interrupt(uv_signal_t *handle, int number)
{
	struct run *run = CONTAINER_OF(handle, struct run, interrupt);

	(void)number;
	(void)uv_signal_stop(handle); /* always succeeds */
	run->result->is_interrupted = true;
	begin_drain(run);
}

/* --- start and end --- */

static enum status init_requests(struct run *run)
{
	const struct bench_settings *settings = run->settings;
	const struct bench_workload_options options = {
		.table = settings->table,
		.mix = (enum bench_mix)settings->mix,
		.read_percent = (uint32_t)settings->read_percent,
		.is_consistent = settings->is_consistent,
		.keys = (enum bench_keys)settings->keys,
		.key_count = settings->key_count,
		.collection_size = settings->collection_size,
		.has_index = settings->has_index,
		.item_size_bytes = settings->item_size_bytes,
		.seed = settings->seed,
	};
	enum status status = bench_workload_init(&run->workload, &options);

	for (size_t op = 0; op < BENCH_OP_COUNT && status == ST_OK; op++)
		status = bench_request_init(&run->requests[op], run->signer, settings->host, operations[op]);
	return status;
}

/* A page of a query has up to a megabyte of items, which JSON makes longer. */
static size_t answer_size_max(const struct bench_settings *settings)
{
	if (settings->mix == BENCH_MIX_QUERY)
		return 2 * LIMIT_PAGE_SIZE_BYTES + settings->item_size_bytes + ANSWER_EXTRA_SIZE;
	return settings->item_size_bytes + ANSWER_EXTRA_SIZE;
}

static enum status open_lanes(struct run *run)
{
	const struct bench_client_options options = {
		.runtime = run->runtime,
		.place = &run->settings->place,
		.user = &client_user,
		.response_size_bytes_max = answer_size_max(run->settings),
		.timeout_us = run->settings->timeout_ms * 1000,
	};
	size_t wanted_count = (size_t)run->settings->connection_count;

	run->lanes = calloc(wanted_count, sizeof(*run->lanes));
	if (run->lanes == NULL)
		return ST_NO_MEMORY;
	for (; run->lane_count < wanted_count; run->lane_count++) {
		struct lane *lane = &run->lanes[run->lane_count];

		lane->run = run;
		queue_init(&lane->idle_link);
		if (bench_client_open(&lane->client, &options) != ST_OK)
			return ST_NO_MEMORY;
	}
	return ST_OK;
}

static void start_timers(struct run *run)
{
	struct runtime *runtime = &run->runtime->base;
	int rc = uv_signal_init(&run->runtime->loop, &run->interrupt);

	rc |= uv_signal_start(&run->interrupt, on_interrupt, SIGINT);
	CHECK(rc == 0);
	runtime_timer_init(&run->phase_end, on_phase_end);
	runtime_timer_init(&run->sweep, on_sweep);
	runtime_timer_init(&run->second, on_second);
	runtime_timer_start(runtime, &run->sweep, SWEEP_US);
	runtime_timer_start(runtime, &run->second, S_US);
}

static void stop_timers(struct run *run)
{
	runtime_timer_stop(&run->runtime->base, &run->phase_end);
	runtime_timer_stop(&run->runtime->base, &run->sweep);
	runtime_timer_stop(&run->runtime->base, &run->second);
	uv_close((uv_handle_t *)&run->interrupt, NULL);
}

static void close_lanes(struct run *run)
{
	for (size_t i = 0; i < run->lane_count; i++)
		bench_client_close(&run->lanes[i].client);
	for (size_t i = 0; i < run->lane_count; i++) {
		while (!bench_client_is_closed(&run->lanes[i].client))
			runtime_uv_turn(run->runtime);
	}
	free(run->lanes);
}

static void tear_down(struct run *run)
{
	close_lanes(run);
	bench_pacer_close(&run->pacer);
	for (size_t op = 0; op < BENCH_OP_COUNT; op++)
		bench_request_close(&run->requests[op]);
	bench_workload_close(&run->workload);
}

static void run_phases(struct run *run)
{
	start_timers(run);
	if (run->settings->is_load)
		begin_load(run);
	else
		begin_warm_up(run);
	runtime_uv_run(run->runtime);
	end_second(run);
	stop_timers(run);
	if (run->is_progress_wanted)
		(void)fputs("\r\033[K", stderr); /* as for the progress */
}

bool bench_run(struct runtime_uv *runtime, const struct bench_settings *settings, struct bench_signer *signer,
	       struct bench_result *result)
{
	static struct run run; /* for its histogram's size */
	enum status status;

	run = (struct run){ .runtime = runtime, .settings = settings, .signer = signer, .result = result };
	run.measure_start_us = run.measure_end_us = UINT64_MAX;
	run.is_progress_wanted = !settings->is_json && isatty(STDERR_FILENO) == 1;
	bench_histogram_reset(&run.recent);
	queue_init(&run.idle);
	status = bench_pacer_init(&run.pacer, runtime, on_due);
	if (status != ST_OK) {
		(void)fprintf(stderr, "%s: no timer: %s\n", bench_program, status_name(status));
		return false;
	}
	status = init_requests(&run);
	if (status == ST_OK)
		status = open_lanes(&run);
	if (status == ST_OK)
		run_phases(&run);
	else
		(void)fprintf(stderr, "%s: cannot start: %s\n", bench_program, status_name(status));
	tear_down(&run);
	return status == ST_OK;
}
