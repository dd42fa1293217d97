/* The inside of feeding, shared by index_feeder.c (what happens when) and index_send.c (what is
 * sent where). */
#ifndef NODE_BACKGROUND_INDEX_FEEDER_INTERNAL_H
#define NODE_BACKGROUND_INDEX_FEEDER_INTERNAL_H

#include "node/background/index_feeder.h"
#include "node/background/index_page.h"
#include "proto/base/arena.h"

struct index_send; /* one message, to one partition of the index */

struct partition_feeder {
	struct queue link;
	struct index_feeders *feeders;
	struct partition *partition; /* NULL: it leads no longer */
	struct queue feeds;          /* struct index_feed */
	struct runtime_task task;
	struct runtime_timer progress;
	struct partition_proposal proposal;
	bool is_proposing;
};

enum index_feed_phase {
	INDEX_FEED_IDLE,
	INDEX_FEED_READ,
	INDEX_FEED_PLAN,
	INDEX_FEED_SEND,
	INDEX_FEED_PAUSE,
};

struct index_feed {
	struct queue link;
	struct partition_feeder *feeder;
	struct engine *engine;
	uint32_t index_table_id;
	uint64_t start_sequence;
	enum index_feed_phase phase;
	struct buf position; /* sent and acknowledged through here */
	bool may_have_more;
	bool is_caught_up;
	bool is_ended;
	uint64_t item_count;
	uint32_t busy_count; /* jobs and calls that will come back */
	struct arena arena;  /* of the page */
	size_t held_bytes;   /* of feeders->held_bytes */
	struct index_page page;
	struct runtime_job job;
	enum status status; /* of the job */
	struct runtime_timer pause;
	struct index_send *sends; /* send_count of them */
	size_t send_count;
	size_t send_pending;
	bool has_send_failed;
};

/* Plan the page's rows and send them, in one message to each partition of the index that they
 * belong to.  No rows: ST_OK with send_count 0.  ST_NOT_FOUND: this node's copy of the catalog
 * does not have the index; ST_NO_MEMORY, ST_CORRUPT. */
enum status index_send_start(struct index_feed *feed) MUST_CHECK;
/* What is under way comes back soon. */
void index_send_cancel(struct index_feed *feed);
void index_send_free(struct index_feed *feed);
/* All messages have come back: index_feeder.c goes on. */
void index_feed_on_sent(struct index_feed *feed, bool is_complete);

void index_send_register_metrics(void);
void index_send_note_lag(const struct index_feed *feed);

#endif
