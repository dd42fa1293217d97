#include "tests/sim/sim_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/check.h"
#include "tests/sim/sim_dir.h"

enum {
	JOBS_MAX = 64,
	STACK_DISTURBED_SIZE = 256 * 1024,
	HEAP_SHIFT_SIZE = 100 * 1000,
	GARBAGE = 0xa5,
	OUTPUT_SHOWN_MAX = 12 * 1024, /* of a failed seed's process: its beginning and its end */
};

/* A process that runs one seed. */
struct child {
	pid_t pid; /* 0: the slot is free */
	uint64_t seed;
	int result_fd;
	FILE *output;
	bool is_second;
	struct sim_result first; /* is_second: what must come again */
};

struct pool {
	const struct sim_pool_options *options;
	struct child children[JOBS_MAX];
	uint64_t next_seed;
	uint64_t running_count;
	sim_pool_cb seed_cb;
	void *context;
};

/* --- a child --- */

/* The second run of a seed finds other garbage in its memory, at other addresses, so that bytes
 * which nobody wrote, or an order by address, show. */
static void disturb_memory(void)
{
	volatile uint8_t stack[STACK_DISTURBED_SIZE];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = GARBAGE;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	CHECK(mallopt(M_PERTURB, GARBAGE) == 1); /* a sanitizer's allocator fills memory itself */
#endif
	CHECK(malloc(HEAP_SHIFT_SIZE) != NULL); /* kept to the end of the process */
}

static void run_child(const struct pool *pool, const struct child *child, int result_fd)
{
	struct sim_result result;

	if (child->is_second)
		disturb_memory();
	CHECK(dup2(fileno(child->output), STDOUT_FILENO) >= 0);
	CHECK(dup2(fileno(child->output), STDERR_FILENO) >= 0);
	result = sim_run_seed(&pool->options->run, child->seed);
	(void)fflush(stdout);
	CHECK(write(result_fd, &result, sizeof(result)) == (ssize_t)sizeof(result));
	_exit(result.has_passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void start_child(struct pool *pool, struct child *child)
{
	int fds[2];

	child->output = tmpfile();
	CHECK(child->output != NULL && pipe(fds) == 0);
	(void)fflush(stdout);
	child->pid = fork();
	CHECK(child->pid >= 0);
	if (child->pid == 0)
		run_child(pool, child, fds[1]);
	(void)close(fds[1]);
	child->result_fd = fds[0];
	pool->running_count++;
}

/* --- its end --- */

static void show(FILE *output, long from, long to)
{
	char block[1024];

	(void)fseek(output, from, SEEK_SET);
	while (from < to) {
		size_t wanted = to - from < (long)sizeof(block) ? (size_t)(to - from) : sizeof(block);
		size_t size = fread(block, 1, wanted, output);

		if (size == 0)
			return;
		(void)fwrite(block, 1, size, stdout);
		from += (long)size;
	}
}

static void show_output(const struct pool *pool, const struct child *child)
{
	long end;

	(void)fseek(child->output, 0, SEEK_END);
	end = ftell(child->output);
	if (pool->options->run.is_verbose || end <= OUTPUT_SHOWN_MAX) {
		show(child->output, 0, end);
		return;
	}
	show(child->output, 0, OUTPUT_SHOWN_MAX / 2);
	(void)printf("\n[...]\n");
	show(child->output, end - OUTPUT_SHOWN_MAX / 2, end);
}

/* What the process said, if it lived to say it. */
static struct sim_result read_result(const struct child *child, int wait_status)
{
	struct sim_result result;

	if (read(child->result_fd, &result, sizeof(result)) != (ssize_t)sizeof(result))
		result = (struct sim_result){ 0 };
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != EXIT_SUCCESS)
		result.has_passed = false;
	return result;
}

static bool wants_second(const struct pool *pool, const struct child *child, const struct sim_result *result)
{
	uint64_t every = pool->options->twice_every;

	return every > 0 && child->seed % every == 0 && !child->is_second && result->has_passed &&
	       result->is_repeatable;
}

static void finish(struct pool *pool, struct child *child, struct sim_result *result, int wait_status)
{
	if (child->is_second && result->has_passed && result->trace != child->first.trace) {
		(void)printf("--- seed %" PRIu64 " failed\nnot deterministic: %016" PRIx64 " and %016" PRIx64
			     "\n",
			     child->seed, child->first.trace, result->trace);
		result->has_passed = false;
	} else if (!result->has_passed || pool->options->run.is_verbose) {
		if (!result->has_passed)
			(void)printf("--- seed %" PRIu64 " failed\n", child->seed);
		show_output(pool, child);
		if (WIFSIGNALED(wait_status))
			(void)printf("the run ended by signal %d\n", WTERMSIG(wait_status));
	}
	pool->seed_cb(pool->context, child->seed, result);
}

static void await_child(struct pool *pool)
{
	struct child *child = NULL;
	char folder[SIM_DIR_PATH_SIZE];
	struct sim_result result;
	int wait_status = 0;
	pid_t pid;

	do
		pid = waitpid(-1, &wait_status, 0);
	while (pid < 0 && errno == EINTR);
	for (size_t i = 0; i < JOBS_MAX; i++) {
		if (pool->children[i].pid == pid)
			child = &pool->children[i];
	}
	CHECK(pid > 0 && child != NULL);
	result = read_result(child, wait_status);
	pool->running_count--;
	(void)close(child->result_fd);
	sim_dir_of_process(folder, pid);
	sim_dir_remove(folder); /* a run that died left its own */
	if (wants_second(pool, child, &result)) {
		(void)fclose(child->output);
		child->is_second = true;
		child->first = result;
		start_child(pool, child); /* its end comes here again */
		return;
	}
	finish(pool, child, &result, wait_status);
	(void)fclose(child->output);
	*child = (struct child){ 0 };
}

static void fill(struct pool *pool)
{
	uint64_t jobs = pool->options->jobs < JOBS_MAX ? pool->options->jobs : JOBS_MAX;

	for (size_t i = 0; i < jobs; i++) {
		struct child *child = &pool->children[i];

		if (child->pid != 0 ||
		    pool->next_seed == pool->options->first_seed + pool->options->seed_count)
			continue;
		child->seed = pool->next_seed++;
		start_child(pool, child);
	}
}

void sim_pool_run(const struct sim_pool_options *options, sim_pool_cb seed_cb, void *context)
{
	struct pool pool = { .options = options, .next_seed = options->first_seed };

	pool.seed_cb = seed_cb;
	pool.context = context;
	for (fill(&pool); pool.running_count > 0; fill(&pool))
		await_child(&pool);
}
