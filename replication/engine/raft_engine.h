/* Consensus of one replica: libraft's step engine behind our own events and updates.
 *
 * A pure function of events: no thread, clock, disk or network inside.  Each call runs one or
 * more steps; after each step on_update() is told what to persist, send and apply.  What the
 * library needs of its users (docs in replication/README.md) is done here: the two filters on
 * received entries, configuration changes first in a message, ownership of memory.
 *
 * Threads  loop thread only.  on_update() must not call back into the same engine.
 * Memory   what an update points to is borrowed until on_update() returns; entry bodies are
 *          retained by who keeps them.
 * Time     now_ms is the machine clock in milliseconds, fresh at each call.
 * Errors   a step that the library refuses as impossible (a committed entry in conflict, out
 *          of memory) ends the process: such a replica must not go on.
 * Source   Ongaro, "Consensus: Bridging Theory and Practice" (2014), by way of libraft 0.22.1.
 */
#ifndef REPLICATION_ENGINE_RAFT_ENGINE_H
#define REPLICATION_ENGINE_RAFT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/check.h"
#include "proto/base/status.h"
#include "replication/engine/log_entry.h"

enum {
	RAFT_ENGINE_MEMBERS_MAX = 9,  /* replicas of one group, of any role */
	RAFT_ENGINE_ENTRIES_MAX = 64, /* entries in one message or submission */
};

/* Stored and sent: never renumber.  The values are libraft's. */
enum raft_engine_role { RAFT_ROLE_STANDBY = 0, RAFT_ROLE_VOTER = 1, RAFT_ROLE_SPARE = 2 };

struct raft_engine_member {
	uint64_t replica_id;
	uint64_t node_id;
	enum raft_engine_role role;
};

struct raft_engine_configuration {
	struct raft_engine_member members[RAFT_ENGINE_MEMBERS_MAX];
	uint32_t count;
	uint64_t index; /* log index of the entry that set it */
};

enum raft_engine_state { RAFT_STATE_FOLLOWER, RAFT_STATE_CANDIDATE, RAFT_STATE_LEADER };

/* Sent: never renumber. */
enum raft_engine_message_kind {
	RAFT_MESSAGE_APPEND = 1,
	RAFT_MESSAGE_APPEND_RESULT = 2,
	RAFT_MESSAGE_VOTE = 3,
	RAFT_MESSAGE_VOTE_RESULT = 4,
	RAFT_MESSAGE_INSTALL_SNAPSHOT = 5,
	RAFT_MESSAGE_TIMEOUT_NOW = 6,
};

struct raft_engine_message {
	enum raft_engine_message_kind kind;
	uint64_t peer_replica_id; /* receiver when sent, sender when received */
	uint64_t peer_node_id;
	uint64_t term;
	uint64_t prev_index; /* APPEND; VOTE and TIMEOUT_NOW: the last log index */
	uint64_t prev_term;
	uint64_t commit_index;           /* APPEND */
	uint32_t entry_count;            /* APPEND */
	const struct log_entry *entries; /* APPEND, received only: the sender fills them from its log */
	uint64_t rejected_index;         /* APPEND_RESULT */
	uint64_t last_index;             /* APPEND_RESULT */
	uint64_t candidate_id;           /* VOTE */
	bool disrupt_leader;             /* VOTE */
	bool is_granted;                 /* VOTE_RESULT */
	bool is_pre_vote;                /* VOTE, VOTE_RESULT */
	uint32_t version;
	uint32_t features;
	uint32_t capacity;
};

/* Where a log stands: an index, its term and the configuration at it. */
struct raft_engine_position {
	uint64_t index;
	uint64_t term;
	struct raft_engine_configuration configuration;
};

struct raft_engine_update {
	bool hard_state_changed; /* persist current term and vote, in log order */
	bool state_changed;      /* follower, candidate, leader */
	bool commit_changed;
	/* Append these at first_index, dropping what the log had from there on. */
	uint64_t entries_first_index;
	uint32_t entry_count;
	const struct log_entry *entries;
	/* Replace everything by the snapshot staged for this position. */
	const struct raft_engine_position *install; /* NULL: none */
	const struct raft_engine_message *messages;
	uint32_t message_count;
};

typedef void (*raft_engine_update_cb)(void *context, const struct raft_engine_update *update);

struct raft_engine;

struct raft_engine_options {
	uint64_t replica_id;
	uint64_t node_id;
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	uint32_t inflight_entries_max;
	uint32_t seed;
	raft_engine_update_cb on_update;
	void *context;
};

/* NULL when out of memory. */
struct raft_engine *raft_engine_create(const struct raft_engine_options *options);
void raft_engine_destroy(struct raft_engine *engine);

