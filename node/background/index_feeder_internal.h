/* The inside of feeding, shared by index_feeder.c (which feeds there are), index_feed.c (the steps of
 * one) and index_send.c (what is sent where).
 *
 * A feed reads its stream page by page.  A page's rows fall into *parts*, one for each partition of the
 * index, and each part waits in the *lane* to that partition.  A lane has one message under way, which
 * carries whole parts: what a message has reached hides all rows up to its last position, so no
 * position may be divided between two.  The feed's position follows the oldest page that is not
 * acknowledged in full; memory of a page lives until then.
 */
#ifndef NODE_BACKGROUND_INDEX_FEEDER_INTERNAL_H
#define NODE_BACKGROUND_INDEX_FEEDER_INTERNAL_H

#include "node/background/index_feeder.h"
#include "node/background/index_page.h"
#include "proto/base/arena.h"
#include "proto/route/replica_call.h"

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
	INDEX_FEED_IDLE, /* perhaps with messages under way */
	INDEX_FEED_READ, /* a page is read off the loop */
	INDEX_FEED_PAUSE,
};

struct feed_page {
	struct queue link; /* of feed->pages, in the order of the stream */
	struct index_feed *feed;
	struct arena arena; /* of all that belongs to it */
	size_t held_bytes;  /* of feeders->held_bytes */
	struct index_page page;
	size_t open_count; /* parts that are not acknowledged */
};

struct feed_lane {
	struct queue link; /* of feed->lanes */
	struct index_feed *feed;
	uint64_t partition_id;     /* of the index; 0: this node's copy of the catalog has none */
	struct feed_part *planned; /* of the page that is being planned */
	struct queue waiting;      /* struct feed_part */
	struct queue sent;         /* the same: in the message that is under way */
	struct replica_call call;
	struct arena arena; /* of the call */
	bool is_busy;
};

struct index_feed {
	struct queue link;
	struct partition_feeder *feeder;
	uint32_t index_table_id;
	uint64_t start_sequence;
	enum index_feed_phase phase;
	struct buf position;      /* sent and acknowledged through here */
	struct buf read_position; /* read through here */
	bool may_have_more;
	bool is_behind; /* more to read than a small page holds */
	bool is_caught_up;
	bool is_ended;
	bool is_counted; /* among those that are backfilled */
	bool is_failing; /* what is under way comes back, then all starts again at position */
	uint64_t item_count;
	uint32_t busy_count; /* jobs and calls that will come back */
	struct queue pages;  /* struct feed_page */
	size_t page_count;
	size_t held_bytes;         /* of all its pages */
	struct feed_page *reading; /* by the job */
	struct runtime_job job;
	enum status status; /* of the job */
	enum status warned; /* of what the log has been told last */
	struct runtime_timer pause;
	struct queue lanes; /* struct feed_lane: those that have something to send */
};

/* --- index_feed.c --- */

/* NULL when out of memory. */
struct index_feed *index_feed_create(struct partition_feeder *feeder, const struct partition_feed *known);
/* Nothing is under way any more. */
void index_feed_free(struct index_feed *feed);
/* What is under way comes back soon, and it does nothing more. */
void index_feed_end(struct index_feed *feed);
bool index_feed_is_over(const struct index_feed *feed);
/* Go on, if there is something to do. */
void index_feed_step(struct index_feed *feed);
/* A message has come back; the parts of one that arrived are not open any more. */
void index_feed_on_answer(struct index_feed *feed, enum status status);

/* --- index_feeder.c --- */

/* The feed's position moved. */
void index_feeder_on_advanced(struct index_feed *feed, bool has_ended_backfill);
/* It has caught up for the first time, or is gone: the catalog waits for it. */
void index_feeder_on_caught_up(const struct partition_feeder *feeder);
/* Free what is over and has nothing under way; the feeder too, if it was the last. */
void index_feeder_sweep(struct partition_feeder *feeder);

/* --- index_send.c --- */

/* Divide the page's rows among the lanes; on failure they are as before.  ST_NOT_FOUND: this node's
 * copy of the catalog does not have the index; ST_NO_MEMORY, ST_CORRUPT. */
enum status index_send_plan(struct index_feed *feed, struct feed_page *page) MUST_CHECK;
/* A message on each lane that has none under way. */
void index_send_start(struct index_feed *feed);
/* What is under way comes back soon. */
void index_send_cancel(struct index_feed *feed);
bool index_send_is_idle(const struct index_feed *feed);
/* Forget all parts; nothing is under way. */
void index_send_drop(struct index_feed *feed);

void index_send_register_metrics(void);
void index_feed_register_metrics(void);

#endif
