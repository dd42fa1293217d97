/* What this node's groups have to say to the other nodes: one frame per peer and loop turn.
 *
 * All groups of the loop share the link to a peer.  Messages, read confirmations and lease
 * echoes queued during a turn leave together at its end.  Raft expects loss: what does not fit
 * or cannot be sent is dropped and counted.
 *
 * Each frame says how full its sender's disk is.  So a leader knows how its followers' disks were
 * when they answered its newest heartbeat.
 *
 * Threads  loop thread.
 * Memory   queued entry bodies are retained until the frame is packed.
 */
#ifndef REPLICATION_IO_PEER_LINK_H
#define REPLICATION_IO_PEER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/hash_map.h"
#include "proto/base/runtime.h"
#include "proto/rpc/rpc.h"
#include "replication/engine/raft_engine.h"

enum {
	PEER_LINK_PEERS_MAX = 1024,
	/* Queued for one peer within a turn; a frame is smaller than the transport's limit. */
	PEER_LINK_QUEUE_BYTES_MAX = 8 * 1024 * 1024,
	PEER_LINK_MESSAGES_MAX = 16 * 1024,
};

struct peer_link_confirm {
	uint64_t group_id;
	uint64_t term;
	uint64_t round;
	uint64_t replica_id; /* of the sender */
};

struct peer_link_echo {
	uint64_t group_id;
	uint64_t term;
	uint64_t sent_mono_us;
	uint64_t replica_id; /* of the sender */
};

/* Who hears what arrives. */
struct peer_link_receiver {
	void (*message)(void *context, uint64_t group_id, uint64_t to_replica_id,
			const struct raft_engine_message *message, uint64_t sent_mono_us);
	void (*confirm_request)(void *context, uint64_t from_node_id,
				const struct peer_link_confirm *confirm);
	void (*confirm_reply)(void *context, uint64_t from_node_id, const struct peer_link_confirm *confirm);
	void (*lease_echo)(void *context, uint64_t from_node_id, const struct peer_link_echo *echo);
	void *context;
};

struct peer_link {
	struct runtime *runtime;
	struct rpc_transport *transport;
	struct peer_link_receiver receiver;
	struct hash_map outboxes; /* by node id */
	struct runtime_task flush;
	struct buf frame;
	struct arena arena;       /* for the messages being unpacked */
	bool is_disk_full;        /* what frames from here say */
	bool refuses_entries;     /* likewise */
	uint32_t full_peer_count; /* peers whose newest frame said so */
	uint64_t dropped_count;
};

void peer_link_init(struct peer_link *link, struct runtime *runtime, struct rpc_transport *transport,
		    const struct peer_link_receiver *receiver);
void peer_link_close(struct peer_link *link);

/* Queue for the end of this turn.  entries are those of an APPEND. */
void peer_link_send(struct peer_link *link, uint64_t group_id, uint64_t from_replica_id,
		    const struct raft_engine_message *message, const struct log_entry *entries);
void peer_link_send_confirm(struct peer_link *link, uint64_t node_id,
			    const struct peer_link_confirm *confirm);
void peer_link_send_confirm_reply(struct peer_link *link, uint64_t node_id,
				  const struct peer_link_confirm *confirm);
void peer_link_send_echo(struct peer_link *link, uint64_t node_id, const struct peer_link_echo *echo);

/* Did the peer's newest frame say so?  False if none came. */
bool peer_link_is_disk_full(const struct peer_link *link, uint64_t node_id);
bool peer_link_refuses_entries(const struct peer_link *link, uint64_t node_id);
/* When the peer's newest frame came; 0: none did. */
uint64_t peer_link_heard_mono_us(const struct peer_link *link, uint64_t node_id);

/* A METHOD_RAFT_MESSAGES body from an authenticated node.  ST_CORRUPT if it does not decode. */
enum status peer_link_receive(struct peer_link *link, uint64_t from_node_id, struct slice body) MUST_CHECK;

#endif