/* The first event: what was on disk.  position is the applied state (NULL for a replica that
 * waits for its first snapshot), entries those of the log from first_index on. */
void raft_engine_start(struct raft_engine *engine, uint64_t now_ms, uint64_t term, uint64_t voted_for,
		       const struct raft_engine_position *position, uint64_t first_index,
		       const struct log_entry *entries, uint32_t entry_count);

/* A message from a peer.  applied is this replica's applied position: entries at or below it
 * are clipped. */
void raft_engine_receive(struct raft_engine *engine, uint64_t now_ms,
			 const struct raft_engine_message *message, uint64_t applied_index,
			 uint64_t applied_term);

/* A snapshot for this replica is staged and durable: offer it.  An update with install
 * follows if the engine wants it. */
void raft_engine_offer_snapshot(struct raft_engine *engine, uint64_t now_ms, uint64_t from_replica_id,
				uint64_t from_node_id, uint64_t term,
				const struct raft_engine_position *position);

/* The log is durable up to index (which was not truncated meanwhile). */
void raft_engine_persisted(struct raft_engine *engine, uint64_t now_ms, uint64_t index);
void raft_engine_installed(struct raft_engine *engine, uint64_t now_ms,
			   const struct raft_engine_position *position);
/* A CHANGE entry was applied. */
void raft_engine_configuration_applied(struct raft_engine *engine, uint64_t now_ms,
				       const struct raft_engine_configuration *configuration);
/* The log was compacted: position is the applied one, of which trailing entries are kept. */
void raft_engine_compacted(struct raft_engine *engine, uint64_t now_ms,
			   const struct raft_engine_position *position, uint32_t trailing_count);
void raft_engine_timeout(struct raft_engine *engine, uint64_t now_ms);

/* Append entries of the current term.
 *   ST_NOT_LEADER  not leader, or handing over
 *   ST_BUSY        a membership change is under way */
enum status raft_engine_submit(struct raft_engine *engine, uint64_t now_ms, struct log_entry *entries,
			       uint32_t entry_count) MUST_CHECK;
/* Hand leadership over (0: to any voter).  ST_NOT_LEADER, ST_NOT_FOUND. */
enum status raft_engine_transfer(struct raft_engine *engine, uint64_t now_ms, uint64_t replica_id) MUST_CHECK;
/* Stand for election after delay_ms, whatever the timeout says: the leader's process is known
 * to be gone, or there never was one. */
void raft_engine_campaign(struct raft_engine *engine, uint64_t now_ms, uint64_t delay_ms);

/* How often a leader that sends nothing else is heard; below the election timeout. */
void raft_engine_set_heartbeat_ms(struct raft_engine *engine, uint32_t heartbeat_ms);
void raft_engine_set_inflight_entries_max(struct raft_engine *engine, uint32_t count);

enum raft_engine_state raft_engine_state(const struct raft_engine *engine);
uint64_t raft_engine_term(const struct raft_engine *engine);
uint64_t raft_engine_voted_for(const struct raft_engine *engine);
uint64_t raft_engine_commit_index(const struct raft_engine *engine);
uint64_t raft_engine_last_stored(const struct raft_engine *engine);
uint64_t raft_engine_last_index(const struct raft_engine *engine);
uint64_t raft_engine_deadline_ms(const struct raft_engine *engine);
bool raft_engine_is_installing(const struct raft_engine *engine);
bool raft_engine_is_transferring(const struct raft_engine *engine);
bool raft_engine_is_changing(const struct raft_engine *engine);
/* 0, 0 if unknown. */
void raft_engine_leader(const struct raft_engine *engine, uint64_t *replica_id_out, uint64_t *node_id_out);
/* The newest configuration, committed or not. */
void raft_engine_configuration(const struct raft_engine *engine,
			       struct raft_engine_configuration *configuration_out);
/* Where a replica lives by the newest configuration; 0 if it is not a member. */
uint64_t raft_engine_member_node(const struct raft_engine *engine, uint64_t replica_id);
/* Leader only: how far a member's log is known to match; false if unknown. */
bool raft_engine_match_index(const struct raft_engine *engine, uint64_t replica_id, uint64_t *index_out);

/* The bytes of a CHANGE entry, and back.  ST_CORRUPT, ST_TOO_BIG, ST_NO_MEMORY. */
enum status raft_engine_configuration_encode(const struct raft_engine_configuration *configuration,
					     struct log_body **body_out) MUST_CHECK;
enum status raft_engine_configuration_decode(struct slice bytes,
					     struct raft_engine_configuration *configuration_out) MUST_CHECK;

#endif
