/* Does each global index hold exactly what its table's items say?
 *
 * The rows of the table's partitions and of the index's, each at its leader, are read as
 * they lie in the store: for each item that has the attributes of the index key there must be one
 * entry with the same key attributes and, if it projects all, the same bytes; and no other.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_EXACT_H
#define TESTS_SIM_SIM_EXACT_H

#include "tests/sim/sim_cluster.h"

/* Says of the first difference. */
bool sim_exact_are_indexes(struct sim_cluster *cluster, const struct catalog_state *state,
			   char *difference_out, size_t size_bytes);

#endif
