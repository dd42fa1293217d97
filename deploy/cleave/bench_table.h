/* Make sure that the table of a load is there and usable.
 *
 * It turns the loop until it knows: nothing else runs on it yet.
 *
 * Threads  one.
 * Errors   printed to standard error.
 * Limits   the table has a minute to become active.
 */
#ifndef DEPLOY_CLEAVE_BENCH_TABLE_H
#define DEPLOY_CLEAVE_BENCH_TABLE_H

#include "deploy/cleave/bench_settings.h"
#include "deploy/cleave/bench_sign.h"
#include "proto/base/runtime_uv.h"

/* False: it is said why. */
bool bench_table_ensure(struct runtime_uv *runtime, const struct bench_settings *settings,
			struct bench_signer *signer) MUST_CHECK;

#endif
