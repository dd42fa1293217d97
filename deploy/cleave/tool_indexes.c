/* cleave indexes: one line per global index, and how far its backfill is. */
#include <inttypes.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_view.h"

static const char *state_name(const struct table_index *index)
{
	static const char *const names[] = {
		[INDEX_CREATING] = "CREATING",
		[INDEX_ACTIVE] = "ACTIVE",
		[INDEX_UPDATING] = "UPDATING",
		[INDEX_DELETING] = "DELETING",
	};

	return index->is_backfilling ? "BACKFILLING" : names[index->state];
}

/* From one global index of any table to the next. */
struct walk {
	size_t table_at;
	uint32_t cursor;
	const struct table_info *table; /* of the index that it is at */
};

static const struct table_index *next_index(const struct tool_survey *survey, struct walk *walk)
{
	const struct table_index *index = NULL;

	while (index == NULL &&
	       (walk->table = catalog_state_table_at(survey->state, walk->table_at)) != NULL) {
		index = table_indexes_next(walk->table->indexes, false, &walk->cursor);
		if (index == NULL) {
			walk->table_at++;
			walk->cursor = 0;
		}
	}
	return index;
}

static void print_text(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out)
{
	static const char *const heads[] = {
		"TABLE", "INDEX", "ID", "STATE", "BACKFILLED", "PARTITIONS", NULL
	};
	const struct table_index *index;
	struct walk walk = { .table_at = 0 };
	struct tool_text text;

	(void)flags; /* indexes has none of its own */
	tool_text_init(&text, heads);
	while ((index = next_index(survey, &walk)) != NULL) {
		struct tool_index_progress progress = tool_survey_index_progress(survey, index,
										 walk.table->table_id);

		tool_text_cell(&text, "%s", walk.table->name);
		tool_text_cell(&text, "%s", index->name);
		tool_text_cell(&text, "%" PRIu32, index->table_id);
		tool_text_cell(&text, "%s", state_name(index));
		tool_text_cell(&text, "%" PRIu32 "%%", progress.percent);
		tool_text_cell(&text, "%zu of %zu", progress.fed_count, progress.partition_count);
	}
	tool_text_print(&text, out);
	tool_text_close(&text);
}

static void print_json(const struct tool_survey *survey, const struct tool_flags *flags,
		       struct json_writer *writer)
{
	const struct table_index *index;
	struct walk walk = { .table_at = 0 };

	(void)flags; /* as above */
	json_writer_object_start(writer);
	json_writer_key(writer, "indexes");
	json_writer_list_start(writer);
	while ((index = next_index(survey, &walk)) != NULL) {
		struct tool_index_progress progress = tool_survey_index_progress(survey, index,
										 walk.table->table_id);

		json_writer_object_start(writer);
		json_writer_member_text(writer, "table", walk.table->name);
		json_writer_member_text(writer, "index", index->name);
		json_writer_member_int(writer, "table_id", index->table_id);
		json_writer_member_text(writer, "state", state_name(index));
		json_writer_member_int(writer, "backfilled_percent", progress.percent);
		json_writer_member_int(writer, "partitions_fed", (int64_t)progress.fed_count);
		json_writer_member_int(writer, "partitions", (int64_t)progress.partition_count);
		json_writer_object_end(writer);
	}
	json_writer_list_end(writer);
	json_writer_object_end(writer);
}

static const struct config_option options[] = { TOOL_FLAG_JSON };

static const struct tool_view view = {
	.spec = {
		.program = "cleave indexes",
		.summary = "The cluster's global indexes and how far those that are being made have been filled.",
		.options = options,
		.option_count = ARRAY_COUNT(options),
	},
	.print_text = print_text,
	.print_json = print_json,
};

int tool_indexes_run(int argc, char **argv)
{
	return tool_view_run(&view, argc, argv);
}
