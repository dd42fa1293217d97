/* Operators' calls to one node: what it hosts, faults, leadership, membership.
 *
 * Threads  loop thread.
 */
#ifndef NODE_SERVER_HANDLE_ADMIN_H
#define NODE_SERVER_HANDLE_ADMIN_H

#include "proto/rpc/rpc.h"

struct server;

void handle_admin_status(struct server *server, struct rpc_request *request);
void handle_admin_fault(struct server *server, struct rpc_request *request);
void handle_admin_transfer(struct server *server, struct rpc_request *request);
void handle_admin_member(struct server *server, struct rpc_request *request);

#endif
