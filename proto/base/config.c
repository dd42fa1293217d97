#include "proto/base/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VARIABLE_SIZE_MAX = 64, HELP_COLUMN = 34 };

struct parse {
	const struct config_spec *spec;
	uint8_t *target;
	bool *is_set; /* one per option */
	struct buf *message;
	bool words_only; /* "--" was seen */
};

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "", 1 }, { "B", 1 }, { "KB", 1u << 10 }, { "MB", 1u << 20 }, { "GB", 1u << 30 }, { NULL, 0 },
};
static const struct unit ms_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { NULL, 0 },
};
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* "data-dir" -> "CLEAVE_DATA_DIR" */
static void variable_name(const char *name, char out[VARIABLE_SIZE_MAX])
{
	int size = snprintf(out, VARIABLE_SIZE_MAX, "CLEAVE_%s", name);

	CHECK(size > 0 && size < VARIABLE_SIZE_MAX);
	for (; *out != '\0'; out++)
		*out = (char)(*out == '-' ? '_' : toupper((unsigned char)*out));
}

/* --- values --- */

static bool parse_number(const char *text, const struct unit *units, uint64_t *value_out)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	}
	if (at == text)
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(units->name, at) == 0)
			return !__builtin_mul_overflow(value, units->factor, value_out);
	}
	return false;
}

static const struct unit *units_of(enum config_kind kind)
{
	if (kind == CONFIG_SIZE)
		return size_units;
	return kind == CONFIG_MS ? ms_units : no_units;
}

static const char *expected_form(enum config_kind kind)
{
	if (kind == CONFIG_SIZE)
		return "a size such as 4096, 64KB, 8MB or 2GB";
	return kind == CONFIG_MS ? "a duration such as 250ms, 5s, 2m or 1h" : "a whole number";
}

static void print_amount(struct buf *out, enum config_kind kind, uint64_t value)
{
	const struct unit *best = units_of(kind);

	for (const struct unit *unit = best; unit->name != NULL; unit++) {
		if (value != 0 && value % unit->factor == 0 && unit->factor > best->factor)
			best = unit;
	}
	buf_append_format(out, "%" PRIu64 "%s", value / best->factor, best->name);
}

static enum status set_number(struct parse *parse, const struct config_option *option, const char *source,
			      const char *text)
{
	uint64_t max = option->max == 0 ? UINT64_MAX : option->max;
	uint64_t value;

	if (!parse_number(text, units_of(option->kind), &value)) {
		buf_append_format(parse->message, "%s: \"%s\" is not %s\n", source, text,
				  expected_form(option->kind));
		return ST_INVALID;
	}
	if (value < option->min || value > max) {
		buf_append_format(parse->message, "%s: \"%s\" is out of range, give a value from ", source,
				  text);
		print_amount(parse->message, option->kind, option->min);
		if (option->max == 0) {
			buf_append_string(parse->message, " up\n");
			return ST_INVALID;
		}
		buf_append_string(parse->message, " to ");
		print_amount(parse->message, option->kind, max);
		buf_append_string(parse->message, "\n");
		return ST_INVALID;
	}
	memcpy(parse->target + option->offset, &value, sizeof(value));
	return ST_OK;
}

static enum status set_flag(struct parse *parse, const struct config_option *option, const char *source,
			    const char *text)
{
	bool value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

	if (!value && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
		buf_append_format(parse->message, "%s: \"%s\" is neither true nor false\n", source, text);
		return ST_INVALID;
	}
	memcpy(parse->target + option->offset, &value, sizeof(value));
	return ST_OK;
}

static enum status set_choice(struct parse *parse, const struct config_option *option, const char *source,
			      const char *text)
{
	for (unsigned i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			memcpy(parse->target + option->offset, &i, sizeof(i));
			return ST_OK;
		}
	}
	buf_append_format(parse->message, "%s: \"%s\" is not known, give one of:", source, text);
	for (unsigned i = 0; option->choices[i] != NULL; i++)
		buf_append_format(parse->message, " %s", option->choices[i]);
	buf_append_string(parse->message, "\n");
	return ST_INVALID;
}

