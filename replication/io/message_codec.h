/* Raft messages to and from their protobuf form.
 *
 * Threads  loop thread.
 * Memory   encoding borrows entry bodies until the batch is packed; decoding makes new bodies,
 *          which the caller releases with message_codec_release().
 * Errors   what a peer sent is input: ST_INVALID for anything the engine must not see.
 */
#ifndef REPLICATION_IO_MESSAGE_CODEC_H
#define REPLICATION_IO_MESSAGE_CODEC_H

#include "proto/base/arena.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/engine/raft_engine.h"

/* Fill out (in arena memory) from message; entries are the bodies that an APPEND carries.
 * NULL when the arena is exhausted. */
Cleave__RaftMessage *message_codec_encode(struct arena *arena, uint64_t group_id, uint64_t from_replica_id,
					  const struct raft_engine_message *message,
					  const struct log_entry *entries, uint64_t sent_mono_us);

/* entries_out has room for RAFT_ENGINE_ENTRIES_MAX and is referenced by message_out. */
enum status message_codec_decode(const Cleave__RaftMessage *from, uint64_t from_node_id,
				 struct raft_engine_message *message_out,
				 struct log_entry *entries_out) MUST_CHECK;
void message_codec_release(struct raft_engine_message *message, struct log_entry *entries);

#endif
