/* Flags from arbitrary bytes, each line an argument: they fill the struct within its bounds, or
 * there is a text that says what is wrong. */
#include "proto/base/config.h"

enum { ARGUMENTS_MAX = 64, INPUT_SIZE_MAX = 4096 };

struct settings {
	const char *text;
	struct config_list list;
	bool flag;
	uint64_t number;
	uint64_t size_bytes;
	uint64_t time_ms;
	unsigned choice;
	struct config_list words;
};

static const char *const choices[] = { "safe", "fast", NULL };

static const struct config_option options[] = {
	{ .name = "text",
	  .value_name = "T",
	  .help = "A text.",
	  .kind = CONFIG_STRING,
	  .is_required = true,
	  .offset = offsetof(struct settings, text) },
	{ .name = "list",
	  .value_name = "L",
	  .help = "A list.",
	  .kind = CONFIG_LIST,
	  .offset = offsetof(struct settings, list) },
	{ .name = "flag", .help = "A flag.", .kind = CONFIG_FLAG, .offset = offsetof(struct settings, flag) },
	{ .name = "number",
	  .value_name = "N",
	  .help = "A number.",
	  .default_text = "5",
	  .kind = CONFIG_U64,
	  .offset = offsetof(struct settings, number),
	  .min = 1,
	  .max = 65535 },
	{ .name = "size",
	  .value_name = "S",
	  .help = "A size.",
	  .default_text = "64MB",
	  .kind = CONFIG_SIZE,
	  .offset = offsetof(struct settings, size_bytes),
	  .min = 1024 },
	{ .name = "time",
	  .value_name = "T",
	  .help = "A time.",
	  .default_text = "5s",
	  .kind = CONFIG_MS,
	  .offset = offsetof(struct settings, time_ms),
	  .max = 3600000 },
	{ .name = "choice",
	  .value_name = "C",
	  .help = "A choice.",
	  .default_text = "safe",
	  .kind = CONFIG_CHOICE,
	  .choices = choices,
	  .offset = offsetof(struct settings, choice) },
};

static const struct config_spec spec = {
	.program = "fuzz",
	.summary = "Nothing.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
	.word_name = "WORD",
	.word_count_max = 3,
	.words_offset = offsetof(struct settings, words),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const struct settings *settings)
{
	CHECK(settings->text != NULL);
	CHECK(settings->number >= 1 && settings->number <= 65535);
	CHECK(settings->size_bytes >= 1024 && settings->time_ms <= 3600000);
	CHECK(settings->choice < 2 && settings->list.count <= CONFIG_LIST_MAX && settings->words.count <= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[INPUT_SIZE_MAX + 1];
	static char program[] = "fuzz";
	char *arguments[ARGUMENTS_MAX + 2] = { program };
	struct settings settings = { .text = NULL };
	struct buf message;
	enum status status;
	int count = 1;

	if (size > INPUT_SIZE_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line = text; line != NULL && count <= ARGUMENTS_MAX;) {
		arguments[count++] = line;
		line = strchr(line, '\n');
		if (line != NULL)
			*line++ = '\0';
	}
	buf_init(&message, 64 * 1024);
	status = config_parse(&spec, count, arguments, &settings, &message);
	if (status == ST_OK)
		check_settings(&settings);
	else
		CHECK((status == ST_INVALID || status == ST_CANCELED) && message.size > 0);
	buf_close(&message);
	return 0;
}
