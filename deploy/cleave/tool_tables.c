/* cleave tables: one line per table. */
#include <inttypes.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_view.h"

static const char *state_name(enum table_state state)
{
	static const char *const names[] = {
		[TABLE_CREATING] = "CREATING",
		[TABLE_ACTIVE] = "ACTIVE",
		[TABLE_UPDATING] = "UPDATING",
		[TABLE_DELETING] = "DELETING",
	};

	return names[state];
}

static const char *billing_name(const struct table_info *table)
{
	return table->is_on_demand ? "PAY_PER_REQUEST" : "PROVISIONED";
}

static void print_text(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out)
{
	static const char *const heads[] = { "TABLE",   "ID",         "STATE",       "PARTITIONS",
					     "BILLING", "READ UNITS", "WRITE UNITS", NULL };
	const struct table_info *table;
	struct tool_text text;

	(void)flags; /* tables has none of its own */
	tool_text_init(&text, heads);
	for (size_t i = 0; (table = catalog_state_table_at(survey->state, i)) != NULL; i++) {
		struct tool_table_name name = tool_survey_table_name(survey->state, table);

		tool_text_cell(&text, "%s", name.text);
		tool_text_cell(&text, "%" PRIu32, table->table_id);
		tool_text_cell(&text, "%s", state_name(table->state));
		tool_text_cell(&text, "%zu", catalog_state_partition_count(survey->state, table->table_id));
		tool_text_cell(&text, "%s", billing_name(table));
		tool_text_cell(&text, "%" PRIu64, table->read_units);
		tool_text_cell(&text, "%" PRIu64, table->write_units);
	}
	tool_text_print(&text, out);
	tool_text_close(&text);
}

static void print_table(struct json_writer *writer, const struct tool_survey *survey,
			const struct table_info *table)
{
	struct tool_table_name name = tool_survey_table_name(survey->state, table);

	json_writer_object_start(writer);
	json_writer_member_text(writer, "name", name.text);
	json_writer_member_int(writer, "table_id", table->table_id);
	json_writer_member_text(writer, "state", state_name(table->state));
	json_writer_member_int(writer, "partitions",
			       (int64_t)catalog_state_partition_count(survey->state, table->table_id));
	json_writer_member_text(writer, "billing_mode", billing_name(table));
	json_writer_member_int(writer, "read_units", (int64_t)table->read_units);
	json_writer_member_int(writer, "write_units", (int64_t)table->write_units);
	json_writer_object_end(writer);
}

static void print_json(const struct tool_survey *survey, const struct tool_flags *flags,
		       struct json_writer *writer)
{
	const struct table_info *table;

	(void)flags; /* as above */
	json_writer_object_start(writer);
	json_writer_key(writer, "tables");
	json_writer_list_start(writer);
	for (size_t i = 0; (table = catalog_state_table_at(survey->state, i)) != NULL; i++)
		print_table(writer, survey, table);
	json_writer_list_end(writer);
	json_writer_object_end(writer);
}

static const struct config_option options[] = { TOOL_FLAG_JSON };

static const struct tool_view view = {
	.spec = {
		.program = "cleave tables",
		.summary = "The cluster's tables.",
		.options = options,
		.option_count = ARRAY_COUNT(options),
	},
	.print_text = print_text,
	.print_json = print_json,
};

int tool_tables_run(int argc, char **argv)
{
	return tool_view_run(&view, argc, argv);
}
