/* Who this data directory belongs to, and which incarnations of its peers it has met.
 *
 * A directory is made for one node of one cluster and gets a random incarnation.  A node whose
 * directory was emptied comes back with another incarnation under its old name: it has forgotten
 * its votes, so its peers refuse it.
 *
 * Threads  start-up, then the loop thread.
 * Format   family raft_state, key 0 u64 | 'N' for the own identity, 0 u64 | 'P' | node id u64 for
 *          a peer; values start with a version byte.
 */
#ifndef NODE_NODE_IDENTITY_H
#define NODE_NODE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/rpc/rpc_hello.h"
#include "replication/io/log_commit.h"
#include "storage/engine/engine.h"

/* Read or, in a new directory, write the identity; own->incarnation is filled in.  Blocks.
 *   ST_WRONG_CLUSTER  the directory is another cluster's
 *   ST_EXISTS         it is another node's (*found_node_id_out)
 *   ST_VERSION        a newer format */
enum status node_identity_open(struct engine *engine, struct rng *rng, struct rpc_identity *own,
			       uint64_t *found_node_id_out) MUST_CHECK;

/* The last word on a peer that says hello: ST_FORGOTTEN if it was met under another incarnation;
 * a new one is remembered with the next log write. */
enum status node_identity_admit(struct log_commit *commit, const struct rpc_identity *peer) MUST_CHECK;

#endif
