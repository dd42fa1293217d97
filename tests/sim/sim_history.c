#include "tests/sim/sim_history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tests/support/linear.h"

enum { STEPS_MAX = 20 * 1000 * 1000, STEPS_SHORTEN_MAX = 1000 * 1000 };

/* One item's operations, as the register's checker sees them. */
struct item_history {
	struct linear_op *ops;
	size_t *indices; /* in the workload's list */
	size_t op_count;
	/* By value: when an eventual read had seen it, UINT64_MAX if none has.  It is then committed, and
	 * no strong read that begins later may miss it. */
	uint64_t *shown_us;
};

static double seconds(uint64_t at_us)
{
	return (double)(at_us - SIM_EPOCH_US) / SIM_SECOND;
}

static bool to_linear(const struct item_history *history, const struct sim_op *op, struct linear_op *out)
{
	if (op->kind == SIM_READ_EVENTUAL || op->outcome == SIM_FAILED ||
	    (op->kind == SIM_READ && op->outcome == SIM_OPEN))
		return false;
	*out = (struct linear_op){ .call = op->call_us };
	/* A write whose condition failed is a read of what it failed on. */
	out->is_write = sim_op_is_write(op) && op->outcome != SIM_REFUSED;
	out->return_at = op->outcome == SIM_OPEN ? LINEAR_OPEN : op->return_us;
	out->knows_old = op->outcome != SIM_OPEN && op->knows_old;
	out->old_value = sim_op_is_write(op) ? op->old : op->value;
	out->new_value = out->is_write ? op->value : LINEAR_ABSENT;
	if (out->new_value != LINEAR_ABSENT && history->shown_us[op->value] < out->return_at &&
	    history->shown_us[op->value] >= op->call_us)
		out->return_at = history->shown_us[op->value];
	return true;
}

static void print_op(struct buf *out, const struct sim_op *op, const struct linear_op *shown)
{
	buf_append_format(out, "  %10.6f  ", seconds(op->call_us));
	if (shown->return_at == LINEAR_OPEN)
		buf_append_string(out, "         ?");
	else
		buf_append_format(out, "%10.6f", seconds(shown->return_at));
	if (shown->return_at < op->return_us && shown->is_write)
		buf_append_string(out, " (an eventual read had seen it)");
	buf_append_format(out, "  client %" PRIu32 "  %-8s", op->client, sim_op_kind_name(op->kind));
	if (op->kind == SIM_CAS)
		buf_append_format(out, " expects %" PRIu64, op->expected);
	if (op->outcome == SIM_REFUSED)
		buf_append_format(out, " sees %" PRIu64, op->old);
	else if (sim_op_is_put(op))
		buf_append_format(out, " writes %" PRIu64, op->value);
	if (shown->is_write && shown->knows_old)
		buf_append_format(out, " over %" PRIu64, op->old);
	if (!sim_op_is_write(op))
		buf_append_format(out, " sees %" PRIu64, op->value);
	buf_append_format(out, "  (%" PRIu32 " attempts, %s)\n", op->attempt_count, status_name(op->status));
}

/* The shortest history found that is wrong already. */
static void print_shortest(struct sim_cluster *cluster, const struct item_history *history)
{
	struct linear_op *shortest = calloc(history->op_count + 1, sizeof(*shortest));
	size_t *indices = calloc(history->op_count + 1, sizeof(*indices));
	size_t count;

	CHECK(shortest != NULL && indices != NULL);
	count = linear_shorten(history->ops, history->op_count, STEPS_SHORTEN_MAX, shortest, indices);
	buf_append_format(&cluster->report,
			  "  %zu of %zu operations show it: begin, end (virtual seconds); 0 means absent\n",
			  count, history->op_count);
	for (size_t i = 0; i < count; i++)
		print_op(&cluster->report, &cluster->workload.ops[history->indices[indices[i]]],
			 &shortest[i]);
	free(shortest);
	free(indices);
}

