#include "deploy/cleave/bench_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "deploy/cleave/cleave.h"
#include "proto/base/config.h"

enum {
	MESSAGE_SIZE_MAX = 64 * 1024,
	TABLE_SIZE_MIN = 3,
	TABLE_SIZE_MAX = 255,
	CREDENTIAL_SIZE_MAX = 256,
	RATE_MAX = 10 * 1000 * 1000,
	TIME_MS_MAX = 24 * 3600 * 1000,
};

const char bench_program[] = "cleave bench";

static const char scheme[] = "http://";

static const char *const mix_names[] = { [BENCH_MIX_PUT] = "put",    [BENCH_MIX_GET] = "get",
					 [BENCH_MIX_BOTH] = "mixed", [BENCH_MIX_PUT_IF] = "put-if",
					 [BENCH_MIX_ADD] = "add",    [BENCH_MIX_QUERY] = "query",
					 [BENCH_MIX_SCAN] = "scan",  NULL };

static const char *const keys_names[] = {
	[BENCH_KEYS_UNIFORM] = "uniform", [BENCH_KEYS_ZIPF] = "zipf", [BENCH_KEYS_HOT] = "hot", NULL
};

#define FLAG(member) offsetof(struct bench_settings, member)

static const struct config_option options[] = {
	{ "target", "URL", "The endpoint", "http://127.0.0.1:8000", NULL, CONFIG_STRING, false, FLAG(target),
	  0, 0 },
	{ "table", "NAME", "Created, with key pk, if there is none", "bench", NULL, CONFIG_STRING, false,
	  FLAG(table), 0, 0 },
	{ "op", "OP",
	  "What to do.  put-if: with a condition that holds; add: UpdateItem of a counter; query: a whole "
	  "collection; scan: the first page, with a filter that drops all.",
	  "put", mix_names, CONFIG_CHOICE, false, FLAG(mix), 0, 0 },
	{ "read-percent", "P", "How many of a hundred operations of --op mixed are gets", "50", NULL,
	  CONFIG_U64, false, FLAG(read_percent), 0, 100 },
	{ "consistent", NULL, "Strongly consistent gets", NULL, NULL, CONFIG_FLAG, false, FLAG(is_consistent),
	  0, 0 },
	{ "connections", "N", "Connections, each with one request at a time", "64", NULL, CONFIG_U64, false,
	  FLAG(connection_count), 1, BENCH_SETTINGS_CONNECTIONS_MAX },
	{ "duration", "TIME", "How long to measure", "10s", NULL, CONFIG_MS, false, FLAG(duration_ms), 100,
	  TIME_MS_MAX },
	{ "warmup", "TIME", "How long to run before that", "2s", NULL, CONFIG_MS, false, FLAG(warmup_ms), 0,
	  TIME_MS_MAX },
	{ "timeout", "TIME", "Give up a request after this", "10s", NULL, CONFIG_MS, false, FLAG(timeout_ms),
	  1, TIME_MS_MAX },
	{ "rate", "N",
	  "Open loop: so many operations per second on a fixed schedule, latency counted from it.  "
	  "0: closed loop",
	  "0", NULL, CONFIG_U64, false, FLAG(rate_per_s), 0, RATE_MAX },
	{ "keys", "N", "So many different keys", "100000", NULL, CONFIG_U64, false, FLAG(key_count), 1,
	  BENCH_WORKLOAD_KEYS_MAX },
	{ "key-distribution", "D", "zipf: exponent 0.99; hot: 90 % of operations on 1 % of the keys.",
	  "uniform", keys_names, CONFIG_CHOICE, false, FLAG(keys), 0, 0 },
	{ "collection", "N", "Keys have a sort key, N items share a partition key.  0: no sort key", "0",
	  NULL, CONFIG_U64, false, FLAG(collection_size), 0, BENCH_WORKLOAD_KEYS_MAX },
	{ "index", NULL, "The table has a global index that projects all", NULL, NULL, CONFIG_FLAG, false,
	  FLAG(has_index), 0, 0 },
	{ "item-size", "BYTES", "An item's size, names and key included", "1024", NULL, CONFIG_SIZE, false,
	  FLAG(item_size_bytes), BENCH_WORKLOAD_ITEM_SIZE_MIN, BENCH_WORKLOAD_ITEM_SIZE_MAX },
	{ "access-key", "ID", "Whose requests; else AWS_ACCESS_KEY_ID", NULL, NULL, CONFIG_STRING, false,
	  FLAG(access_key), 0, 0 },
	{ "secret-key", "SECRET", "Its secret; else AWS_SECRET_ACCESS_KEY", NULL, NULL, CONFIG_STRING, false,
	  FLAG(secret_key), 0, 0 },
	{ "region", "REGION", "Else AWS_REGION, AWS_DEFAULT_REGION, us-east-1", NULL, NULL, CONFIG_STRING,
	  false, FLAG(region), 0, 0 },
	{ "seed", "N", "Of keys and values", "1", NULL, CONFIG_U64, false, FLAG(seed), 0, 0 },
	{ "server-pids", "LIST", "Processes whose CPU time to count, on this machine: 123,456", NULL, NULL,
	  CONFIG_STRING, false, FLAG(server_pids), 0, 0 },
	{ "load", NULL, "Write all keys first", NULL, NULL, CONFIG_FLAG, false, FLAG(is_load), 0, 0 },
	{ "json", NULL, "Print JSON instead of text", NULL, NULL, CONFIG_FLAG, false, FLAG(is_json), 0, 0 },
};

