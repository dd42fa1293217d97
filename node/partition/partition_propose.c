#include "node/partition/partition_propose.h"

#include "proto/model/limits.h"

enum { PACKED_SIZE_MAX = 4 * LIMIT_REQUEST_BODY_SIZE_BYTES };

void partition_propose_stamp(struct partition *partition, Cleave__PartitionCommand *command)
{
	command->hlc = partition_next_hlc(partition);
	command->window_ms = partition_window_ms(partition);
	command->origin = partition->env->region;
	partition->window_ms = command->window_ms;
	partition->window_mono_ms = runtime_mono_ms(partition->env->runtime);
}

enum status partition_propose_pack(const Cleave__PartitionCommand *command, struct buf *out)
{
	uint8_t *start = buf_extend(out, cleave__partition_command__get_packed_size(command));

	if (start != NULL)
		(void)cleave__partition_command__pack(command, start);
	return out->status;
}

enum status partition_propose(struct partition *partition, Cleave__PartitionCommand *command,
			      struct partition_proposal *proposal)
{
	struct buf packed;
	enum status status;

	if (partition->is_closed || !group_is_ready(partition->group))
		return ST_NOT_LEADER;
	if (partition->env->is_disk_full)
		return ST_NO_SPACE;
	partition_propose_stamp(partition, command);
	buf_init(&packed, PACKED_SIZE_MAX);
	status = partition_propose_pack(command, &packed);
	if (status == ST_OK)
		status = group_propose(partition->group, buf_slice(&packed), &proposal->index);
	buf_close(&packed);
	if (status != ST_OK)
		return status;
	queue_init(&proposal->link);
	queue_push_tail(&partition->proposals, &proposal->link);
	return ST_OK;
}

void partition_propose_init(struct partition *partition)
{
	queue_init(&partition->proposals);
}

static struct partition_proposal *first_of(struct queue *proposals)
{
	return CONTAINER_OF(proposals->next, struct partition_proposal, link);
}

void partition_propose_on_applied(struct partition *partition, uint64_t index)
{
	while (!queue_is_empty(&partition->proposals) && first_of(&partition->proposals)->index <= index) {
		struct partition_proposal *proposal = first_of(&partition->proposals);

		queue_remove(&proposal->link);
		proposal->done(proposal, ST_OK);
	}
}

void partition_propose_on_lost(struct partition *partition)
{
	struct queue lost;

	queue_init(&lost);
	queue_move_all(&partition->proposals, &lost);
	while (!queue_is_empty(&lost)) {
		struct partition_proposal *proposal = first_of(&lost);

		queue_remove(&proposal->link);
		proposal->done(proposal, ST_UNKNOWN_OUTCOME);
	}
}
