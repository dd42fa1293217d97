/* cleave bench: load an endpoint and say what it can do. */
#include <stdio.h>
#include <sys/resource.h>

#include "deploy/cleave/bench_run.h"
#include "deploy/cleave/bench_table.h"
#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_text.h"

enum { POOL_THREADS = 1, S_US = 1000 * 1000 };

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* best effort: connections beyond it fail, and say so */
}

static bool print(const struct bench_result *result, const struct bench_settings *settings)
{
	struct buf out;
	bool is_printed;

	buf_init(&out, BENCH_RESULT_TEXT_SIZE_MAX);
	if (settings->is_json)
		bench_result_print_json(result, settings, &out);
	else
		bench_result_print_text(result, settings, &out);
	is_printed = tool_text_flush(&out);
	buf_close(&out);
	return is_printed;
}

static bool run(const struct bench_settings *settings, struct bench_result *result)
{
	struct runtime_uv runtime;
	struct bench_signer signer;
	bool is_run;

	if (runtime_uv_init(&runtime, POOL_THREADS) != ST_OK) {
		(void)fprintf(stderr, "%s: cannot start threads\n", bench_program);
		return false;
	}
	bench_signer_init(&signer, settings->access_key, settings->secret_key, settings->region,
			  runtime_wall_us(&runtime.base) / S_US);
	is_run = bench_table_ensure(&runtime, settings, &signer) &&
		 bench_run(&runtime, settings, &signer, result);
	runtime_uv_close(&runtime);
	return is_run;
}

int tool_bench_run(int argc, char **argv)
{
	static struct bench_result result; /* for its histogram's size */
	struct bench_settings settings = { .target = NULL };
	int exit_code;

	if (!bench_settings_parse(argc, argv, &settings, &exit_code))
		return exit_code;
	raise_descriptor_limit();
	bench_result_init(&result);
	if (!run(&settings, &result) || !print(&result, &settings))
		return CLEAVE_EXIT_FAILED;
	return result.errors.count + result.early_errors.count == 0 ? CLEAVE_EXIT_OK : CLEAVE_EXIT_FAILED;
}
