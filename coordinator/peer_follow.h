/* Keeps a transport's peers as the catalog's nodes are: seeds for good, the rest as they
 * come, move and go.
 *
 * Threads  loop thread.
 * Memory   in place; view and transport are borrowed until peer_follow_close().
 * Errors   a node for which there is no memory is left out and logged by the transport.
 */
#ifndef COORDINATOR_PEER_FOLLOW_H
#define COORDINATOR_PEER_FOLLOW_H

#include "proto/catalog/catalog_view.h"

struct peer_follow {
	struct catalog_observer observer;
	struct catalog_view *view;
	struct rpc_transport *transport;
	struct hash_map known; /* node ids that the catalog named */
};

void peer_follow_init(struct peer_follow *follow, struct catalog_view *view, struct rpc_transport *transport);
void peer_follow_close(struct peer_follow *follow);

#endif
