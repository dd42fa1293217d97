/* One load from its first key to its last answer.
 *
 *   LOAD --> WARM_UP --> MEASURE --> DRAIN --> done
 *
 * LOAD writes all keys, if asked to.  WARM_UP and MEASURE do the same, but only MEASURE counts.
 * DRAIN waits for what is in flight.  SIGINT goes to DRAIN from anywhere; a second one ends the
 * process.
 *
 * In a closed loop each connection sends when it was answered.  In an open loop the n-th operation
 * is due n/rate after the start, and its latency counts from there, however late it is sent.
 *
 * Threads  one: it runs the loop until it is done.
 * Memory   struct bench_result is the caller's.
 * Errors   printed to standard error if it cannot start.
 */
#ifndef DEPLOY_CLEAVE_BENCH_RUN_H
#define DEPLOY_CLEAVE_BENCH_RUN_H

#include "deploy/cleave/bench_result.h"
#include "deploy/cleave/bench_sign.h"
#include "proto/base/runtime_uv.h"

/* So many errors while loading end the run: something is wrong. */
enum { BENCH_RUN_LOAD_ERRORS_MAX = 1000 };

/* False: it is said why, and there is no result. */
bool bench_run(struct runtime_uv *runtime, const struct bench_settings *settings, struct bench_signer *signer,
	       struct bench_result *result) MUST_CHECK;

#endif
