/* The inside of a replica, shared by the files of this folder. */
#ifndef REPLICATION_GROUP_GROUP_INTERNAL_H
#define REPLICATION_GROUP_GROUP_INTERNAL_H

#include "replication/group/group.h"
#include "replication/group/group_read.h"
#include "replication/group/group_state.h"
#include "replication/group/snapshot_recv.h"
#include "replication/group/snapshot_send.h"
#include "replication/io/log_store.h"

enum {
	GROUP_PENDING_APPENDS_MAX = 4, /* log writes not yet durable: the open batch and the one in flight */
	GROUP_PROPOSED_BYTES_MAX = 64 * 1024 * 1024, /* proposed, not applied */
	GROUP_INFLIGHT_ENTRIES_MAX = RAFT_ENGINE_ENTRIES_MAX,
	GROUP_INFLIGHT_ENTRIES_MIN = 4,
	GROUP_INFLIGHT_BYTES = 4 * 1024 * 1024,    /* aimed at, to one follower */
	GROUP_MESSAGE_BYTES_MAX = 2 * 1024 * 1024, /* entries in one message */
	GROUP_APPLY_ENTRIES_MAX = 256,             /* per turn */
	GROUP_APPLY_BYTES_MAX = 4 * 1024 * 1024,   /* likewise, and of all groups */
	GROUP_COMPACT_ENTRIES = 8192,              /* applied entries that start a compaction */
	GROUP_COMPACT_BYTES = 2 * 1024 * 1024,     /* likewise; half of it is kept */
	GROUP_COMPACT_BYTES_MIN = 32 * 1024,       /* with many groups, see GROUP_TABLE_LOG_BYTES */
	GROUP_TRAILING_ENTRIES = 1024,             /* kept at most behind the applied index */
	GROUP_TRAILING_ENTRIES_MIN = 16,           /* however large they are */
	GROUP_BEHIND_ENTRIES_MAX = 65536,          /* kept at most for a voter that is behind */
	GROUP_BEHIND_BYTES_MAX = 128 * 1024 * 1024,
	GROUP_READ_ROUNDS_MAX = 8,
	GROUP_CATCHUP_JOBS_MAX = 8, /* disk reads for peers that are behind */
};

/* A log write under way: entries [first, last] are durable with batch `sequence`. */
struct group_append {
	uint64_t sequence;
	uint64_t first_index;
	uint64_t last_index;
};

/* A message that waits until this replica's term and vote are durable. */
struct group_held_message {
	struct queue link;
	uint64_t sequence;
	struct raft_engine_message message;
	struct log_entry entries[]; /* message.entry_count of them, retained */
};

/* One round of ReadIndex: all its reads arrived before the question was sent. */
struct group_read_round {
	uint64_t id; /* 0: free */
	uint64_t read_index;
	uint64_t configuration_index; /* that the mask's positions belong to */
	uint32_t confirmed_mask;      /* by position in the configuration */
	struct queue reads;
};

/* This group's part of the batch that is being applied. */
struct group_apply_round {
	struct raft_engine_position position; /* applied once it is written */
	bool has_change;
	size_t size_bytes;
	uint32_t entry_count;
};

struct group {
	struct group_table *table;
	uint64_t id;
	uint64_t replica_id;
	struct raft_engine *engine;
	struct group_fsm *fsm;
	struct log_store log;
	struct raft_engine_position applied;
	bool has_position;

	/* What is on its way to the disk. */
	struct log_commit_waiter waiter;
	struct group_append appends[GROUP_PENDING_APPENDS_MAX]; /* ring */
	uint32_t append_head;
	uint32_t append_count;
	uint64_t hard_state_sequence;
	struct queue held; /* struct group_held_message, in order */
	bool is_silent;    /* its birth records are not durable yet */

