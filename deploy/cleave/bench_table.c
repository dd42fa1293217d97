#include "deploy/cleave/bench_table.h"

#include <stdio.h>

#include "deploy/cleave/bench_client.h"

enum {
	ANSWER_SIZE_MAX = 1024 * 1024,
	BODY_SIZE_MAX = 4096,
	QUOTE_SIZE_MAX = 500,
	ACTIVE_MS_MAX = 60 * 1000,
	PAUSE_US = 50 * 1000,
	HTTP_OK = 200,
};

struct asker {
	struct bench_client client;
	struct runtime_uv *runtime;
	const struct bench_settings *settings;
	struct bench_signer *signer;
	struct runtime_timer pause;
	bool is_paused;
	bool is_ready;
	bool is_done;
	enum status status; /* of the connection */
	uint32_t http_status;
	struct buf answer;
};

static struct asker *asker_of(struct bench_client *client)
{
	return CONTAINER_OF(client, struct asker, client);
}

static void on_ready(struct bench_client *client)
{
	asker_of(client)->is_ready = true;
}

static void on_answered(struct bench_client *client, const struct bench_response *response)
{
	struct asker *asker = asker_of(client);

	asker->is_done = true;
	asker->is_ready = !response->is_last;
	asker->http_status = response->http_status;
	buf_reset(&asker->answer);
	buf_append_slice(&asker->answer, response->body);
	asker->status = asker->answer.status;
}

static void on_ended(struct bench_client *client, enum status status, bool was_busy)
{
	struct asker *asker = asker_of(client);

	asker->is_ready = false;
	if (!was_busy && status != ST_UNREACHABLE)
		return; /* it connects again */
	asker->is_done = true;
	asker->status = status;
}

static void on_pause(struct runtime_timer *timer)
{
	CONTAINER_OF(timer, struct asker, pause)->is_paused = false;
}

static void turn(struct asker *asker)
{
	runtime_uv_turn(asker->runtime);
	bench_client_check_deadline(&asker->client, runtime_mono_us(&asker->runtime->base));
}

/* Waking up now and then keeps the deadline in force. */
static void pause_for(struct asker *asker)
{
	asker->is_paused = true;
	runtime_timer_start(&asker->runtime->base, &asker->pause, PAUSE_US);
}

static void wait_a_little(struct asker *asker)
{
	pause_for(asker);
	while (asker->is_paused)
		turn(asker);
}

static void wait_for(struct asker *asker, const bool *flag)
{
	while (!*flag && !asker->is_done) {
		if (!asker->is_paused)
			pause_for(asker);
		turn(asker);
	}
}

static enum status ask(struct asker *asker, const char *operation, const struct buf *body)
{
	struct bench_request request;
	struct slice head;
	enum status status;

	status = bench_request_init(&request, asker->signer, asker->settings->host, operation);
	if (status != ST_OK)
		return status;
	asker->is_done = false;
	wait_for(asker, &asker->is_ready);
	if (!asker->is_done) {
		bench_signer_set_time(asker->signer, runtime_wall_us(&asker->runtime->base) / 1000000);
		head = bench_request_sign(&request, asker->signer, buf_slice(body));
		bench_client_send(&asker->client, head, buf_slice(body));
		wait_for(asker, &asker->is_done);
	}
	bench_request_close(&request);
	return asker->status;
}

static enum status describe(struct asker *asker)
{
	struct buf body;
	enum status status;

	buf_init(&body, BODY_SIZE_MAX);
	buf_append_format(&body, "{\"TableName\":\"%s\"}", asker->settings->table);
	status = body.status == ST_OK ? ask(asker, "DescribeTable", &body) : body.status;
	buf_close(&body);
	return status;
}

static enum status create(struct asker *asker)
{
	static const char index[] = ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-g\",\"KeySchema\":"
				    "[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"
				    "\"Projection\":{\"ProjectionType\":\"ALL\"}}]";
	const struct bench_settings *settings = asker->settings;
	bool has_sort_key = settings->collection_size > 0;
	struct buf body;
	enum status status;

