/* Command-line flags and environment variables, read once into the caller's struct.
 *
 *   --data-dir /var/lib/cleave   --data-dir=/var/lib/cleave   CLEAVE_DATA_DIR=/var/lib/cleave
 *   --verbose   --verbose=false   CLEAVE_VERBOSE=true
 *
 * A flag wins over the environment, the environment over the default.  The program passes
 * the filled struct on as const; nothing reads flags or the environment afterwards.
 *
 * Threads  start-up only.
 * Memory   strings are borrowed from argv, the environment and the table: they live as long
 *          as the process.
 * Errors   message_out always holds what to print: on ST_CANCELED the help or version text
 *          (standard output, exit 0), on ST_INVALID what is wrong and what to do about it
 *          (standard error, exit 2).
 */
#ifndef PROTO_BASE_CONFIG_H
#define PROTO_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"

enum config_kind {
	CONFIG_STRING, /* const char * */
	CONFIG_LIST,   /* struct config_list: the flag may be repeated; commas separate in the environment */
	CONFIG_FLAG,   /* bool */
	CONFIG_U64,    /* uint64_t within [min, max] */
	CONFIG_SIZE,   /* uint64_t of bytes within [min, max]: 4096, 64KB, 8MB, 2GB (powers of 1024) */
	CONFIG_MS,     /* uint64_t of milliseconds within [min, max]: 250ms, 5s, 2m, 1h; a unit is needed */
	CONFIG_CHOICE, /* unsigned: the index in choices */
};

enum { CONFIG_LIST_MAX = 32 };

struct config_list {
	struct slice items[CONFIG_LIST_MAX];
	size_t count;
};

struct config_option {
	const char *name;           /* "data-dir": --data-dir, CLEAVE_DATA_DIR */
	const char *value_name;     /* "DIR", for the help text; NULL for flags */
	const char *help;           /* one sentence */
	const char *default_text;   /* as a user would type it; NULL: the member starts zeroed */
	const char *const *choices; /* NULL-terminated, for CONFIG_CHOICE */
	enum config_kind kind;
	bool is_required;
	size_t offset; /* of the member in the target struct */
	uint64_t min;
	uint64_t max; /* 0: no upper limit */
};

struct config_spec {
	const char *program; /* "cleave-node" */
	const char *summary; /* one sentence */
	const struct config_option *options;
	size_t option_count;
	const char *word_name; /* of the arguments that are no flags, for the help text; NULL: none */
	size_t word_count_min;
	size_t word_count_max;
	size_t words_offset; /* of a struct config_list in the target, if word_count_max > 0 */
};

/* Fill target, which the caller has zeroed.  Besides the table's flags, --help and --version
 * are known.  "--" ends the flags. */
enum status config_parse(const struct config_spec *spec, int argc, char *const *argv, void *target,
			 struct buf *message_out) MUST_CHECK;

/* The text of --help. */
void config_print_help(const struct config_spec *spec, struct buf *out);

#endif
