/* The commands that look at a cluster: connect, survey, print, judge.
 *
 * Threads  one.
 * Errors   printed; the exit code is tool_view_run()'s result.
 */
#ifndef DEPLOY_CLEAVE_TOOL_VIEW_H
#define DEPLOY_CLEAVE_TOOL_VIEW_H

#include "coordinator/json/json_writer.h"
#include "deploy/cleave/tool_flags.h"
#include "deploy/cleave/tool_survey.h"
#include "deploy/cleave/tool_text.h"

struct tool_view {
	struct config_spec spec;
	void (*print_text)(const struct tool_survey *survey, const struct tool_flags *flags, struct buf *out);
	/* One value; the line's end is added. */
	void (*print_json)(const struct tool_survey *survey, const struct tool_flags *flags,
			   struct json_writer *writer);
	/* The exit code, having said why if it is not 0.  NULL: always 0. */
	int (*judge)(const struct tool_survey *survey, const struct tool_flags *flags);
};

int tool_view_run(const struct tool_view *view, int argc, char **argv);

#endif
