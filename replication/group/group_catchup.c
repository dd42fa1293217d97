/* Entries that have left the memory, read from disk off the loop for a peer that is behind. */
#include <stdlib.h>

#include "replication/group/group_internal.h"

struct catchup {
	struct runtime_job job;
	struct group *group;
	struct engine *engine;
	uint64_t group_id;
	struct raft_engine_message message;
	struct log_entry entries[RAFT_ENGINE_ENTRIES_MAX];
	uint32_t count;
	enum status status;
};

static void read_entries(struct runtime_job *job)
{
	struct catchup *catchup = CONTAINER_OF(job, struct catchup, job);

	catchup->status = log_store_read(catchup->engine, catchup->group_id, catchup->message.prev_index + 1,
					 catchup->message.entry_count, GROUP_MESSAGE_BYTES_MAX,
					 catchup->entries, &catchup->count);
}

static void on_read(struct runtime_job *job)
{
	struct catchup *catchup = CONTAINER_OF(job, struct catchup, job);
	struct group *group = catchup->group;
	bool is_current = !group->is_closed && group->was_leader &&
			  group->leader_term == catchup->message.term;

	if (catchup->status == ST_OK && is_current) {
		catchup->message.entry_count = catchup->count;
		group_send(group, &catchup->message, catchup->entries);
	}
	for (uint32_t i = 0; catchup->status == ST_OK && i < catchup->count; i++)
		log_body_release(catchup->entries[i].body);
	group->catchup_count--;
	free(catchup);
	group_release_job(group);
}

void group_catchup_send(struct group *group, const struct raft_engine_message *message)
{
	struct catchup *catchup;

	if (group->catchup_count >= GROUP_CATCHUP_JOBS_MAX)
		return; /* as good as lost on the way: the engine asks again */
	catchup = calloc(1, sizeof(*catchup));
	if (catchup == NULL)
		return;
	catchup->job.work = read_entries;
	catchup->job.done = on_read;
	catchup->group = group;
	catchup->engine = group->table->engine;
	catchup->group_id = group->id;
	catchup->message = *message;
	group->catchup_count++;
	group->job_count++;
	runtime_submit(group->table->runtime, &catchup->job);
}
