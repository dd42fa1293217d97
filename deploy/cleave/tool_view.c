#include "deploy/cleave/tool_view.h"

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_cluster.h"

static int show(const struct tool_view *view, const struct tool_survey *survey,
		const struct tool_flags *flags)
{
	struct json_writer writer;
	struct buf out;
	bool is_printed;

	buf_init(&out, TOOL_TEXT_SIZE_MAX);
	if (flags->is_json) {
		json_writer_init(&writer, &out);
		view->print_json(survey, flags, &writer);
		buf_put_u8(&out, '\n');
	} else {
		view->print_text(survey, flags, &out);
	}
	is_printed = tool_text_flush(&out);
	buf_close(&out);
	if (!is_printed)
		return CLEAVE_EXIT_FAILED;
	return view->judge == NULL ? CLEAVE_EXIT_OK : view->judge(survey, flags);
}

int tool_view_run(const struct tool_view *view, int argc, char **argv)
{
	struct tool_flags flags = { .lab = NULL };
	struct tool_cluster cluster;
	struct tool_survey survey;
	int exit_code;

	if (!tool_flags_parse(&view->spec, argc, argv, &flags, &exit_code))
		return exit_code;
	if (!tool_cluster_open(&cluster, view->spec.program, &flags))
		return CLEAVE_EXIT_FAILED;
	exit_code = CLEAVE_EXIT_FAILED;
	if (tool_cluster_survey(&cluster, &survey))
		exit_code = show(view, &survey, &flags);
	tool_cluster_close(&cluster);
	return exit_code;
}
