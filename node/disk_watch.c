#include "node/disk_watch.h"

#include <inttypes.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "replication/group/group_member.h"

enum { US_PER_MS = 1000, PERCENT = 100 };

static void tell(const struct disk_watch *watch, bool is_full, uint64_t free_bytes)
{
	if (is_full)
		log_error("node", "disk is full: writes are refused, others shall lead",
			  "free_bytes=%" PRIu64 " reserve_bytes=%" PRIu64, free_bytes, watch->reserve_bytes);
	else
		log_info("node", "disk has room again", "free_bytes=%" PRIu64, free_bytes);
}

static void measure(struct disk_watch *watch)
{
	uint64_t free_bytes = engine_free_bytes(watch->engine);
	uint64_t entries_bytes = watch->reserve_bytes / PERCENT * DISK_WATCH_ENTRIES_PERCENT;
	bool is_full = free_bytes < watch->reserve_bytes || fault_fires(FAULT_DISK_FULL);

	if (is_full != watch->groups->is_disk_full)
		tell(watch, is_full, free_bytes);
	group_table_set_disk(watch->groups, is_full, free_bytes < entries_bytes);
}

/* Some at each look: an election costs every node a little.  Those that could not be handed over are
 * tried again, after all others. */
static void yield_some(struct disk_watch *watch)
{
	uint32_t begun_count = 0;
	struct group *group;

	while (begun_count < DISK_WATCH_YIELDS_MAX) {
		group = group_table_next(watch->groups, &watch->cursor);
		if (group == NULL) {
			watch->cursor = 0;
			return;
		}
		if (group_is_ready(group) && group_member_yield(group) == ST_OK) {
			log_debug("node", "yields for want of space", "group=%" PRIu64, group_id(group));
			begun_count++;
		}
	}
}

static void on_timer(struct runtime_timer *timer)
{
	struct disk_watch *watch = CONTAINER_OF(timer, struct disk_watch, timer);

	measure(watch);
	if (watch->groups->is_disk_full)
		yield_some(watch);
	runtime_timer_start(watch->runtime, timer, (uint64_t)DISK_WATCH_INTERVAL_MS * US_PER_MS);
}

void disk_watch_init(struct disk_watch *watch, struct runtime *runtime, struct engine *engine,
		     struct group_table *groups, uint64_t reserve_bytes)
{
	*watch = (struct disk_watch){
		.runtime = runtime,
		.engine = engine,
		.groups = groups,
		.reserve_bytes = reserve_bytes,
	};
	runtime_timer_init(&watch->timer, on_timer);
}

void disk_watch_start(struct disk_watch *watch)
{
	on_timer(&watch->timer);
}

void disk_watch_stop(struct disk_watch *watch)
{
	runtime_timer_stop(watch->runtime, &watch->timer);
}
