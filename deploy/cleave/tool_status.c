/* cleave status: one screen and a verdict. */
#include <inttypes.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_view.h"

static size_t count_problems(const struct tool_survey *survey)
{
	return survey->problem_count + survey->more_problem_count;
}

static void print_problems(const struct tool_survey *survey, struct buf *out)
{
	size_t wrong_count = count_problems(survey);

	if (wrong_count == 0)
		buf_append_string(out, "healthy\n");
	else
		buf_append_format(out, "WRONG: %zu problem%s\n", wrong_count, wrong_count == 1 ? "" : "s");
	for (size_t i = 0; i < survey->problem_count; i++)
		buf_append_format(out, "  - %s\n", survey->problems[i]);
	if (survey->more_problem_count > 0)
		buf_append_format(out, "  - and %zu more\n", survey->more_problem_count);
}

static void print_text(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out)
{
	(void)flags; /* status has none of its own */
	print_problems(survey, out);
	buf_append_format(out, "nodes       %zu, %zu reachable, %zu ready\n", survey->node_count,
			  survey->reachable_count, survey->ready_count);
	buf_append_format(out, "catalog     version %" PRIu64 ", ", survey->catalog_version);
	if (survey->catalog.leader_node_id == 0)
		buf_append_string(out, "no leader\n");
	else
		buf_append_format(out, "led by node %" PRIu64 "\n", survey->catalog.leader_node_id);
	buf_append_format(out, "tables      %zu, %zu usable\n", survey->state->table_count,
			  survey->usable_table_count);
	buf_append_format(out, "partitions  %zu, %zu with a leader, %zu with all replicas\n",
			  survey->partition_count, survey->led_count, survey->whole_count);
}

static void print_counts(const struct tool_survey *survey, struct json_writer *writer)
{
	json_writer_key(writer, "catalog");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "version", (int64_t)survey->catalog_version);
	json_writer_member_int(writer, "leader_node_id", (int64_t)survey->catalog.leader_node_id);
	json_writer_object_end(writer);
	json_writer_key(writer, "nodes");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "total", (int64_t)survey->node_count);
	json_writer_member_int(writer, "reachable", (int64_t)survey->reachable_count);
	json_writer_member_int(writer, "ready", (int64_t)survey->ready_count);
	json_writer_object_end(writer);
	json_writer_key(writer, "tables");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "total", (int64_t)survey->state->table_count);
	json_writer_member_int(writer, "usable", (int64_t)survey->usable_table_count);
	json_writer_object_end(writer);
	json_writer_key(writer, "partitions");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "total", (int64_t)survey->partition_count);
	json_writer_member_int(writer, "led", (int64_t)survey->led_count);
	json_writer_member_int(writer, "whole", (int64_t)survey->whole_count);
	json_writer_object_end(writer);
}

static void print_json(const struct tool_survey *survey, const struct tool_flags *flags,
		       struct json_writer *writer)
{
	(void)flags; /* as above */
	json_writer_object_start(writer);
	json_writer_member_bool(writer, "healthy", count_problems(survey) == 0);
	json_writer_member_int(writer, "problem_count", (int64_t)count_problems(survey));
	json_writer_key(writer, "problems");
	json_writer_list_start(writer);
	for (size_t i = 0; i < survey->problem_count; i++)
		json_writer_string(writer, slice_of_string(survey->problems[i]));
	json_writer_list_end(writer);
	print_counts(survey, writer);
	json_writer_object_end(writer);
}

static int judge(const struct tool_survey *survey, const struct tool_flags *flags)
{
	(void)flags; /* as above */
	return count_problems(survey) == 0 ? CLEAVE_EXIT_OK : CLEAVE_EXIT_FAILED;
}

static const struct config_option options[] = { TOOL_FLAG_JSON };

static const struct tool_view view = {
	.spec = {
		.program = "cleave status",
		.summary = "What the cluster is, and what is wrong with it; exit status 1 if something is.",
		.options = options,
		.option_count = ARRAY_COUNT(options),
	},
	.print_text = print_text,
	.print_json = print_json,
	.judge = judge,
};

int tool_status_run(int argc, char **argv)
{
	return tool_view_run(&view, argc, argv);
}
