/* sim: runs of a whole cluster in virtual time, each decided by its seed.
 *
 *   sim [--seed S | --first S --seeds N] [--seconds V] [--jobs J] [--rocksdb] [--twice] [--verbose]
 *
 * --seed runs one seed inside this process, for a debugger; several run in a process each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/bytes.h"
#include "proto/base/log.h"
#include "tests/sim/sim_pool.h"
#include "tests/sim/sim_world.h"

enum {
	SEEDS_DEFAULT = 20,
	SECONDS_DEFAULT = 60,
	TWICE_EVERY_DEFAULT = 16,
	FAILED_SEEDS_MAX = 1000,
	PROGRESS_LINE_EVERY = 20, /* seeds, where lines cannot be overwritten */
	USAGE_STATUS = 2,
};

struct options {
	struct sim_pool_options pool;
	bool is_single;
};

struct summary {
	const struct options *options;
	uint64_t failed[FAILED_SEEDS_MAX];
	uint64_t failed_count;
	uint64_t passed_count;
	uint64_t virtual_us;
	uint64_t op_count;
};

/* --- options --- */

static bool parse_number(const char *text, uint64_t *value_out)
{
	char *end = NULL;

	errno = 0;
	*value_out = text == NULL ? 0 : strtoull(text, &end, 10);
	return text != NULL && errno == 0 && end != text && *end == '\0';
}

static uint64_t *number_option(struct options *options, struct slice name)
{
	if (slice_equal(name, slice_of_string("--seed")) || slice_equal(name, slice_of_string("--first")))
		return &options->pool.first_seed;
	if (slice_equal(name, slice_of_string("--seeds")))
		return &options->pool.seed_count;
	if (slice_equal(name, slice_of_string("--seconds")))
		return &options->pool.run.seconds;
	return slice_equal(name, slice_of_string("--jobs")) ? &options->pool.jobs : NULL;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		struct slice name = slice_of_string(argv[i]);
		uint64_t *number = number_option(options, name);

		if (number != NULL) {
			if (!parse_number(argv[++i], number))
				return false;
			options->is_single = options->is_single ||
					     slice_equal(name, slice_of_string("--seed"));
		} else if (slice_equal(name, slice_of_string("--verbose"))) {
			options->pool.run.is_verbose = true;
		} else if (slice_equal(name, slice_of_string("--rocksdb"))) {
			options->pool.run.is_rocksdb = true;
		} else if (slice_equal(name, slice_of_string("--twice"))) {
			options->pool.twice_every = 1;
		} else {
			return false;
		}
	}
	return options->pool.jobs > 0;
}

/* --- what is said --- */

static double cpu_seconds(void)
{
	struct rusage own;
	struct rusage children;

	if (getrusage(RUSAGE_SELF, &own) != 0 || getrusage(RUSAGE_CHILDREN, &children) != 0)
		return 0;
	return (double)(own.ru_utime.tv_sec + children.ru_utime.tv_sec + own.ru_stime.tv_sec +
			children.ru_stime.tv_sec) +
	       (double)(own.ru_utime.tv_usec + children.ru_utime.tv_usec + own.ru_stime.tv_usec +
			children.ru_stime.tv_usec) /
		       SIM_SECOND;
}

static void print_seed(uint64_t seed, const struct sim_result *result)
{
	(void)printf("seed %" PRIu64 ": %s, %.1f s, %" PRIu64 " operations, %" PRIu64 " of tables, %" PRIu64
		     " starts, %" PRIu64 " moves, %" PRIu64 " events, trace %016" PRIx64 "\n",
		     seed, result->has_passed ? "passed" : "FAILED", (double)result->virtual_us / SIM_SECOND,
		     result->op_count, result->table_op_count, result->start_count, result->move_count,
		     result->event_count, result->trace);
}

static void print_progress(const struct summary *summary)
{
	uint64_t done_count = summary->passed_count + summary->failed_count;
	bool is_terminal = isatty(STDERR_FILENO) != 0;

	if (!is_terminal && done_count % PROGRESS_LINE_EVERY != 0)
		return;
	(void)fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " failed%s",
		      is_terminal ? "\r" : "sim: ", done_count, summary->options->pool.seed_count,
		      summary->failed_count,
		      is_terminal && done_count < summary->options->pool.seed_count ? "" : "\n");
}

static void on_seed(void *context, uint64_t seed, const struct sim_result *result)
{
	struct summary *summary = context;

	summary->virtual_us += result->virtual_us;
	summary->op_count += result->op_count;
	if (result->has_passed)
		summary->passed_count++;
	else if (summary->failed_count < FAILED_SEEDS_MAX)
		summary->failed[summary->failed_count++] = seed;
	if (!result->has_passed || summary->options->pool.run.is_verbose || summary->options->is_single)
		print_seed(seed, result);
	if (!summary->options->is_single)
		print_progress(summary);
}

static void print_summary(const char *program, const struct summary *summary)
{
	double cpu_s = cpu_seconds();
	double virtual_s = (double)summary->virtual_us / SIM_SECOND;

	for (uint64_t i = 0; i < summary->failed_count; i++)
		(void)printf("replay: %s --seed %" PRIu64 " --seconds %" PRIu64 "%s --verbose\n", program,
			     summary->failed[i], summary->options->pool.run.seconds,
			     summary->options->pool.run.is_rocksdb ? " --rocksdb" : "");
	(void)printf("%" PRIu64 " passed, %" PRIu64 " failed: %.0f virtual seconds, %" PRIu64
		     " operations, %.0f virtual seconds per CPU second\n",
		     summary->passed_count, summary->failed_count, virtual_s, summary->op_count,
		     cpu_s > 0 ? virtual_s / cpu_s : 0);
}

int main(int argc, char **argv)
{
	struct options options = {
		.pool = { .run = { .seconds = SECONDS_DEFAULT },
			  .first_seed = 1,
			  .seed_count = SEEDS_DEFAULT,
			  .jobs = 1,
			  .twice_every = TWICE_EVERY_DEFAULT },
	};
	struct summary summary = { .options = &options };

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(stderr,
			      "usage: %s [--seed S | --first S --seeds N] [--seconds V] [--jobs J] "
			      "[--rocksdb] [--twice] "
			      "[--verbose]\n",
			      argv[0]);
		return USAGE_STATUS;
	}
	log_set_level(options.pool.run.is_verbose ? LOG_DEBUG : LOG_ERROR);
	if (options.is_single) {
		struct sim_result result = sim_run_seed(&options.pool.run, options.pool.first_seed);

		on_seed(&summary, options.pool.first_seed, &result);
	} else {
		sim_pool_run(&options.pool, on_seed, &summary);
	}
	print_summary(argv[0], &summary);
	return summary.failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