static enum status list_add(struct parse *parse, size_t offset, const char *source, struct slice item)
{
	struct config_list *list = (struct config_list *)(void *)(parse->target + offset);

	if (list->count == CONFIG_LIST_MAX) {
		buf_append_format(parse->message, "%s: more than %d values\n", source, CONFIG_LIST_MAX);
		return ST_INVALID;
	}
	list->items[list->count++] = item;
	return ST_OK;
}

/* Both forms of a list: repeated flags and commas. */
static enum status list_add_all(struct parse *parse, size_t offset, const char *source, const char *text)
{
	for (;;) {
		size_t size = strcspn(text, ",");
		enum status status = ST_OK;

		if (size > 0)
			status = list_add(parse, offset, source, slice_of(text, size));
		if (status != ST_OK || text[size] == '\0')
			return status;
		text += size + 1;
	}
}

static enum status set_value(struct parse *parse, const struct config_option *option, const char *source,
			     const char *text)
{
	switch (option->kind) {
	case CONFIG_STRING:
		memcpy(parse->target + option->offset, &text, sizeof(text));
		return ST_OK;
	case CONFIG_LIST:
		return list_add_all(parse, option->offset, source, text);
	case CONFIG_FLAG:
		return set_flag(parse, option, source, text);
	case CONFIG_CHOICE:
		return set_choice(parse, option, source, text);
	case CONFIG_U64:
	case CONFIG_SIZE:
	case CONFIG_MS:
		return set_number(parse, option, source, text);
	}
	UNREACHABLE();
}

/* --- the command line --- */

static const struct config_option *find_option(const struct config_spec *spec, struct slice name)
{
	for (size_t i = 0; i < spec->option_count; i++) {
		if (slice_equal(slice_of_string(spec->options[i].name), name))
			return &spec->options[i];
	}
	return NULL;
}

static enum status unknown_flag(struct parse *parse, const char *argument)
{
	buf_append_format(parse->message, "%s: no such flag; \"%s --help\" lists them\n", argument,
			  parse->spec->program);
	return ST_INVALID;
}

/* argument starts with "--".  *used_out counts the arguments taken, one or two. */
static enum status take_flag(struct parse *parse, const char *argument, const char *following, int *used_out)
{
	size_t name_size = strcspn(argument + 2, "=");
	const struct config_option *option = find_option(parse->spec, slice_of(argument + 2, name_size));
	const char *text = argument[2 + name_size] == '=' ? argument + 2 + name_size + 1 : NULL;
	size_t index;

	*used_out = 1;
	if (option == NULL)
		return unknown_flag(parse, argument);
	if (text == NULL && option->kind == CONFIG_FLAG)
		text = "true";
	if (text == NULL) {
		text = following;
		*used_out = 2;
	}
	if (text == NULL) {
		buf_append_format(parse->message, "%s: a value is missing, write %s=%s\n", argument, argument,
				  option->value_name);
		return ST_INVALID;
	}
	index = (size_t)(option - parse->spec->options);
	if (parse->is_set[index] && option->kind != CONFIG_LIST) {
		buf_append_format(parse->message, "--%s: given twice, leave one out\n", option->name);
		return ST_INVALID;
	}
	parse->is_set[index] = true;
	return set_value(parse, option, argument, text);
}

static enum status take_word(struct parse *parse, const char *argument)
{
	const struct config_spec *spec = parse->spec;
	const struct config_list *words = (const void *)(parse->target + spec->words_offset);

	if (spec->word_count_max == 0 || words->count == spec->word_count_max) {
		buf_append_format(parse->message,
				  "%s: one argument too many; flags start with --, see \"%s --help\"\n",
				  argument, spec->program);
		return ST_INVALID;
	}
	return list_add(parse, spec->words_offset, argument, slice_of_string(argument));
}

static enum status take_argument(struct parse *parse, const char *argument, const char *following,
				 int *used_out)
{
	*used_out = 1;
	if (parse->words_only || argument[0] != '-' || argument[1] == '\0')
		return take_word(parse, argument);
	if (strcmp(argument, "--") == 0) {
		parse->words_only = true;
		return ST_OK;
	}
	if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
		config_print_help(parse->spec, parse->message);
		return ST_CANCELED;
	}
	if (strcmp(argument, "--version") == 0) {
		buf_append_format(parse->message, "%s %s\n", parse->spec->program, CLEAVE_VERSION);
		return ST_CANCELED;
	}
	if (argument[1] != '-')
		return unknown_flag(parse, argument);
	return take_flag(parse, argument, following, used_out);
}

