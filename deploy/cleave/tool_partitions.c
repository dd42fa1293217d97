/* cleave partitions: one line per replica, the partition's own columns on its first. */
#include <inttypes.h>
#include <stdio.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_view.h"

static struct tool_table_name table_name(const struct tool_survey *survey,
					 const struct tool_partition *partition)
{
	if (partition->table == NULL)
		return (struct tool_table_name){ "(catalog)" };
	return tool_survey_table_name(survey->state, partition->table);
}

static bool is_wanted(const struct tool_survey *survey, const struct tool_partition *partition,
		      const struct tool_flags *flags)
{
	struct tool_table_name name = table_name(survey, partition);

	return flags->table == NULL || strcmp(flags->table, name.text) == 0;
}

/* --- text --- */

static void add_partition_cells(struct tool_text *text, const struct tool_survey *survey,
				const struct tool_partition *partition)
{
	struct tool_table_name name = table_name(survey, partition);

	tool_text_cell(text, "%" PRIu64, partition->partition_id);
	tool_text_cell(text, "%s", name.text);
	if (partition->table == NULL) {
		tool_text_cell(text, "-");
		tool_text_cell(text, "-");
	} else {
		tool_text_cell(text, "%s..%s", partition->range_start,
			       partition->range_end[0] == '\0' ? "end" : partition->range_end);
		tool_text_cell(text, "%" PRIu32, partition->epoch);
	}
	if (partition->leader_node_id == 0)
		tool_text_cell(text, "none");
	else
		tool_text_cell(text, "%" PRIu64, partition->leader_node_id);
}

static void add_replica_cells(struct tool_text *text, const struct tool_replica *replica, bool is_extra)
{
	tool_text_cell(text, "%" PRIu64, replica->node_id);
	tool_text_cell(text, "%s%s", replica->state, is_extra ? " (unlisted)" : "");
	if (!replica->is_known) {
		for (size_t i = 0; i < 3; i++)
			tool_text_cell(text, "-");
		return;
	}
	tool_text_cell(text, "%" PRIu64, replica->term);
	tool_text_cell(text, "%" PRIu64, replica->applied_index);
	if (replica->has_lag)
		tool_text_cell(text, "%" PRIu64, replica->lag);
	else
		tool_text_cell(text, "?");
}

enum { PARTITION_COLUMNS = 5, REPLICA_COLUMNS = 5 };

static void add_rows(struct tool_text *text, const struct tool_survey *survey,
		     const struct tool_partition *partition)
{
	add_partition_cells(text, survey, partition);
	for (size_t i = 0; i < partition->replica_count; i++) {
		const struct tool_replica *replica = &partition->replicas[i];

		for (size_t c = 0; i > 0 && c < PARTITION_COLUMNS; c++)
			tool_text_cell(text, "%s", "");
		add_replica_cells(text, replica, partition->table != NULL && !replica->is_listed);
	}
	for (size_t c = 0; partition->replica_count == 0 && c < REPLICA_COLUMNS; c++)
		tool_text_cell(text, "-");
}

static void print_text(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out)
{
	static const char *const heads[] = { "PARTITION", "TABLE", "TOKENS",  "EPOCH", "LEADER", "NODE",
					     "STATE",     "TERM",  "APPLIED", "LAG",   NULL };
	struct tool_text text;

	tool_text_init(&text, heads);
	if (is_wanted(survey, &survey->catalog, flags))
		add_rows(&text, survey, &survey->catalog);
	for (size_t i = 0; i < survey->partition_count; i++) {
		if (is_wanted(survey, &survey->partitions[i], flags))
			add_rows(&text, survey, &survey->partitions[i]);
	}
	tool_text_print(&text, out);
	tool_text_close(&text);
}

/* --- JSON --- */

