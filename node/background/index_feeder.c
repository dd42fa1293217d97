#include "node/background/index_feeder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/background/index_feeder_internal.h"
#include "node/partition/partition_propose.h"
#include "node/partition/partition_write.h"

enum { US_PER_MS = 1000, ARENA_SIZE_MAX = 64 * 1024 * 1024 };

static struct index_feeders *feeders_of(struct partition_feeders *base)
{
	return CONTAINER_OF(base, struct index_feeders, base);
}

/* --- ending --- */

void index_feeder_sweep(struct partition_feeder *feeder)
{
	struct queue *next;

	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		next = link->next;
		if (index_feed_is_over(feed) && feed->busy_count == 0)
			index_feed_free(feed);
	}
	if (feeder->partition == NULL && queue_is_empty(&feeder->feeds) && !feeder->is_proposing) {
		queue_remove(&feeder->link);
		free(feeder);
	}
}

/* --- what the partition hears --- */

/* Writes wait for the indexes that are fed with changes; those that are being backfilled are not
 * readable yet. */
static void tell_partition(struct partition_feeder *feeder)
{
	uint64_t sequence = UINT64_MAX;

	if (feeder->partition == NULL)
		return;
	for (const struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		const struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (index_feed_is_over(feed) || feed->position.data[0] != FEED_CHANGES)
			continue;
		if (get_u64_be(feed->position.data + 1) < sequence)
			sequence = get_u64_be(feed->position.data + 1);
	}
	partition_write_on_fed(feeder->partition, sequence);
}

/* --- progress --- */

static void on_progress_applied(struct partition_proposal *proposal, enum status status)
{
	struct partition_feeder *feeder = CONTAINER_OF(proposal, struct partition_feeder, proposal);

	(void)status; /* unknown: the next leader goes on from an earlier place */
	feeder->is_proposing = false;
	index_feeder_sweep(feeder);
}

static bool fill_progress(const struct partition_feeder *feeder, struct arena *arena,
			  Cleave__PartitionCommand *command)
{
	command->progress = arena_alloc(arena, LIMIT_GLOBAL_INDEX_COUNT * sizeof(*command->progress));
	if (command->progress == NULL)
		return false;
	for (const struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		const struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);
		const struct partition_feed *known = partition_indexes_feed(&feeder->partition->indexes,
									    feed->index_table_id);
		Cleave__FeedRecord *record;

		if (index_feed_is_over(feed) || known == NULL ||
		    slice_compare(buf_slice(&feed->position), buf_slice(&known->position)) <= 0)
			continue;
		record = arena_alloc(arena, sizeof(*record));
		if (record == NULL)
			return false;
		cleave__feed_record__init(record);
		record->index_table_id = feed->index_table_id;
		record->position = (ProtobufCBinaryData){ feed->position.size, feed->position.data };
		command->progress[command->n_progress++] = record;
	}
	return command->n_progress > 0;
}

static void propose_progress(struct partition_feeder *feeder)
{
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	struct arena arena;

	arena_init(&arena, ARENA_SIZE_MAX);
	if (fill_progress(feeder, &arena, &command)) {
		feeder->proposal.done = on_progress_applied;
		feeder->is_proposing = partition_propose(feeder->partition, &command, &feeder->proposal) ==
				       ST_OK;
		if (!feeder->is_proposing)
			runtime_timer_start(feeder->feeders->runtime, &feeder->progress,
					    (uint64_t)INDEX_FEEDER_PROGRESS_MS * US_PER_MS);
	}
	arena_close(&arena);
}

static void on_progress(struct runtime_timer *timer)
{
	struct partition_feeder *feeder = CONTAINER_OF(timer, struct partition_feeder, progress);

	if (feeder->is_proposing)
		runtime_timer_start(feeder->feeders->runtime, timer,
				    (uint64_t)INDEX_FEEDER_PROGRESS_MS * US_PER_MS);
	else
		propose_progress(feeder);
}

static void schedule_progress(struct partition_feeder *feeder, uint64_t delay_ms)
{
	if (!runtime_timer_is_active(&feeder->progress) || delay_ms == 0)
		runtime_timer_start(feeder->feeders->runtime, &feeder->progress, delay_ms * US_PER_MS);
}

void index_feeder_on_advanced(struct index_feed *feed, bool has_ended_backfill)
{
	schedule_progress(feed->feeder, has_ended_backfill ? 0 : INDEX_FEEDER_PROGRESS_MS);
	tell_partition(feed->feeder);
}

