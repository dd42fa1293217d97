/* libraft's forms of our own structs, for the files of this folder. */
#ifndef REPLICATION_ENGINE_RAFT_ENGINE_INTERNAL_H
#define REPLICATION_ENGINE_RAFT_ENGINE_INTERNAL_H

#include <raft.h>

#include "replication/engine/raft_engine.h"

enum { NODE_ADDRESS_SIZE = 24 };

/* The library's address field holds the node id; it is never dereferenced as an address. */
void raft_engine_format_address(char out[NODE_ADDRESS_SIZE], uint64_t node_id);
uint64_t raft_engine_parse_address(const char *address);

void raft_engine_configuration_from(const struct raft_configuration *from, uint64_t index,
				    struct raft_engine_configuration *to);
/* The library takes the result over. */
enum status raft_engine_configuration_to(const struct raft_engine_configuration *from,
					 struct raft_configuration *to) MUST_CHECK;
void raft_engine_configuration_to_metadata(const struct raft_engine_position *position,
					   struct raft_snapshot_metadata *metadata);

#endif
