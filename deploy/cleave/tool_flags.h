/* The flags of the commands that speak to a cluster.
 *
 * All share the flags that name the cluster; each adds its own.  A lab's file (--lab) holds lines
 * like CLEAVE_SEEDS=1@127.0.0.1:7001 and counts as if they stood in the environment.
 *
 * Threads  start-up only: it changes the environment.
 * Memory   strings live as long as the process.
 * Errors   printed; the caller exits with what it is given.
 */
#ifndef DEPLOY_CLEAVE_TOOL_FLAGS_H
#define DEPLOY_CLEAVE_TOOL_FLAGS_H

#include "proto/base/config.h"

enum { TOOL_FLAGS_OWN_MAX = 8, TOOL_FLAGS_LAB_SIZE_MAX = 64 * 1024 };

/* As typed; a command looks at the members its options name. */
struct tool_flags {
	const char *lab;
	const char *seeds;
	const char *cluster_id;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	bool is_insecure;
	bool is_json;
	const char *table;
	uint64_t partition_id;
	uint64_t to_node_id;
	uint64_t node_id;
	uint64_t replica_id;
	uint64_t per_million;
	uint64_t delay_ms;
	unsigned action;
	struct config_list words;
};

#define TOOL_FLAG(member) offsetof(struct tool_flags, member)

#define TOOL_FLAG_JSON                                                                                       \
	{                                                                                                    \
		"json", NULL, "Print JSON instead of text", NULL, NULL, CONFIG_FLAG, false,                  \
			TOOL_FLAG(is_json), 0, 0                                                             \
	}

/* spec holds the command's own options, at most TOOL_FLAGS_OWN_MAX; flags is zeroed.  True: go on.
 * False: all is said, exit with *exit_code_out. */
bool tool_flags_parse(const struct config_spec *spec, int argc, char **argv, struct tool_flags *flags,
		      int *exit_code_out);

/* Put a lab file's lines into the environment.  Names that do not start with CLEAVE_ are left alone,
 * blank lines and those that start with # are skipped.  ST_INVALID: a line is none of these. */
enum status tool_flags_apply_lab(struct slice text) MUST_CHECK;

#endif
