/* sim: runs of a whole cluster in virtual time, each decided by its seed.
 *
 *   sim [--seed S] [--seeds N] [--first S] [--seconds V] [--verbose] [--twice]
 *
 * A seed's run: V virtual seconds of clients and faults, then all faults end, and the cluster
 * has some seconds to serve writes again, to catch up, and to agree.  Several seeds run in a
 * process each, so that a failed CHECK() is that seed's failure; --seed alone runs inside this
 * process, for a debugger. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_history.h"

enum {
	SEEDS_DEFAULT = 20,
	SECONDS_DEFAULT = 30,
	FAULTLESS_US = 500 * SIM_MS, /* before the first fault */
	PROGRESS_US = 10 * SIM_SECOND,
	IDLE_US = 15 * SIM_SECOND,
	CONVERGE_US = 20 * SIM_SECOND,
	POLL_US = 100 * SIM_MS,
	FAILED_SEEDS_MAX = 1000,
	OUTPUT_SHOWN_MAX = 8 * 1024, /* of a failed seed's process */
};

struct options {
	uint64_t first_seed;
	uint64_t seed_count;
	uint64_t seconds;
	bool is_single;
	bool is_verbose;
	bool is_twice;
};

struct result {
	bool has_passed;
	uint64_t trace;
	uint64_t op_count;
	uint64_t event_count;
	uint64_t move_count;
	uint64_t start_count;
	uint64_t virtual_us;
};

struct run {
	struct sim_cluster cluster;
	struct sim_member member;
	struct sim_faults faults;
	struct sim_check check;
};

/* --- one run --- */

static bool all_serve(const struct run *run, uint64_t since_us)
{
	const struct sim_cluster *cluster = &run->cluster;

	for (uint32_t i = 0; i < cluster->workload.main_partitions; i++) {
		if (cluster->workload.acked_call_us[i] < since_us)
			return false;
	}
	return cluster->workload.has_main && cluster->tables.done_call_us >= since_us;
}