static const struct config_spec spec = {
	.program = bench_program,
	.summary = "Load any DynamoDB endpoint and print throughput, latency and CPU time per operation;\n"
		   "exit status 1 if operations failed.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

static bool parse_flags(int argc, char **argv, struct bench_settings *settings, int *exit_code_out)
{
	struct buf message;
	enum status status;

	buf_init(&message, MESSAGE_SIZE_MAX);
	status = config_parse(&spec, argc, argv, settings, &message);
	*exit_code_out = status == ST_CANCELED ? CLEAVE_EXIT_OK : CLEAVE_EXIT_USAGE;
	if (status == ST_CANCELED)
		(void)fwrite(message.data, 1, message.size, stdout);
	else if (status != ST_OK)
		(void)fprintf(stderr, "%s: %.*s", bench_program, (int)message.size,
			      (const char *)message.data);
	buf_close(&message);
	return status == ST_OK;
}

/* --- checks: each returns what is wrong, or NULL --- */

static const char *check_target(struct bench_settings *settings)
{
	static const char *const complaint = "--target is http://HOST:PORT";
	struct slice text = slice_of_string(settings->target);
	const size_t scheme_size = sizeof(scheme) - 1;
	bool is_v6;

	if (text.size < scheme_size || memcmp(text.data, scheme, scheme_size) != 0)
		return complaint;
	text = slice_of(text.data + scheme_size, text.size - scheme_size);
	if (text.size > 0 && text.data[text.size - 1] == '/')
		text.size--;
	for (size_t i = 0; i < text.size; i++) {
		if (!isgraph(text.data[i]))
			return complaint;
	}
	if (endpoint_parse(text, &settings->place) != ST_OK || settings->place.port == 0)
		return complaint;
	is_v6 = strchr(settings->place.host, ':') != NULL;
	(void)snprintf(settings->host, sizeof(settings->host), "%s%s%s:%u", is_v6 ? "[" : "",
		       settings->place.host, is_v6 ? "]" : "", settings->place.port);
	return NULL;
}

static const char *check_table(const struct bench_settings *settings)
{
	size_t size = strlen(settings->table);

	if (size < TABLE_SIZE_MIN || size > TABLE_SIZE_MAX ||
	    strspn(settings->table, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") !=
		    size)
		return "--table has 3 to 255 characters, of A-Z a-z 0-9 _ . -";
	return NULL;
}

static const char *first_set(const char *first, const char *second, const char *third)
{
	if (first != NULL && first[0] != '\0')
		return first;
	return second != NULL && second[0] != '\0' ? second : third;
}

/* They become part of a header. */
static bool is_plain(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (!isgraph((unsigned char)*at) || *at == '/' || *at == ',')
			return false;
	}
	return strlen(text) <= CREDENTIAL_SIZE_MAX;
}

static const char *check_credentials(struct bench_settings *settings)
{
	settings->access_key = first_set(settings->access_key, getenv("AWS_ACCESS_KEY_ID"), NULL);
	settings->secret_key = first_set(settings->secret_key, getenv("AWS_SECRET_ACCESS_KEY"), NULL);
	settings->region = first_set(settings->region, getenv("AWS_REGION"),
				     first_set(getenv("AWS_DEFAULT_REGION"), NULL, "us-east-1"));
	if (settings->access_key == NULL || settings->secret_key == NULL)
		return "whose requests?  Give --access-key and --secret-key, or set AWS_ACCESS_KEY_ID and "
		       "AWS_SECRET_ACCESS_KEY";
	if (!is_plain(settings->access_key) || !is_plain(settings->region))
		return "the access key and the region are short words";
	if (strlen(settings->secret_key) > CREDENTIAL_SIZE_MAX)
		return "the secret key is too long";
	return NULL;
}

static const char *check_pids(struct bench_settings *settings)
{
	struct bench_cpu_times times;

	if (settings->server_pids == NULL)
		return NULL;
	if (bench_cpu_parse_pids(slice_of_string(settings->server_pids), &settings->pids) != ST_OK)
		return "--server-pids is a list of at most 64 process ids: 123,456";
	if (bench_cpu_read(&settings->pids, &times) != ST_OK)
		return "--server-pids names a process that does not run here";
	return NULL;
}

bool bench_settings_parse(int argc, char **argv, struct bench_settings *settings, int *exit_code_out)
{
	const char *complaint;

	if (!parse_flags(argc, argv, settings, exit_code_out))
		return false;
	complaint = check_target(settings);
	if (complaint == NULL)
		complaint = check_table(settings);
	if (complaint == NULL && settings->mix == BENCH_MIX_QUERY && settings->collection_size == 0)
		complaint = "--op query needs --collection";
	if (complaint == NULL)
		complaint = check_credentials(settings);
	if (complaint == NULL)
		complaint = check_pids(settings);
	if (complaint == NULL)
		return true;
	(void)fprintf(stderr, "%s: %s\n", bench_program, complaint);
	*exit_code_out = CLEAVE_EXIT_USAGE;
	return false;
}

const char *bench_settings_mix_name(const struct bench_settings *settings)
{
	return mix_names[settings->mix];
}

const char *bench_settings_keys_name(const struct bench_settings *settings)
{
	return keys_names[settings->keys];
}
