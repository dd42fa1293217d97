#include "deploy/cleave/bench_result.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "coordinator/json/json_writer.h"

enum { MS_US = 1000, S_US = 1000 * 1000, NUMBER_SIZE = 64 };

static const struct {
	const char *label;
	const char *json_name;
	uint32_t per_mille;
} percentiles[] = {
	{ "p50", "p50_us", 500 },
	{ "p90", "p90_us", 900 },
	{ "p99", "p99_us", 990 },
	{ "p99.9", "p999_us", 999 },
};

void bench_result_init(struct bench_result *result)
{
	memset(result, 0, sizeof(*result));
	bench_histogram_reset(&result->latency);
}

/* --- errors --- */

static void clean_name(char out[BENCH_RESULT_ERROR_SIZE], struct slice name)
{
	size_t size = 0;

	for (; size < name.size && size < BENCH_RESULT_ERROR_SIZE - 1; size++)
		out[size] = isgraph(name.data[size]) ? (char)name.data[size] : '?';
	out[size] = '\0';
}

static struct bench_error *find_kind(struct bench_errors *errors, const char *name)
{
	for (size_t i = 0; i < errors->kind_count; i++) {
		if (strcmp(errors->kinds[i].name, name) == 0)
			return &errors->kinds[i];
	}
	return NULL;
}

void bench_errors_add(struct bench_errors *errors, struct slice name)
{
	char clean[BENCH_RESULT_ERROR_SIZE];
	struct bench_error *kind;

	errors->count++;
	clean_name(clean, name);
	kind = find_kind(errors, clean);
	if (kind == NULL && errors->kind_count == BENCH_RESULT_ERRORS_MAX) {
		kind = &errors->kinds[BENCH_RESULT_ERRORS_MAX - 1];
		clean_name(kind->name, slice_of_string("other"));
	} else if (kind == NULL) {
		kind = &errors->kinds[errors->kind_count++];
		memcpy(kind->name, clean, sizeof(clean));
	}
	kind->count++;
}

/* --- figures --- */

static double divide(uint64_t amount, uint64_t by)
{
	return by == 0 ? 0.0 : (double)amount / (double)by;
}

double bench_result_rate_per_s(const struct bench_result *result)
{
	return divide(result->success_count * S_US, result->measured_us);
}

static uint64_t server_cpu_us(const struct bench_result *result, const struct bench_settings *settings)
{
	uint64_t sum_us = 0;

	for (uint32_t i = 0; i < settings->pids.count; i++)
		sum_us += result->cpu.server_us[i];
	return sum_us;
}

