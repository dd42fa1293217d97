/* The flags of `cleave bench`, checked, with what follows from them.
 *
 * Threads  start-up only.
 * Memory   texts live as long as the process.
 * Errors   printed; the caller exits with what it is given.
 */
#ifndef DEPLOY_CLEAVE_BENCH_SETTINGS_H
#define DEPLOY_CLEAVE_BENCH_SETTINGS_H

#include "deploy/cleave/bench_cpu.h"
#include "deploy/cleave/bench_workload.h"
#include "proto/net/endpoint.h"

enum { BENCH_SETTINGS_CONNECTIONS_MAX = 10000, BENCH_SETTINGS_HOST_SIZE = ENDPOINT_HOST_SIZE_MAX + 16 };

struct bench_settings {
	const char *target;
	const char *table;
	unsigned mix; /* enum bench_mix */
	uint64_t read_percent;
	bool is_consistent;
	uint64_t connection_count;
	uint64_t duration_ms;
	uint64_t warmup_ms;
	uint64_t timeout_ms;
	uint64_t rate_per_s; /* 0: closed loop */
	uint64_t key_count;
	unsigned keys;            /* enum bench_keys */
	uint64_t collection_size; /* 0: no sort key */
	bool has_index;
	uint64_t item_size_bytes;
	const char *access_key;
	const char *secret_key;
	const char *region;
	uint64_t seed;
	const char *server_pids;
	bool is_load;
	bool is_json;
	/* What follows. */
	struct endpoint place;
	char host[BENCH_SETTINGS_HOST_SIZE]; /* the Host header */
	struct bench_cpu_pids pids;
};

extern const char bench_program[]; /* "cleave bench" */

/* settings is zeroed.  True: go on.  False: all is said, exit with *exit_code_out. */
bool bench_settings_parse(int argc, char **argv, struct bench_settings *settings, int *exit_code_out);

const char *bench_settings_mix_name(const struct bench_settings *settings);
const char *bench_settings_keys_name(const struct bench_settings *settings);

#endif