void index_feeder_on_caught_up(const struct partition_feeder *feeder)
{
	if (feeder->feeders->caught_up != NULL)
		feeder->feeders->caught_up(feeder->feeders);
}

/* --- following the partition --- */

static struct index_feed *find_feed(struct partition_feeder *feeder, uint32_t index_table_id)
{
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (feed->index_table_id == index_table_id && !feed->is_ended)
			return feed;
	}
	return NULL;
}

static void add_feed(struct partition_feeder *feeder, const struct partition_feed *known)
{
	struct index_feed *feed = index_feed_create(feeder, known);

	if (feed != NULL) /* else the next change comes here again */
		queue_push_tail(&feeder->feeds, &feed->link);
}

static void match_feeds(struct partition_feeder *feeder)
{
	const struct partition_indexes *indexes = &feeder->partition->indexes;

	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (!feed->is_ended && partition_indexes_feed(indexes, feed->index_table_id) == NULL) {
			index_feed_end(feed);
			index_feeder_on_caught_up(feeder);
		}
	}
	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		if (find_feed(feeder, indexes->feeds[i].index_table_id) == NULL)
			add_feed(feeder, &indexes->feeds[i]);
	}
}

static void on_task(struct runtime_task *task)
{
	struct partition_feeder *feeder = CONTAINER_OF(task, struct partition_feeder, task);
	struct queue *next;

	match_feeds(feeder);
	tell_partition(feeder);
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = next) {
		next = link->next;
		index_feed_step(CONTAINER_OF(link, struct index_feed, link));
	}
	index_feeder_sweep(feeder);
}

static struct partition_feeder *create(struct index_feeders *feeders, struct partition *partition)
{
	struct partition_feeder *feeder = calloc(1, sizeof(*feeder));

	if (feeder == NULL)
		return NULL;
	feeder->feeders = feeders;
	feeder->partition = partition;
	queue_init(&feeder->feeds);
	queue_init(&feeder->link);
	queue_push_tail(&feeders->all, &feeder->link);
	runtime_task_init(&feeder->task, on_task);
	runtime_timer_init(&feeder->progress, on_progress);
	match_feeds(feeder);
	partition->feeder = feeder;
	tell_partition(feeder);
	return feeder;
}

static void on_changed(struct partition_feeders *base, struct partition *partition)
{
	struct partition_feeder *feeder = partition->feeder;

	if (feeder == NULL && partition->indexes.feed_count > 0)
		feeder = create(feeders_of(base), partition);
	if (feeder != NULL)
		runtime_defer(feeder->feeders->runtime, &feeder->task);
}

static void on_lost(struct partition_feeders *base, struct partition *partition)
{
	struct partition_feeder *feeder = partition->feeder;
	struct runtime *runtime = feeders_of(base)->runtime;

	if (feeder == NULL)
		return;
	partition->feeder = NULL;
	feeder->partition = NULL;
	runtime_task_cancel(&feeder->task);
	runtime_timer_stop(runtime, &feeder->progress);
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next)
		index_feed_end(CONTAINER_OF(link, struct index_feed, link));
	index_feeder_sweep(feeder);
}

/* --- life and questions --- */

void index_feeders_init(struct index_feeders *feeders, struct runtime *runtime, struct engine *engine,
			struct route_env *env)
{
	*feeders = (struct index_feeders){
		.base = { .changed = on_changed, .lost = on_lost },
		.runtime = runtime,
		.engine = engine,
		.env = env,
	};
	queue_init(&feeders->all);
	index_send_register_metrics();
	index_feed_register_metrics();
}

bool index_feeders_is_idle(const struct index_feeders *feeders)
{
	return queue_is_empty(&feeders->all);
}

bool index_feeder_is_caught_up(const struct partition *partition, uint32_t index_table_id)
{
	const struct index_feed *feed = partition->feeder == NULL
						? NULL
						: find_feed(partition->feeder, index_table_id);

	return feed != NULL && feed->is_caught_up;
}

uint64_t index_feeder_item_count(const struct partition *partition, uint32_t index_table_id)
{
	const struct index_feed *feed = partition->feeder == NULL
						? NULL
						: find_feed(partition->feeder, index_table_id);

	return feed == NULL ? 0 : feed->item_count;
}