static long core_count(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* --- text --- */

void bench_result_print_latency(struct buf *out, double latency_us)
{
	if (latency_us < MS_US)
		buf_append_format(out, "%.0f us", latency_us);
	else if (latency_us < S_US)
		buf_append_format(out, "%.2f ms", latency_us / MS_US);
	else
		buf_append_format(out, "%.2f s", latency_us / S_US);
}

static void print_errors(const struct bench_errors *errors, const char *label, struct buf *out)
{
	buf_append_format(out, "%-14s%" PRIu64 "\n", label, errors->count);
	for (size_t i = 0; i < errors->kind_count; i++)
		buf_append_format(out, "  %-40s %" PRIu64 "\n", errors->kinds[i].name,
				  errors->kinds[i].count);
}

static void print_counts(const struct bench_result *result, struct buf *out)
{
	if (result->is_interrupted)
		buf_append_string(out, "interrupted: results so far\n");
	if (result->load_count > 0)
		buf_append_format(out, "loaded        %" PRIu64 " items in %.1f s, %.0f items/s\n",
				  result->load_count, (double)result->load_us / S_US,
				  divide(result->load_count * S_US, result->load_us));
	buf_append_format(out, "operations    %" PRIu64 " in %.1f s\n", result->operation_count,
			  (double)result->measured_us / S_US);
	if (result->missing_count > 0)
		buf_append_format(out, "  %-40s %" PRIu64 "\n", "gets that found no item (see --load)",
				  result->missing_count);
	if (result->unsent_count > 0)
		buf_append_format(out, "  %-40s %" PRIu64 "\n",
				  "due but never sent: it cannot keep this rate", result->unsent_count);
	print_errors(&result->errors, "errors", out);
	if (result->early_errors.count > 0)
		print_errors(&result->early_errors, "errors before", out);
	buf_append_format(out, "throughput    %.0f ops/s\n", bench_result_rate_per_s(result));
}

static void print_latencies(const struct bench_result *result, struct buf *out)
{
	buf_append_string(out, "latency       ");
	for (size_t i = 0; i < ARRAY_COUNT(percentiles); i++) {
		buf_append_format(out, "%s ", percentiles[i].label);
		bench_result_print_latency(out, (double)bench_histogram_percentile_us(
							&result->latency, percentiles[i].per_mille));
		buf_append_string(out, "  ");
	}
	buf_append_string(out, "max ");
	bench_result_print_latency(out, (double)result->latency.max_us);
	buf_append_string(out, "  mean ");
	bench_result_print_latency(out, bench_histogram_mean_us(&result->latency));
	buf_append_string(out, "\n");
}

static void print_cpu(const struct bench_result *result, const struct bench_settings *settings,
		      struct buf *out)
{
	if (!result->has_cpu) {
		buf_append_string(out, "CPU           unknown: a process of --server-pids ended\n");
		return;
	}
	buf_append_format(out, "own CPU       %.1f us/op\n",
			  divide(result->cpu.own_us, result->answer_count));
	if (settings->pids.count == 0)
		return;
	buf_append_format(out, "server CPU    %.1f us/op\n",
			  divide(server_cpu_us(result, settings), result->answer_count));
	for (uint32_t i = 0; i < settings->pids.count; i++)
		buf_append_format(out, "  pid %-10" PRIu32 "  %7.1f us/op  %5.1f %% of a core\n",
				  settings->pids.pids[i],
				  divide(result->cpu.server_us[i], result->answer_count),
				  100.0 * divide(result->cpu.server_us[i], result->measured_us));
}

static void print_settings(const struct bench_settings *settings, struct buf *out)
{
	buf_append_format(out, "settings      %s", bench_settings_mix_name(settings));
	if (settings->mix == BENCH_MIX_BOTH)
		buf_append_format(out, " (%" PRIu64 " %% gets)", settings->read_percent);
	if (settings->mix != BENCH_MIX_PUT && settings->is_consistent)
		buf_append_string(out, ", consistent");
	if (settings->collection_size > 0)
		buf_append_format(out, ", collections of %" PRIu64, settings->collection_size);
	if (settings->has_index)
		buf_append_string(out, ", a global index");
	buf_append_format(out, ", %" PRIu64 " connections, ", settings->connection_count);
	if (settings->rate_per_s > 0)
		buf_append_format(out, "open loop at %" PRIu64 "/s", settings->rate_per_s);
	else
		buf_append_string(out, "closed loop");
	buf_append_format(out,
			  ", %" PRIu64 " keys %s, items of %" PRIu64 " bytes, warm-up %.1f s, table %s at "
			  "%s\nseed          %" PRIu64 "\nmachine       %ld cores\n",
			  settings->key_count, bench_settings_keys_name(settings), settings->item_size_bytes,
			  (double)settings->warmup_ms / 1000, settings->table, settings->target,
			  settings->seed, core_count());
}

void bench_result_print_text(const struct bench_result *result, const struct bench_settings *settings,
			     struct buf *out)
{
	print_counts(result, out);
	print_latencies(result, out);
	print_cpu(result, settings, out);
	print_settings(settings, out);
}

/* --- JSON --- */

static void write_real(struct json_writer *writer, const char *name, double value)
{
	char text[NUMBER_SIZE];

	(void)snprintf(text, sizeof(text), "%.3f", value);
	json_writer_member_raw(writer, name, slice_of_string(text));
}

static void write_count(struct json_writer *writer, const char *name, uint64_t count)
{
	json_writer_member_int(writer, name, (int64_t)count);
}

static void write_errors(struct json_writer *writer, const char *name, const struct bench_errors *errors)
{
	json_writer_key(writer, name);
	json_writer_object_start(writer);
	for (size_t i = 0; i < errors->kind_count; i++)
		write_count(writer, errors->kinds[i].name, errors->kinds[i].count);
	json_writer_object_end(writer);
}

static void write_counts(struct json_writer *writer, const struct bench_result *result)
{
	json_writer_member_bool(writer, "interrupted", result->is_interrupted);
	write_count(writer, "loaded_items", result->load_count);
	write_real(writer, "load_s", (double)result->load_us / S_US);
	write_count(writer, "operations", result->operation_count);
	write_count(writer, "missing_items", result->missing_count);
	write_count(writer, "never_sent", result->unsent_count);
	write_count(writer, "error_count", result->errors.count + result->early_errors.count);
	write_errors(writer, "errors", &result->errors);
	write_errors(writer, "errors_before", &result->early_errors);
	write_real(writer, "measured_s", (double)result->measured_us / S_US);
	write_real(writer, "ops_per_s", bench_result_rate_per_s(result));
}

static void write_latencies(struct json_writer *writer, const struct bench_histogram *latency)
{
	json_writer_key(writer, "latency");
	json_writer_object_start(writer);
	for (size_t i = 0; i < ARRAY_COUNT(percentiles); i++)
		write_count(writer, percentiles[i].json_name,
			    bench_histogram_percentile_us(latency, percentiles[i].per_mille));
	write_count(writer, "max_us", latency->max_us);
	write_real(writer, "mean_us", bench_histogram_mean_us(latency));
	json_writer_object_end(writer);
}

static void write_cpu(struct json_writer *writer, const struct bench_result *result,
		      const struct bench_settings *settings)
{
	char pid[NUMBER_SIZE];

	if (!result->has_cpu)
		return;
	write_real(writer, "own_cpu_us_per_op", divide(result->cpu.own_us, result->answer_count));
	if (settings->pids.count == 0)
		return;
	write_real(writer, "server_cpu_us_per_op",
		   divide(server_cpu_us(result, settings), result->answer_count));
	json_writer_key(writer, "server_cpu_us_per_op_by_pid");
	json_writer_object_start(writer);
	for (uint32_t i = 0; i < settings->pids.count; i++) {
		(void)snprintf(pid, sizeof(pid), "%" PRIu32, settings->pids.pids[i]);
		write_real(writer, pid, divide(result->cpu.server_us[i], result->answer_count));
	}
	json_writer_object_end(writer);
}

static void write_settings(struct json_writer *writer, const struct bench_settings *settings)
{
	json_writer_key(writer, "settings");
	json_writer_object_start(writer);
	json_writer_member_text(writer, "target", settings->target);
	json_writer_member_text(writer, "table", settings->table);
	json_writer_member_text(writer, "op", bench_settings_mix_name(settings));
	write_count(writer, "read_percent", settings->read_percent);
	json_writer_member_bool(writer, "consistent", settings->is_consistent);
	write_count(writer, "connections", settings->connection_count);
	write_count(writer, "rate_per_s", settings->rate_per_s);
	write_count(writer, "duration_ms", settings->duration_ms);
	write_count(writer, "warmup_ms", settings->warmup_ms);
	write_count(writer, "keys", settings->key_count);
	json_writer_member_text(writer, "key_distribution", bench_settings_keys_name(settings));
	write_count(writer, "item_size_bytes", settings->item_size_bytes);
	write_count(writer, "seed", settings->seed);
	json_writer_object_end(writer);
}

void bench_result_print_json(const struct bench_result *result, const struct bench_settings *settings,
			     struct buf *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_writer_object_start(&writer);
	write_counts(&writer, result);
	write_latencies(&writer, &result->latency);
	write_cpu(&writer, result, settings);
	write_settings(&writer, settings);
	write_count(&writer, "cores", (uint64_t)core_count());
	json_writer_object_end(&writer);
	buf_put_u8(out, '\n');
}