	/* Leadership. */
	bool was_leader;
	bool is_ready;
	uint64_t barrier_index;
	uint64_t leader_term;
	uint64_t transfer_term; /* a hand-over was started in this term: no lease */
	size_t proposed_bytes;
	uint64_t last_heard_mono_ms;
	uint64_t yielded_mono_ms; /* group_member_yield() began to hand over; 0: never */
	bool has_stood_back;      /* one election timeout, for a full disk; until a leader is heard */

	/* Strong reads. */
	struct queue waiting_reads;   /* for the next round */
	struct queue confirmed_reads; /* for the apply to catch up; ascending by index */
	struct group_read_round rounds[GROUP_READ_ROUNDS_MAX];
	uint64_t next_round_id;
	struct runtime_task read_task;
	struct runtime_timer read_timer;
	uint64_t lease_echo_us[RAFT_ENGINE_MEMBERS_MAX]; /* newest echoed send time, by position */
	uint64_t lease_term;
	uint64_t lease_configuration_index; /* that the positions belong to */

	struct runtime_timer timer;     /* the engine's next deadline */
	uint64_t last_proposed_mono_ms; /* as leader */
	bool is_quiet;                  /* leader, with nothing to say for a while: slower heartbeats */
	struct queue apply_link;        /* in the table's apply_waiting or applying */
	struct group_apply_round round;
	struct runtime_timer apply_delay;
	size_t log_bytes;            /* of the entries in the store, about; set by group_set_log_bytes() */
	int64_t average_entry_bytes; /* of proposals */

	struct queue sends; /* snapshots on their way to followers */
	uint32_t catchup_count;
	uint32_t job_count; /* off-loop jobs and calls that hold this group */
	bool is_closed;
	bool is_removed; /* closed for good: its records are deleted */
	uint64_t install_count;
	bool is_installing; /* a snapshot is being put in place: no applies */
};

static inline uint64_t group_now_ms(const struct group *group)
{
	return runtime_mono_ms(group->table->runtime);
}

/* After any call into the engine: notice changes of role and re-arm the timer. */
void group_settle(struct group *group);
/* Send or hold a message whose entries are given. */
void group_send(struct group *group, const struct raft_engine_message *message,
		const struct log_entry *entries);
void group_schedule_apply(struct group *group);
static inline void group_set_log_bytes(struct group *group, size_t log_bytes)
{
	group->table->log_bytes = group->table->log_bytes - group->log_bytes + log_bytes;
	group->log_bytes = log_bytes;
}

/* Is a majority of the voters not bound by what its disks lack? */
bool group_majority_is_free(const struct group *group, bool is_self_bound,
			    bool (*is_peer_bound)(const struct peer_link *link, uint64_t node_id));
void group_release_job(struct group *group);
/* A replica's place in a configuration, -1 if absent. */
int group_position_of(uint64_t replica_id, const struct raft_engine_configuration *configuration);

/* group_timer.c */
void group_timer_init(struct group *group);
void group_timer_arm(struct group *group);
/* A leader has something to replicate. */
void group_timer_on_proposal(struct group *group);
/* group_apply.c */
void group_apply_init(struct group *group);
void group_apply_waiting(struct runtime_task *task);
/* group_read.c */
void group_read_init(struct group *group);
void group_read_close(struct group *group);
void group_read_on_applied(struct group *group);
void group_read_on_lost(struct group *group);
void group_read_on_append(struct group *group, const struct raft_engine_message *message,
			  uint64_t sent_mono_us);
void group_read_on_confirm_reply(struct group *group, const struct peer_link_confirm *confirm);
void group_read_on_confirm_request(struct group *group, uint64_t from_node_id,
				   const struct peer_link_confirm *confirm);
void group_read_on_echo(struct group *group, const struct peer_link_echo *echo);
/* group_catchup.c: entries that left the memory, for a peer that is behind. */
void group_catchup_send(struct group *group, const struct raft_engine_message *message);
/* The snapshot at position is in place and durable: go on from it. */
void group_finish_install(struct group *group, const struct raft_engine_position *position);

#endif