	buf_init(&body, BODY_SIZE_MAX);
	buf_append_format(&body,
			  "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\","
			  "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}%s%s],"
			  "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}%s]%s}",
			  settings->table,
			  has_sort_key ? ",{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}" : "",
			  settings->has_index ? ",{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}" : "",
			  has_sort_key ? ",{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}" : "",
			  settings->has_index ? index : "");
	status = body.status == ST_OK ? ask(asker, "CreateTable", &body) : body.status;
	buf_close(&body);
	return status;
}

/* --- what to make of an answer --- */

static bool is_error(const struct asker *asker, const char *type)
{
	return asker->http_status != HTTP_OK &&
	       slice_equal(bench_response_error_type(buf_slice(&asker->answer)), slice_of_string(type));
}

static bool is_active(const struct asker *asker)
{
	return asker->http_status == HTTP_OK &&
	       bench_response_member_is(buf_slice(&asker->answer), "TableStatus", "ACTIVE");
}

static bool refuse(const struct asker *asker, enum status status)
{
	const struct bench_settings *settings = asker->settings;
	size_t size = asker->answer.size < QUOTE_SIZE_MAX ? asker->answer.size : QUOTE_SIZE_MAX;

	if (status == ST_UNREACHABLE)
		(void)fprintf(stderr, "%s: cannot connect to %s\n", bench_program, settings->target);
	else if (status != ST_OK)
		(void)fprintf(stderr, "%s: %s does not answer as a DynamoDB endpoint does (%s)\n",
			      bench_program, settings->target, status_name(status));
	else
		(void)fprintf(stderr, "%s: cannot use table %s: HTTP %u %.*s\n", bench_program,
			      settings->table, asker->http_status, (int)size,
			      (const char *)asker->answer.data);
	return false;
}

static bool wait_until_active(struct asker *asker)
{
	uint64_t end_mono_us = runtime_mono_us(&asker->runtime->base) + ACTIVE_MS_MAX * UINT64_C(1000);
	enum status status;

	do {
		wait_a_little(asker);
		status = describe(asker);
		if (status == ST_OK && is_active(asker))
			return true;
		/* A table just created need not be known everywhere. */
		if (status == ST_OK && asker->http_status != HTTP_OK &&
		    !is_error(asker, "ResourceNotFoundException"))
			return refuse(asker, status);
	} while (status == ST_OK && runtime_mono_us(&asker->runtime->base) < end_mono_us);
	if (status != ST_OK)
		return refuse(asker, status);
	(void)fprintf(stderr, "%s: table %s did not become active within a minute\n", bench_program,
		      asker->settings->table);
	return false;
}

static bool ensure(struct asker *asker)
{
	enum status status = describe(asker);

	if (status == ST_OK && is_active(asker))
		return true;
	if (status == ST_OK && is_error(asker, "ResourceNotFoundException")) {
		status = create(asker);
		if (is_error(asker, "ResourceInUseException"))
			asker->http_status = HTTP_OK; /* somebody else creates it now */
	}
	if (status != ST_OK || asker->http_status != HTTP_OK)
		return refuse(asker, status);
	return wait_until_active(asker);
}

bool bench_table_ensure(struct runtime_uv *runtime, const struct bench_settings *settings,
			struct bench_signer *signer)
{
	static const struct bench_client_user user = { on_ready, on_answered, on_ended };
	const struct bench_client_options options = {
		.runtime = runtime,
		.place = &settings->place,
		.user = &user,
		.response_size_bytes_max = ANSWER_SIZE_MAX,
		.timeout_us = settings->timeout_ms * 1000,
	};
	struct asker asker = { .runtime = runtime, .settings = settings, .signer = signer };
	bool is_there;

	runtime_timer_init(&asker.pause, on_pause);
	buf_init(&asker.answer, ANSWER_SIZE_MAX);
	if (bench_client_open(&asker.client, &options) != ST_OK) {
		(void)fprintf(stderr, "%s: out of memory\n", bench_program);
		return false;
	}
	is_there = ensure(&asker);
	runtime_timer_stop(&runtime->base, &asker.pause);
	bench_client_close(&asker.client);
	while (!bench_client_is_closed(&asker.client))
		runtime_uv_turn(runtime);
	buf_close(&asker.answer);
	return is_there;
}
