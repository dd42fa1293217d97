/* What the clients saw, judged after the run.
 *
 *   linearizable  strong reads and all writes of each item (so also: at most once, acknowledged
 *                 writes survive); a violation is shown by a short part of the history
 *   eventual      reads see a value that somebody wrote, and whose write did not certainly fail
 *   counters      sim_counter.h
 *   tables        sim_tables.h
 *
 * Threads  one.
 * Errors   sim_cluster_fail().
 */
#ifndef TESTS_SIM_SIM_HISTORY_H
#define TESTS_SIM_SIM_HISTORY_H

#include "tests/sim/sim_cluster.h"

void sim_history_check(struct sim_cluster *cluster);

#endif
