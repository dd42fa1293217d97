/* cleave fault: make a step of a node fail or wait, or all steps work again. */
#include <inttypes.h>
#include <stdio.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_cluster.h"
#include "proto/base/fault.h"
#include "proto/wire/methods.h"

enum { PER_MILLION_MAX = 1000000, DELAY_MS_MAX = 3600 * 1000, BODY_SIZE_MAX = 256, POINT_SIZE_MAX = 64 };

static const struct config_option options[] = {
	{ "node", "N", "Which node", NULL, NULL, CONFIG_U64, true, TOOL_FLAG(node_id), 1, 0 },
	{ "per-million", "P", "How many of a million times the step fails", NULL, NULL, CONFIG_U64, false,
	  TOOL_FLAG(per_million), 0, PER_MILLION_MAX },
	{ "delay-ms", "D", "How many milliseconds the step waits", NULL, NULL, CONFIG_U64, false,
	  TOOL_FLAG(delay_ms), 0, DELAY_MS_MAX },
};

static const struct config_spec spec = {
	.program = "cleave fault",
	.summary = "Make a step of a node fail or wait, for drills.  A point without numbers works again;\n"
		   "without a point, all do.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
	.word_name = "[POINT]",
	.word_count_min = 0,
	.word_count_max = 1,
	.words_offset = TOOL_FLAG(words),
};

/* "" for all; false: there is no such point, and it is said which there are. */
static bool read_point(const struct tool_flags *flags, char out[POINT_SIZE_MAX])
{
	struct slice word = flags->words.count == 0 ? slice_of("", 0) : flags->words.items[0];

	(void)snprintf(out, POINT_SIZE_MAX, "%.*s", (int)word.size, (const char *)word.data);
	if (word.size == 0 || (word.size < POINT_SIZE_MAX && fault_parse(out) != FAULT_NONE))
		return true;
	(void)fprintf(stderr, "%s: there is no point '%s'; there are:", spec.program, out);
	for (int point = FAULT_NONE + 1; point < FAULT_COUNT; point++)
		(void)fprintf(stderr, " %s", fault_name((enum fault_point)point));
	(void)fputc('\n', stderr);
	return false;
}

static enum status ask_node(struct tool_cluster *cluster, const struct tool_flags *flags, char *point)
{
	Cleave__FaultRequest request = CLEAVE__FAULT_REQUEST__INIT;
	uint8_t body[BODY_SIZE_MAX];

	request.point = point;
	request.per_million = (uint32_t)flags->per_million;
	request.delay_ms = (uint32_t)flags->delay_ms;
	CHECK(cleave__fault_request__get_packed_size(&request) <= sizeof(body));
	return tool_cluster_call(cluster, flags->node_id, METHOD_NODE_FAULT,
				 slice_of(body, cleave__fault_request__pack(&request, body)));
}

static void say(const struct tool_flags *flags, const char *point)
{
	if (point[0] == '\0')
		(void)printf("node %" PRIu64 ": all fault points are cleared\n", flags->node_id);
	else if (flags->per_million == 0 && flags->delay_ms == 0)
		(void)printf("node %" PRIu64 ": %s is cleared\n", flags->node_id, point);
	else
		(void)printf("node %" PRIu64 ": %s is armed: it fails %" PRIu64
			     " times in a million, its delay is %" PRIu64 " ms\n",
			     flags->node_id, point, flags->per_million, flags->delay_ms);
}

static int arm(struct tool_cluster *cluster, const struct tool_flags *flags, char *point)
{
	int exit_code;

	if (!tool_cluster_connect(cluster, flags->node_id))
		return CLEAVE_EXIT_FAILED;
	exit_code = tool_cluster_report(cluster, flags->node_id, ask_node(cluster, flags, point));
	if (exit_code == CLEAVE_EXIT_OK)
		say(flags, point);
	return exit_code;
}

int tool_fault_run(int argc, char **argv)
{
	struct tool_flags flags = { .lab = NULL };
	struct tool_cluster cluster;
	char point[POINT_SIZE_MAX];
	int exit_code;

	if (!tool_flags_parse(&spec, argc, argv, &flags, &exit_code))
		return exit_code;
	if (!read_point(&flags, point))
		return CLEAVE_EXIT_USAGE;
	if (!tool_cluster_open(&cluster, spec.program, &flags))
		return CLEAVE_EXIT_FAILED;
	exit_code = arm(&cluster, &flags, point);
	tool_cluster_close(&cluster);
	return exit_code;
}
