#include "deploy/cleave/tool_flags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "deploy/cleave/cleave.h"

enum { MESSAGE_SIZE_MAX = 64 * 1024, NAME_SIZE_MAX = 64, VALUE_SIZE_MAX = 4096 };

static const char name_prefix[] = "CLEAVE_";

static const struct config_option cluster_options[] = {
	{ "lab", "FILE", "A lab's lab.env: where the cluster is and how to be let in", NULL, NULL,
	  CONFIG_STRING, false, TOOL_FLAG(lab), 0, 0 },
	{ "seeds", "LIST", "The nodes that hold the catalog: 1@HOST:PORT,2@HOST:PORT,...", NULL, NULL,
	  CONFIG_STRING, false, TOOL_FLAG(seeds), 0, 0 },
	{ "cluster-id", "HEX", "32 hexadecimal digits", NULL, NULL, CONFIG_STRING, false,
	  TOOL_FLAG(cluster_id), 0, 0 },
	{ "tls-ca", "FILE", "The cluster's certificate authority", NULL, NULL, CONFIG_STRING, false,
	  TOOL_FLAG(tls_ca), 0, 0 },
	{ "tls-cert", "FILE", "The tool's certificate (common name tool)", NULL, NULL, CONFIG_STRING, false,
	  TOOL_FLAG(tls_cert), 0, 0 },
	{ "tls-key", "FILE", "Its private key", NULL, NULL, CONFIG_STRING, false, TOOL_FLAG(tls_key), 0, 0 },
	{ "insecure", NULL, "Plain TCP without certificates, for tests only", NULL, NULL, CONFIG_FLAG, false,
	  TOOL_FLAG(is_insecure), 0, 0 },
};

/* --- a lab's file --- */

static enum status apply_line(struct slice line)
{
	const uint8_t *equals = line.size == 0 ? NULL : memchr(line.data, '=', line.size);
	char name[NAME_SIZE_MAX];
	char value[VALUE_SIZE_MAX];
	size_t name_size;
	size_t value_size;

	if (line.size == 0 || line.data[0] == '#')
		return ST_OK;
	if (equals == NULL || equals == line.data)
		return ST_INVALID;
	name_size = (size_t)(equals - line.data);
	value_size = line.size - name_size - 1;
	if (name_size >= sizeof(name) || value_size >= sizeof(value) ||
	    memchr(line.data, '\0', line.size) != NULL)
		return ST_INVALID;
	(void)snprintf(name, sizeof(name), "%.*s", (int)name_size, (const char *)line.data);
	(void)snprintf(value, sizeof(value), "%.*s", (int)value_size, (const char *)equals + 1);
	if (strncmp(name, name_prefix, strlen(name_prefix)) != 0)
		return ST_OK;
	return setenv(name, value, 1) == 0 ? ST_OK : ST_NO_MEMORY;
}

enum status tool_flags_apply_lab(struct slice text)
{
	enum status status = ST_OK;

	while (text.size > 0 && status == ST_OK) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end == NULL ? text.size : (size_t)(end - text.data);
		size_t step = end == NULL ? size : size + 1;
		struct slice line = slice_of(text.data, size);

		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		status = apply_line(line);
		text = slice_of(text.data + step, text.size - step);
	}
	return status;
}

static bool read_lab(const char *program, const char *path)
{
	static char text[TOOL_FLAGS_LAB_SIZE_MAX];
	FILE *file = fopen(path, "re");
	bool is_too_big;
	size_t size;

	if (file == NULL) {
		(void)fprintf(stderr, "%s: cannot read %s: %s\n", program, path, strerror(errno));
		return false;
	}
	size = fread(text, 1, sizeof(text), file);
	is_too_big = size == sizeof(text) || ferror(file) != 0;
	(void)fclose(file); /* only read from */
	if (is_too_big || tool_flags_apply_lab(slice_of(text, size)) != ST_OK) {
		(void)fprintf(stderr, "%s: %s is not a lab's file: it has lines like CLEAVE_SEEDS=...\n",
			      program, path);
		return false;
	}
	return true;
}

/* --- parsing --- */

static bool parse_once(const struct config_spec *spec, int argc, char **argv, struct tool_flags *flags,
		       int *exit_code_out)
{
	struct buf message;
	enum status status;

	buf_init(&message, MESSAGE_SIZE_MAX);
	status = config_parse(spec, argc, argv, flags, &message);
	if (status == ST_CANCELED) {
		(void)fwrite(message.data, 1, message.size, stdout);
		*exit_code_out = CLEAVE_EXIT_OK;
	} else if (status != ST_OK) {
		(void)fprintf(stderr, "%s: %.*s", spec->program, (int)message.size,
			      (const char *)message.data);
		*exit_code_out = CLEAVE_EXIT_USAGE;
	}
	buf_close(&message);
	return status == ST_OK;
}

static bool check_cluster(const char *program, const struct tool_flags *flags)
{
	bool has_tls = flags->tls_ca != NULL && flags->tls_cert != NULL && flags->tls_key != NULL;

	if (flags->seeds == NULL || flags->cluster_id == NULL)
		(void)fprintf(stderr,
			      "%s: which cluster? Give --lab=FILE, or --seeds and --cluster-id, or set "
			      "CLEAVE_SEEDS and CLEAVE_CLUSTER_ID\n",
			      program);
	else if (!has_tls && !flags->is_insecure)
		(void)fprintf(stderr,
			      "%s: --tls-ca, --tls-cert and --tls-key are needed (or CLEAVE_TLS_CA, ...): "
			      "nodes talk to nobody without a certificate\n",
			      program);
	else
		return true;
	return false;
}

bool tool_flags_parse(const struct config_spec *spec, int argc, char **argv, struct tool_flags *flags,
		      int *exit_code_out)
{
	struct config_option all[ARRAY_COUNT(cluster_options) + TOOL_FLAGS_OWN_MAX];
	struct config_spec full = *spec;

	CHECK(spec->option_count <= TOOL_FLAGS_OWN_MAX);
	if (spec->option_count > 0)
		memcpy(all, spec->options, spec->option_count * sizeof(*all));
	memcpy(all + spec->option_count, cluster_options, sizeof(cluster_options));
	full.options = all;
	full.option_count = spec->option_count + ARRAY_COUNT(cluster_options);
	if (!parse_once(&full, argc, argv, flags, exit_code_out))
		return false;
	*exit_code_out = CLEAVE_EXIT_USAGE;
	if (flags->lab != NULL) {
		if (!read_lab(spec->program, flags->lab))
			return false;
		*flags = (struct tool_flags){ .lab = NULL };
		if (!parse_once(&full, argc, argv, flags, exit_code_out))
			return false;
	}
	return check_cluster(spec->program, flags);
}
