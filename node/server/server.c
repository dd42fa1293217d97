#include "node/server/server.h"

#include "node/server/handle_admin.h"
#include "node/server/handle_batch.h"
#include "node/server/handle_index.h"
#include "node/server/handle_query.h"
#include "proto/wire/methods.h"
#include "replication/group/snapshot_recv.h"

/* Nodes speak for their replicas and for themselves, operators for the cluster; a coordinator
 * that was taken over can do neither. */
static bool is_denied(const struct rpc_request *request)
{
	switch (request->method) {
	case METHOD_RAFT_MESSAGES:
	case METHOD_SNAPSHOT_CHUNK:
	case METHOD_CATALOG_REPORT:
	case METHOD_WRITE_INDEX_ROWS:
		return request->caller_id == 0;
	case METHOD_NODE_FAULT:
	case METHOD_NODE_TRANSFER:
	case METHOD_NODE_MEMBER:
		return !request->is_tool;
	default:
		return false;
	}
}

static void handle_raft(struct server *server, struct rpc_request *request)
{
	rpc_request_reply_status(request,
				 group_table_receive(server->groups, request->caller_id, request->body));
}

static void handle_catalog(struct server *server, struct rpc_request *request)
{
	if (server->catalog == NULL)
		rpc_request_reply_status(request, ST_UNAVAILABLE);
	else
		catalog_handle(server->catalog, request);
}

static void handle(struct rpc_service *service, struct rpc_request *request)
{
	struct server *server = CONTAINER_OF(service, struct server, service);

	if (server->is_stopping && request->method != METHOD_RAFT_MESSAGES) {
		rpc_request_reply_status(request, ST_UNAVAILABLE);
		return;
	}
	if (is_denied(request)) {
		rpc_request_reply_status(request, ST_DENIED);
		return;
	}
	switch (request->method) {
	case METHOD_RAFT_MESSAGES:
		handle_raft(server, request);
		return;
	case METHOD_SNAPSHOT_CHUNK:
		snapshot_recv_chunk(server->groups, request);
		return;
	case METHOD_GET_ITEM:
		handle_item_get(&server->items, request);
		return;
	case METHOD_WRITE_ITEM:
		handle_item_write(&server->items, request);
		return;
	case METHOD_READ_RANGE:
		handle_query_range(server->partitions, request);
		return;
	case METHOD_GET_ITEMS:
		handle_batch_get(server->partitions, request);
		return;
	case METHOD_WRITE_INDEX_ROWS:
		handle_index_write(server->partitions, request);
		return;
	case METHOD_CATALOG_WATCH:
	case METHOD_CATALOG_SYNC:
	case METHOD_CATALOG_CREATE_TABLE:
	case METHOD_CATALOG_UPDATE_TABLE:
	case METHOD_CATALOG_DELETE_TABLE:
	case METHOD_CATALOG_TAG_TABLE:
	case METHOD_CATALOG_REPORT:
	case METHOD_CATALOG_STATISTICS:
		handle_catalog(server, request);
		return;
	case METHOD_NODE_STATUS:
		handle_admin_status(server, request);
		return;
	case METHOD_NODE_FAULT:
		handle_admin_fault(server, request);
		return;
	case METHOD_NODE_TRANSFER:
		handle_admin_transfer(server, request);
		return;
	case METHOD_NODE_MEMBER:
		handle_admin_member(server, request);
		return;
	default:
		rpc_request_reply_status(request, ST_UNSUPPORTED);
	}
}

void server_init(struct server *server)
{
	server->service.handle = handle;
	handle_item_init(&server->items, server->partitions);
}

void server_close(struct server *server)
{
	handle_item_close(&server->items);
}