/* After the last fault every partition and the catalog take a change again, before long. */
static void await_progress(struct run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;

	while (!world->is_over && !all_serve(run, since_us)) {
		if (world->now_us > since_us + PROGRESS_US) {
			sim_cluster_fail(&run->cluster,
					 "no progress: a partition or the catalog served nothing for %d s "
					 "after all faults",
					 PROGRESS_US / SIM_SECOND);
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static void await_idle(struct run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;

	sim_workload_stop(&run->cluster.workload);
	sim_tables_stop(&run->cluster.tables);
	while (!world->is_over &&
	       (!sim_workload_is_idle(&run->cluster.workload) || !sim_tables_is_idle(&run->cluster.tables))) {
		if (world->now_us > since_us + IDLE_US) {
			sim_cluster_fail(&run->cluster, "an operation did not end");
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static void await_convergence(struct run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;
	char laggard[200] = "";

	while (!world->is_over && (!sim_member_is_idle(&run->member) ||
				   !sim_check_has_converged(&run->check, laggard, sizeof(laggard)))) {
		if (world->now_us > since_us + CONVERGE_US) {
			sim_cluster_fail(&run->cluster, "no convergence %d s after all faults: %s",
					 CONVERGE_US / SIM_SECOND,
					 sim_member_is_idle(&run->member)
						 ? laggard
						 : "a move of a replica is not done");
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static void play(struct run *run, uint64_t seconds)
{
	struct sim_world *world = &run->cluster.world;

	sim_check_begin(&run->check);
	sim_member_begin(&run->member);
	sim_world_run_until(world, world->now_us + FAULTLESS_US);
	sim_faults_begin(&run->faults);
	sim_world_run_until(world, world->now_us + seconds * SIM_SECOND);
	if (!world->is_over)
		sim_faults_heal(&run->faults);
	await_progress(run);
	await_idle(run);
	await_convergence(run);
	if (sim_cluster_has_failed(&run->cluster)) {
		sim_member_describe(&run->member);
		sim_cluster_describe(&run->cluster);
	}
	sim_check_digests(&run->check);
	sim_history_check(&run->cluster);
}

static struct result run_seed(const struct options *options, uint64_t seed)
{
	struct run *run = calloc(1, sizeof(*run));
	struct result result = { 0 };

	CHECK(run != NULL);
	sim_cluster_init(&run->cluster, seed, options->is_verbose);
	sim_member_init(&run->member, &run->cluster);
	sim_faults_init(&run->faults, &run->cluster, &run->member);
	sim_check_init(&run->check, &run->cluster);
	play(run, options->seconds);
	result.has_passed = !sim_cluster_has_failed(&run->cluster);
	result.trace = run->cluster.world.trace;
	result.op_count = run->cluster.workload.op_count;
	result.event_count = run->cluster.world.event_count;
	result.move_count = run->member.move_count;
	result.virtual_us = run->cluster.world.now_us - SIM_EPOCH_US;
	for (uint64_t id = 1; id <= run->cluster.node_count; id++)
		result.start_count += sim_cluster_node(&run->cluster, id)->start_count;
	if (!result.has_passed)
		(void)printf("%.*s", (int)run->cluster.report.size, (const char *)run->cluster.report.data);
	(void)fflush(stdout);
	sim_check_close(&run->check);
	sim_faults_close(&run->faults);
	sim_member_close(&run->member);
	sim_cluster_close(&run->cluster);
	free(run);
	return result;
}

/* --- seeds in processes of their own --- */

static void run_child(const struct options *options, uint64_t seed, int result_fd, FILE *output)
{
	struct result result;

	CHECK(dup2(fileno(output), STDOUT_FILENO) >= 0 && dup2(fileno(output), STDERR_FILENO) >= 0);
	result = run_seed(options, seed);
	CHECK(write(result_fd, &result, sizeof(result)) == (ssize_t)sizeof(result));
	exit(result.has_passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void show_output(FILE *output, bool whole)
{
	char block[1024];
	size_t size;
	long end;

	(void)fseek(output, 0, SEEK_END);
	end = ftell(output);
	(void)fseek(output, whole || end < OUTPUT_SHOWN_MAX ? 0 : end - OUTPUT_SHOWN_MAX, SEEK_SET);
	while ((size = fread(block, 1, sizeof(block), output)) > 0)
		(void)fwrite(block, 1, size, stdout);
}

static struct result run_apart(const struct options *options, uint64_t seed)
{
	struct result result = { 0 };
	FILE *output = tmpfile();
	int status = 0;
	int fds[2];
	pid_t pid;

	CHECK(output != NULL && pipe(fds) == 0);
	(void)fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		run_child(options, seed, fds[1], output);
	(void)close(fds[1]);
	if (read(fds[0], &result, sizeof(result)) != (ssize_t)sizeof(result))
		result = (struct result){ 0 };
	(void)close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		result.has_passed = false;
	if (!result.has_passed || options->is_verbose) {
		if (!result.has_passed)
			(void)printf("--- seed %" PRIu64 " failed\n", seed);
		show_output(output, options->is_verbose);
		if (WIFSIGNALED(status))
			(void)printf("the run ended by signal %d\n", WTERMSIG(status));
	}
	(void)fclose(output);
	return result;
}

static struct result run_one(const struct options *options, uint64_t seed)
{
	struct result result = options->is_single ? run_seed(options, seed) : run_apart(options, seed);
	struct result again;

	if (!options->is_twice || !result.has_passed)
		return result;
	again = options->is_single ? run_seed(options, seed) : run_apart(options, seed);
	if (again.trace != result.trace) {
		(void)printf("--- seed %" PRIu64 " failed\nnot deterministic: %016" PRIx64 " and %016" PRIx64
			     "\n",
			     seed, result.trace, again.trace);
		result.has_passed = false;
	}
	return result;
}

/* --- the program --- */

static bool parse_number(const char *text, uint64_t *value_out)
{
	char *end = NULL;

	errno = 0;
	*value_out = text == NULL ? 0 : strtoull(text, &end, 10);
	return text != NULL && errno == 0 && end != text && *end == '\0';
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	*options = (struct options){ 1, SEEDS_DEFAULT, SECONDS_DEFAULT, false, false, false };
	for (int i = 1; i < argc; i++) {
		struct slice name = slice_of_string(argv[i]);
		bool is_good = true;

		if (slice_equal(name, slice_of_string("--seed"))) {
			is_good = parse_number(argv[++i], &options->first_seed);
			options->seed_count = 1;
			options->is_single = true;
		} else if (slice_equal(name, slice_of_string("--seeds"))) {
			is_good = parse_number(argv[++i], &options->seed_count);
		} else if (slice_equal(name, slice_of_string("--first"))) {
			is_good = parse_number(argv[++i], &options->first_seed);
		} else if (slice_equal(name, slice_of_string("--seconds"))) {
			is_good = parse_number(argv[++i], &options->seconds);
		} else if (slice_equal(name, slice_of_string("--verbose"))) {
			options->is_verbose = true;
		} else if (slice_equal(name, slice_of_string("--twice"))) {
			options->is_twice = true;
		} else {
			is_good = false;
		}
		if (!is_good)
			return false;
	}
	return true;
}

static uint64_t run_all(const char *program, const struct options *options)
{
	uint64_t failed[FAILED_SEEDS_MAX];
	uint64_t failed_count = 0;
	uint64_t virtual_us = 0;

	for (uint64_t i = 0; i < options->seed_count; i++) {
		uint64_t seed = options->first_seed + i;
		struct result result = run_one(options, seed);

		virtual_us += result.virtual_us;
		(void)printf("seed %" PRIu64 ": %s, %.1f s, %" PRIu64 " operations, %" PRIu64
			     " starts, %" PRIu64 " moves, %" PRIu64 " events, trace %016" PRIx64 "\n",
			     seed, result.has_passed ? "passed" : "FAILED",
			     (double)result.virtual_us / SIM_SECOND, result.op_count, result.start_count,
			     result.move_count, result.event_count, result.trace);
		if (result.has_passed)
			continue;
		if (failed_count < FAILED_SEEDS_MAX)
			failed[failed_count] = seed;
		failed_count++;
	}
	for (uint64_t i = 0; i < failed_count && i < FAILED_SEEDS_MAX; i++)
		(void)printf("replay: %s --seed %" PRIu64 " --seconds %" PRIu64 " --verbose\n", program,
			     failed[i], options->seconds);
	(void)printf("%" PRIu64 " passed, %" PRIu64 " failed (%.0f virtual seconds)\n",
		     options->seed_count - failed_count, failed_count, (double)virtual_us / SIM_SECOND);
	return failed_count;
}

int main(int argc, char **argv)
{
	struct options options;

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(
			stderr,
			"usage: %s [--seed S] [--seeds N] [--first S] [--seconds V] [--verbose] [--twice]\n",
			argv[0]);
		return 2;
	}
	log_set_level(options.is_verbose ? LOG_DEBUG : LOG_ERROR);
	return run_all(argv[0], &options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