static void check_key(struct sim_cluster *cluster, uint32_t key, struct item_history *history)
{
	const struct sim_workload *workload = &cluster->workload;
	enum linear_verdict verdict;

	history->op_count = 0;
	for (size_t i = 0; i < workload->op_count; i++) {
		if (workload->ops[i].key != key ||
		    !to_linear(history, &workload->ops[i], &history->ops[history->op_count]))
			continue;
		history->indices[history->op_count++] = i;
	}
	verdict = linear_check(history->ops, history->op_count, STEPS_MAX);
	if (verdict == LINEAR_OK)
		return;
	if (verdict == LINEAR_UNKNOWN) {
		sim_cluster_fail(
			cluster, "undecided: %s of table %" PRIu32 ": %zu operations need over %d steps",
			workload->keys[key].name, workload->keys[key].table_id, history->op_count, STEPS_MAX);
		return;
	}
	sim_cluster_fail(cluster, "not linearizable: %s of table %" PRIu32, workload->keys[key].name,
			 workload->keys[key].table_id);
	print_shortest(cluster, history);
}

static void note_shown(const struct sim_workload *workload, uint64_t *shown_us)
{
	for (uint64_t value = 0; value <= workload->next_value; value++)
		shown_us[value] = UINT64_MAX;
	for (size_t i = 0; i < workload->op_count; i++) {
		const struct sim_op *op = &workload->ops[i];

		if (op->kind == SIM_READ_EVENTUAL && op->outcome == SIM_DONE &&
		    op->value <= workload->next_value && op->return_us < shown_us[op->value])
			shown_us[op->value] = op->return_us;
	}
}

static void check_linearizable(struct sim_cluster *cluster)
{
	const struct sim_workload *workload = &cluster->workload;
	struct item_history history = {
		.ops = calloc(workload->op_count + 1, sizeof(*history.ops)),
		.indices = calloc(workload->op_count + 1, sizeof(*history.indices)),
		.shown_us = calloc(workload->next_value + 1, sizeof(*history.shown_us)),
	};

	CHECK(history.ops != NULL && history.indices != NULL && history.shown_us != NULL);
	note_shown(workload, history.shown_us);
	for (uint32_t key = 0; key < cluster->workload.key_count && !sim_cluster_has_failed(cluster); key++)
		check_key(cluster, key, &history);
	free(history.ops);
	free(history.indices);
	free(history.shown_us);
}

/* --- eventual reads --- */

static void check_eventual(struct sim_cluster *cluster)
{
	const struct sim_workload *workload = &cluster->workload;
	const struct sim_op **writers = calloc(workload->next_value + 1, sizeof(*writers));

	CHECK(writers != NULL);
	for (size_t i = 0; i < workload->op_count; i++) {
		if (sim_op_is_put(&workload->ops[i]))
			writers[workload->ops[i].value] = &workload->ops[i];
	}
	for (size_t i = 0; i < workload->op_count; i++) {
		const struct sim_op *op = &workload->ops[i];
		const struct sim_op *writer;

		if (op->kind != SIM_READ_EVENTUAL || op->outcome != SIM_DONE || op->value == 0)
			continue;
		writer = op->value <= workload->next_value ? writers[op->value] : NULL;
		if (writer != NULL && writer->key == op->key && writer->outcome != SIM_FAILED &&
		    writer->outcome != SIM_REFUSED && writer->call_us <= op->return_us)
			continue;
		sim_cluster_fail(cluster,
				 "an eventual read of %s in table %" PRIu32 " at %.6f saw %" PRIu64
				 ", which was never written there",
				 workload->keys[op->key].name, workload->keys[op->key].table_id,
				 seconds(op->call_us), op->value);
	}
	free(writers);
}

void sim_history_check(struct sim_cluster *cluster)
{
	if (cluster->workload.problem[0] != '\0')
		sim_cluster_fail(cluster, "%s", cluster->workload.problem);
	if (cluster->counters.problem[0] != '\0')
		sim_cluster_fail(cluster, "%s", cluster->counters.problem);
	if (cluster->tables.problem[0] != '\0')
		sim_cluster_fail(cluster, "%s", cluster->tables.problem);
	if (cluster->index.problem[0] != '\0')
		sim_cluster_fail(cluster, "%s", cluster->index.problem);
	if (!sim_cluster_has_failed(cluster))
		check_linearizable(cluster);
	if (!sim_cluster_has_failed(cluster))
		check_eventual(cluster);
	if (!sim_cluster_has_failed(cluster))
		sim_counters_check(&cluster->counters, &cluster->report);
	if (!sim_cluster_has_failed(cluster))
		sim_tables_check(&cluster->tables, &cluster->report);
}