static void print_replica(struct json_writer *writer, const struct tool_replica *replica)
{
	json_writer_object_start(writer);
	json_writer_member_int(writer, "replica_id", (int64_t)replica->replica_id);
	json_writer_member_int(writer, "node_id", (int64_t)replica->node_id);
	json_writer_member_text(writer, "state", replica->state);
	json_writer_member_bool(writer, "is_listed", replica->is_listed);
	if (replica->is_known) {
		json_writer_member_int(writer, "term", (int64_t)replica->term);
		json_writer_member_int(writer, "applied_index", (int64_t)replica->applied_index);
		json_writer_member_int(writer, "last_index", (int64_t)replica->last_index);
	}
	if (replica->has_lag)
		json_writer_member_int(writer, "lag", (int64_t)replica->lag);
	json_writer_object_end(writer);
}

static void print_range(struct json_writer *writer, const struct tool_partition *partition)
{
	json_writer_member_int(writer, "table_id", partition->table_id);
	json_writer_member_int(writer, "epoch", partition->epoch);
	json_writer_member_text(writer, "range_start_token", partition->range_start);
	json_writer_key(writer, "range_end_token");
	if (partition->range_end[0] == '\0')
		json_writer_null(writer);
	else
		json_writer_string(writer, slice_of_string(partition->range_end));
}

static void print_partition(struct json_writer *writer, const struct tool_survey *survey,
			    const struct tool_partition *partition)
{
	struct tool_table_name name = table_name(survey, partition);

	json_writer_object_start(writer);
	json_writer_member_int(writer, "partition_id", (int64_t)partition->partition_id);
	json_writer_member_text(writer, "table", name.text);
	if (partition->table != NULL)
		print_range(writer, partition);
	json_writer_member_int(writer, "leader_node_id", (int64_t)partition->leader_node_id);
	json_writer_key(writer, "replicas");
	json_writer_list_start(writer);
	for (size_t i = 0; i < partition->replica_count; i++)
		print_replica(writer, &partition->replicas[i]);
	json_writer_list_end(writer);
	json_writer_object_end(writer);
}

static void print_json(const struct tool_survey *survey, const struct tool_flags *flags,
		       struct json_writer *writer)
{
	json_writer_object_start(writer);
	json_writer_key(writer, "catalog");
	print_partition(writer, survey, &survey->catalog);
	json_writer_key(writer, "partitions");
	json_writer_list_start(writer);
	for (size_t i = 0; i < survey->partition_count; i++) {
		if (is_wanted(survey, &survey->partitions[i], flags))
			print_partition(writer, survey, &survey->partitions[i]);
	}
	json_writer_list_end(writer);
	json_writer_object_end(writer);
}

/* --- the command --- */

static int judge(const struct tool_survey *survey, const struct tool_flags *flags)
{
	if (flags->table == NULL || is_wanted(survey, &survey->catalog, flags) ||
	    catalog_state_table_named(survey->state, slice_of_string(flags->table)) != NULL)
		return CLEAVE_EXIT_OK;
	for (size_t i = 0; i < survey->partition_count; i++) {
		if (is_wanted(survey, &survey->partitions[i], flags))
			return CLEAVE_EXIT_OK; /* an index */
	}
	(void)fprintf(stderr, "cleave partitions: there is no table %s; see: cleave tables\n", flags->table);
	return CLEAVE_EXIT_FAILED;
}

static const struct config_option options[] = {
	{ "table", "NAME", "Only this table's, or global index's: TABLE/INDEX", NULL, NULL, CONFIG_STRING,
	  false, TOOL_FLAG(table), 0, 0 },
	TOOL_FLAG_JSON,
};

static const struct tool_view view = {
	.spec = {
		.program = "cleave partitions",
		.summary = "The cluster's partitions, their ranges of tokens and where their replicas stand.",
		.options = options,
		.option_count = ARRAY_COUNT(options),
	},
	.print_text = print_text,
	.print_json = print_json,
	.judge = judge,
};

int tool_partitions_run(int argc, char **argv)
{
	return tool_view_run(&view, argc, argv);
}