/* What the command line left open comes from the environment, else from the table. */
static enum status take_fallback(struct parse *parse, const struct config_option *option)
{
	char variable[VARIABLE_SIZE_MAX];
	const char *text;

	variable_name(option->name, variable);
	text = getenv(variable);
	if (text != NULL && text[0] != '\0')
		return set_value(parse, option, variable, text);
	if (option->is_required) {
		buf_append_format(parse->message, "--%s is missing: give --%s=%s or set %s\n", option->name,
				  option->name, option->value_name, variable);
		return ST_INVALID;
	}
	if (option->default_text != NULL)
		return set_value(parse, option, option->name, option->default_text);
	return ST_OK;
}

static enum status check_words(struct parse *parse)
{
	const struct config_spec *spec = parse->spec;
	const struct config_list *words = (const void *)(parse->target + spec->words_offset);

	if (spec->word_count_max == 0 || words->count >= spec->word_count_min)
		return ST_OK;
	buf_append_format(parse->message, "an argument is missing: %s [flags] %s\n", spec->program,
			  spec->word_name);
	return ST_INVALID;
}

static enum status parse_all(struct parse *parse, int argc, char *const *argv)
{
	const struct config_spec *spec = parse->spec;
	enum status status = ST_OK;

	for (int i = 1; i < argc && status == ST_OK;) {
		int used_count;

		status = take_argument(parse, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used_count);
		i += used_count;
	}
	for (size_t i = 0; i < spec->option_count && status == ST_OK; i++) {
		if (!parse->is_set[i])
			status = take_fallback(parse, &spec->options[i]);
	}
	return status == ST_OK ? check_words(parse) : status;
}

enum status config_parse(const struct config_spec *spec, int argc, char *const *argv, void *target,
			 struct buf *message_out)
{
	struct parse parse = { .spec = spec, .target = target, .message = message_out };
	enum status status;

	CHECK(spec->word_count_max <= CONFIG_LIST_MAX);
	parse.is_set = calloc(spec->option_count + 1, sizeof(bool));
	if (parse.is_set == NULL)
		return ST_NO_MEMORY;
	status = parse_all(&parse, argc, argv);
	free(parse.is_set);
	return status;
}

/* --- help --- */

static void print_option_help(struct buf *out, const struct config_option *option)
{
	size_t line_start = out->size;
	char variable[VARIABLE_SIZE_MAX];

	buf_append_format(out, "  --%s", option->name);
	if (option->kind != CONFIG_FLAG)
		buf_append_format(out, "=%s", option->value_name);
	do {
		buf_append_string(out, " ");
	} while (out->status == ST_OK && out->size - line_start < HELP_COLUMN);
	buf_append_format(out, "%s", option->help);
	for (size_t i = 0; option->kind == CONFIG_CHOICE && option->choices[i] != NULL; i++)
		buf_append_format(out, "%s%s", i == 0 ? " One of: " : ", ", option->choices[i]);
	if (option->kind == CONFIG_LIST)
		buf_append_string(out, " May be repeated.");
	variable_name(option->name, variable);
	buf_append_format(out, " [%s", variable);
	if (option->default_text != NULL)
		buf_append_format(out, ", default %s", option->default_text);
	buf_append_string(out, option->is_required ? ", required]\n" : "]\n");
}

void config_print_help(const struct config_spec *spec, struct buf *out)
{
	buf_append_format(out, "usage: %s [flags]%s%s\n\n%s\n\n", spec->program,
			  spec->word_name == NULL ? "" : " ", spec->word_name == NULL ? "" : spec->word_name,
			  spec->summary);
	for (size_t i = 0; i < spec->option_count; i++)
		print_option_help(out, &spec->options[i]);
	buf_append_string(out, "  --help                          Print this text.\n"
			       "  --version                       Print the version.\n");
}
