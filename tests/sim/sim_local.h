/* Do the local indexes hold exactly what the items beside them say?
 *
 * At the leader of each partition of a table with local indexes: for each item with the
 * attributes of an index key there is one entry, equal to what the index projects of it; the size
 * written beside a collection is the sum of its items and entries; and there is no other row.
 * That replicas hold the same bytes is checked elsewhere.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_LOCAL_H
#define TESTS_SIM_SIM_LOCAL_H

#include "tests/sim/sim_cluster.h"

/* Says of the first difference. */
bool sim_local_are_exact(struct sim_cluster *cluster, const struct catalog_state *state, char *difference_out,
			 size_t size_bytes);

#endif
