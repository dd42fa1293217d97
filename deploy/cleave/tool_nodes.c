/* cleave nodes: one line per node. */
#include <inttypes.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_view.h"

static void add_row(struct tool_text *text, const struct tool_node *node)
{
	char uptime[TOOL_TEXT_UPTIME_SIZE];

	tool_text_cell(text, "%" PRIu64, node->node_id);
	tool_text_cell(text, "%s", node->zone[0] == '\0' ? "-" : node->zone);
	tool_text_cell(text, "%s:%u", node->host, node->port);
	tool_text_cell(text, "%s", tool_survey_node_state(node));
	if (node->reply == NULL) {
		for (size_t i = 0; i < 4; i++)
			tool_text_cell(text, "-");
		tool_text_cell(text, "%s", status_name(node->status));
		return;
	}
	tool_text_uptime(node->reply->uptime_ms, uptime);
	tool_text_cell(text, "%zu", node->reply->n_replicas);
	tool_text_cell(text, "%" PRIu64, node->leader_count);
	tool_text_cell(text, "%s", uptime);
	tool_text_cell(text, "%s", node->reply->build_version);
	tool_text_cell(text, "%s", node->reply->problem);
}

static void print_text(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out)
{
	static const char *const heads[] = { "NODE",    "ZONE",   "ADDRESS", "STATE",   "REPLICAS",
					     "LEADERS", "UPTIME", "VERSION", "PROBLEM", NULL };
	struct tool_text text;

	(void)flags; /* nodes has none of its own */
	tool_text_init(&text, heads);
	for (size_t i = 0; i < survey->node_count; i++)
		add_row(&text, &survey->nodes[i]);
	tool_text_print(&text, out);
	tool_text_close(&text);
}

static void print_node(struct json_writer *writer, const struct tool_node *node)
{
	const Cleave__NodeStatusReply *reply = node->reply;

	json_writer_object_start(writer);
	json_writer_member_int(writer, "node_id", (int64_t)node->node_id);
	json_writer_member_text(writer, "zone", node->zone);
	json_writer_member_text(writer, "host", node->host);
	json_writer_member_int(writer, "port", node->port);
	json_writer_member_text(writer, "state", tool_survey_node_state(node));
	json_writer_member_text(writer, "status", status_name(node->status));
	json_writer_member_bool(writer, "is_reachable", reply != NULL);
	if (reply != NULL) {
		json_writer_member_text(writer, "problem", reply->problem);
		json_writer_member_int(writer, "replicas", (int64_t)reply->n_replicas);
		json_writer_member_int(writer, "leaders", (int64_t)node->leader_count);
		json_writer_member_int(writer, "uptime_ms", (int64_t)reply->uptime_ms);
		json_writer_member_int(writer, "catalog_version", (int64_t)reply->catalog_version);
		json_writer_member_text(writer, "build_version", reply->build_version);
	}
	json_writer_object_end(writer);
}

static void print_json(const struct tool_survey *survey, const struct tool_flags *flags,
		       struct json_writer *writer)
{
	(void)flags; /* as above */
	json_writer_object_start(writer);
	json_writer_key(writer, "nodes");
	json_writer_list_start(writer);
	for (size_t i = 0; i < survey->node_count; i++)
		print_node(writer, &survey->nodes[i]);
	json_writer_list_end(writer);
	json_writer_object_end(writer);
}

static const struct config_option options[] = { TOOL_FLAG_JSON };

static const struct tool_view view = {
	.spec = {
		.program = "cleave nodes",
		.summary = "The cluster's nodes: where they are, how they are, what they hold.",
		.options = options,
		.option_count = ARRAY_COUNT(options),
	},
	.print_text = print_text,
	.print_json = print_json,
};

int tool_nodes_run(int argc, char **argv)
{
	return tool_view_run(&view, argc, argv);
}
