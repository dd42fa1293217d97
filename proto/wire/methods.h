/* RPC method numbers.  They cross the wire: append, never renumber.
 *
 * The message of each is in the .proto file named beside it.
 */
#ifndef PROTO_WIRE_METHODS_H
#define PROTO_WIRE_METHODS_H

enum method {
	METHOD_NONE = 0,
	METHOD_HELLO = 1, /* rpc.proto: first frame in each direction */

	METHOD_RAFT_MESSAGES = 10,  /* raft.proto RaftBatch, one way */
	METHOD_SNAPSHOT_CHUNK = 11, /* raft.proto SnapshotChunk */

	METHOD_GET_ITEM = 20, /* item.proto */
	METHOD_WRITE_ITEM = 21,
	METHOD_READ_RANGE = 22,
	METHOD_GET_ITEMS = 23,
	METHOD_WRITE_INDEX_ROWS = 24,

	METHOD_CATALOG_WATCH = 40, /* catalog.proto: long poll for changes */
	METHOD_CATALOG_SYNC = 41,  /* the catalog's version, linearizable */
	METHOD_CATALOG_CREATE_TABLE = 42,
	METHOD_CATALOG_UPDATE_TABLE = 43,
	METHOD_CATALOG_DELETE_TABLE = 44,
	METHOD_CATALOG_STATISTICS = 47,
	METHOD_CATALOG_REPORT = 45, /* a node's heartbeat with the state of its replicas */
	METHOD_CATALOG_TAG_TABLE = 46,

	METHOD_NODE_STATUS = 60, /* admin.proto */
	METHOD_NODE_FAULT = 61,
	METHOD_NODE_TRANSFER = 62,
	METHOD_NODE_MEMBER = 63,

	METHOD_COUNT = 64,
};

#endif
