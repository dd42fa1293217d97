#include "node/partition/partition_propose.h"

#include "proto/model/limits.h"

enum {
	PACKED_SIZE_MAX = 4 * LIMIT_REQUEST_BODY_SIZE_BYTES,
	GATHERED_COUNT_MAX = 256,
};

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

static enum status admit(const struct partition *partition)
{
	if (partition->is_closed || !group_is_ready(partition->group))
		return ST_NOT_LEADER;
	return group_has_room(partition->group) ? ST_OK : ST_NO_SPACE;
}

static enum status stamp_and_pack(struct partition *partition, Cleave__PartitionCommand *command,
				  struct buf *packed)
{
	buf_init(packed, PACKED_SIZE_MAX);
	partition_propose_stamp(partition, command);
	return partition_propose_pack(command, packed);
}

enum status partition_propose(struct partition *partition, Cleave__PartitionCommand *command,
			      struct partition_proposal *proposal)
{
	struct buf packed;
	enum status status = admit(partition);

	if (status != ST_OK)
		return status;
	proposal->packed = (struct buf){ .data = NULL }; /* it is not gathered */
	status = stamp_and_pack(partition, command, &packed);
	if (status == ST_OK)
		status = group_propose(partition->group, buf_slice(&packed), &proposal->index);
	buf_close(&packed);
	if (status != ST_OK)
		return status;
	queue_init(&proposal->link);
	queue_push_tail(&partition->proposals, &proposal->link);
	return ST_OK;
}

static struct partition_proposal *first_of(const struct queue *proposals)
{
	return CONTAINER_OF(proposals->next, struct partition_proposal, link);
}

/* --- gathering --- */

static void schedule_gathered(struct partition *partition)
{
	if (partition->gather_count < PARTITION_GATHERS_MAX && !queue_is_empty(&partition->gathered))
		runtime_defer(partition->env->runtime, &partition->gather_task);
}

/* Entries are applied in the order in which they were proposed. */
static void forget_applied_gathers(struct partition *partition, uint64_t index)
{
	size_t applied = 0;

	while (applied < partition->gather_count && partition->gather_indexes[applied] <= index)
		applied++;
	partition->gather_count -= applied;
	memmove(partition->gather_indexes, partition->gather_indexes + applied,
		partition->gather_count * sizeof(partition->gather_indexes[0]));
}

enum status partition_propose_gathered(struct partition *partition, Cleave__PartitionCommand *command,
				       struct partition_proposal *proposal)
{
	enum status status = admit(partition);

	if (status != ST_OK)
		return status;
	status = stamp_and_pack(partition, command, &proposal->packed);
	if (status != ST_OK) {
		buf_close(&proposal->packed);
		return status;
	}
	queue_init(&proposal->link);
	queue_push_tail(&partition->gathered, &proposal->link);
	schedule_gathered(partition);
	return ST_OK;
}

/* Those that one entry takes, in their order. */
static void take_gathered(struct partition *partition, struct queue *taken)
{
	size_t size_bytes = 0;

	queue_init(taken);
	for (size_t i = 0; i < GATHERED_COUNT_MAX && !queue_is_empty(&partition->gathered); i++) {
		struct partition_proposal *proposal = first_of(&partition->gathered);

		if (i > 0 && size_bytes + proposal->packed.size > PARTITION_COMMAND_BYTES_MAX)
			return;
		size_bytes += proposal->packed.size;
		queue_remove(&proposal->link);
		queue_push_tail(taken, &proposal->link);
	}
}

static enum status propose_together(struct partition *partition, const struct queue *taken, uint64_t *index)
{
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	ProtobufCBinaryData list[GATHERED_COUNT_MAX];
	struct buf packed;
	enum status status;

	for (const struct queue *link = taken->next; link != taken; link = link->next) {
		const struct buf *one = &CONTAINER_OF(link, struct partition_proposal, link)->packed;

		list[command.n_gathered++] = (ProtobufCBinaryData){ one->size, one->data };
	}
	command.gathered = list;
	buf_init(&packed, PACKED_SIZE_MAX);
	status = partition_propose_pack(&command, &packed);
	if (status == ST_OK)
		status = group_propose(partition->group, buf_slice(&packed), index);
	buf_close(&packed);
	return status;
}

static void end_all(struct queue *proposals, enum status status)
{
	while (!queue_is_empty(proposals)) {
		struct partition_proposal *proposal = first_of(proposals);

		queue_remove(&proposal->link);
		buf_close(&proposal->packed);
		proposal->done(proposal, status);
	}
}

static void on_gather(struct runtime_task *task)
{
	struct partition *partition = CONTAINER_OF(task, struct partition, gather_task);
	struct queue taken;
	uint64_t index = 0;
	enum status status;

	take_gathered(partition, &taken);
	if (queue_is_empty(&taken))
		return;
	if (first_of(&taken)->link.next == &taken)
		status = group_propose(partition->group, buf_slice(&first_of(&taken)->packed), &index);
	else
		status = propose_together(partition, &taken, &index);
	if (status != ST_OK) {
		queue_move_all(&partition->gathered, &taken);
		end_all(&taken, status);
		return;
	}
	partition->gather_indexes[partition->gather_count++] = index;
	for (struct queue *link = taken.next; link != &taken; link = link->next) {
		struct partition_proposal *proposal = CONTAINER_OF(link, struct partition_proposal, link);

		proposal->index = index;
		buf_close(&proposal->packed);
	}
	queue_move_all(&taken, &partition->proposals);
	schedule_gathered(partition); /* what one entry could not take */
}

/* --- applied, lost --- */

void partition_propose_init(struct partition *partition)
{
	queue_init(&partition->proposals);
	queue_init(&partition->gathered);
	runtime_task_init(&partition->gather_task, on_gather);
}

void partition_propose_on_applied(struct partition *partition, uint64_t index)
{
	while (!queue_is_empty(&partition->proposals) && first_of(&partition->proposals)->index <= index) {
		struct partition_proposal *proposal = first_of(&partition->proposals);

		queue_remove(&proposal->link);
		proposal->done(proposal, ST_OK);
	}
	forget_applied_gathers(partition, index);
	schedule_gathered(partition);
}

void partition_propose_on_lost(struct partition *partition)
{
	struct queue lost;
	struct queue waiting;

	queue_init(&lost);
	queue_init(&waiting);
	queue_move_all(&partition->proposals, &lost);
	queue_move_all(&partition->gathered, &waiting);
	partition->gather_count = 0;
	runtime_task_cancel(&partition->gather_task);
	end_all(&lost, ST_UNKNOWN_OUTCOME);
	end_all(&waiting, ST_NOT_LEADER);
}
