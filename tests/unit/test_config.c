#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/config.h"

enum mode { MODE_SAFE, MODE_FAST };

struct settings {
	const char *data_dir;
	struct config_list peers;
	bool verbose;
	uint64_t port;
	uint64_t cache_bytes;
	uint64_t timeout_ms;
	unsigned mode;
	struct config_list words;
};

static const char *const modes[] = { "safe", "fast", NULL };

static const struct config_option options[] = {
	{ .name = "data-dir",
	  .value_name = "DIR",
	  .help = "Where data lives.",
	  .kind = CONFIG_STRING,
	  .is_required = true,
	  .offset = offsetof(struct settings, data_dir) },
	{ .name = "peer",
	  .value_name = "HOST:PORT",
	  .help = "A node to join.",
	  .kind = CONFIG_LIST,
	  .offset = offsetof(struct settings, peers) },
	{ .name = "verbose",
	  .help = "Say more.",
	  .kind = CONFIG_FLAG,
	  .offset = offsetof(struct settings, verbose) },
	{ .name = "port",
	  .value_name = "N",
	  .help = "Where to listen.",
	  .default_text = "8000",
	  .kind = CONFIG_U64,
	  .offset = offsetof(struct settings, port),
	  .min = 1,
	  .max = 65535 },
	{ .name = "cache",
	  .value_name = "SIZE",
	  .help = "Block cache.",
	  .default_text = "64MB",
	  .kind = CONFIG_SIZE,
	  .offset = offsetof(struct settings, cache_bytes),
	  .min = 1024 },
	{ .name = "timeout",
	  .value_name = "TIME",
	  .help = "Per call.",
	  .default_text = "5s",
	  .kind = CONFIG_MS,
	  .offset = offsetof(struct settings, timeout_ms),
	  .min = 10,
	  .max = 60000 },
	{ .name = "mode",
	  .value_name = "MODE",
	  .help = "How to run.",
	  .default_text = "fast",
	  .choices = modes,
	  .kind = CONFIG_CHOICE,
	  .offset = offsetof(struct settings, mode) },
};

static const struct config_spec spec = {
	.program = "cleave-test",
	.summary = "A program for tests.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
	.word_name = "COMMAND [TARGET]",
	.word_count_min = 0,
	.word_count_max = 2,
	.words_offset = offsetof(struct settings, words),
};

struct fixture {
	struct settings settings;
	char message[4096];
	enum status status;
};

static struct fixture parse_with(const struct config_spec *used_spec, const char *const *arguments, int count)
{
	struct fixture f = { .status = ST_OK };
	const char *argv[16] = { "cleave-test" };
	struct buf message;

	for (int i = 0; i < count; i++)
		argv[i + 1] = arguments[i];
	buf_init(&message, sizeof(f.message) - 1);
	f.status = config_parse(used_spec, count + 1, (char *const *)argv, &f.settings, &message);
	assert_int_equal(message.status, ST_OK);
	if (message.size > 0)
		memcpy(f.message, message.data, message.size);
	buf_close(&message);
	return f;
}

#define PARSE(...)                                                                                           \
	parse_with(&spec, (const char *const[]){ __VA_ARGS__ },                                              \
		   (int)ARRAY_COUNT(((const char *const[]){ __VA_ARGS__ })))

static void assert_refused(struct fixture f, const char *expected)
{
	assert_int_equal(f.status, ST_INVALID);
	assert_string_equal(f.message, expected);
}

static void both_forms_of_a_flag_are_read(void **state)
{
	struct fixture f = PARSE("--data-dir", "/d", "--port=9000", "--verbose", "--cache=8KB", "--timeout",
				 "250ms", "--mode=safe");

	(void)state;
	assert_int_equal(f.status, ST_OK);
	assert_string_equal(f.message, "");
	assert_string_equal(f.settings.data_dir, "/d");
	assert_int_equal(f.settings.port, 9000);
	assert_true(f.settings.verbose);
	assert_int_equal(f.settings.cache_bytes, 8192);
	assert_int_equal(f.settings.timeout_ms, 250);
	assert_int_equal(f.settings.mode, MODE_SAFE);
}

static void defaults_fill_what_is_not_given(void **state)
{
	struct fixture f = PARSE("--data-dir=/d");

	(void)state;
	assert_int_equal(f.status, ST_OK);
	assert_int_equal(f.settings.port, 8000);
	assert_false(f.settings.verbose);
	assert_int_equal(f.settings.cache_bytes, 64 << 20);
	assert_int_equal(f.settings.timeout_ms, 5000);
	assert_int_equal(f.settings.mode, MODE_FAST);
	assert_int_equal(f.settings.peers.count, 0);
}

static void a_flag_wins_over_the_environment_and_that_over_the_default(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(setenv("CLEAVE_DATA_DIR", "/env", 1), 0);
	assert_int_equal(setenv("CLEAVE_PORT", "7000", 1), 0);
	assert_int_equal(setenv("CLEAVE_VERBOSE", "true", 1), 0);
	assert_int_equal(setenv("CLEAVE_CACHE", "", 1), 0);
	f = PARSE("--port=9000", "--verbose=false");
	assert_int_equal(unsetenv("CLEAVE_DATA_DIR"), 0);
	assert_int_equal(unsetenv("CLEAVE_PORT"), 0);
	assert_int_equal(unsetenv("CLEAVE_VERBOSE"), 0);
	assert_int_equal(unsetenv("CLEAVE_CACHE"), 0);
	assert_int_equal(f.status, ST_OK);
	assert_string_equal(f.settings.data_dir, "/env");
	assert_int_equal(f.settings.port, 9000);
	assert_false(f.settings.verbose);
	assert_int_equal(f.settings.cache_bytes, 64 << 20);
}

static void an_error_in_the_environment_names_the_variable(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(setenv("CLEAVE_PORT", "many", 1), 0);
	f = PARSE("--data-dir=/d");
	assert_int_equal(unsetenv("CLEAVE_PORT"), 0);
	assert_refused(f, "CLEAVE_PORT: \"many\" is not a whole number\n");
}

static void lists_collect_repeats_and_commas(void **state)
{
	struct fixture f = PARSE("--data-dir=/d", "--peer=a:1,b:2", "--peer", "c:3");

	(void)state;
	assert_int_equal(f.status, ST_OK);
	assert_int_equal(f.settings.peers.count, 3);
	assert_true(slice_equal(f.settings.peers.items[1], slice_of_string("b:2")));
	assert_true(slice_equal(f.settings.peers.items[2], slice_of_string("c:3")));
}

static void a_list_has_a_limit(void **state)
{
	char commas[CONFIG_LIST_MAX * 2 + 4];
	char expected[sizeof(commas) + 64];

	(void)state;
	for (size_t i = 0; i <= CONFIG_LIST_MAX; i++)
		memcpy(commas + 2 * i, "x,", 2);
	commas[2 * CONFIG_LIST_MAX + 2] = '\0';
	(void)snprintf(expected, sizeof(expected), "--peer: more than 32 values\n");
	assert_refused(PARSE("--data-dir=/d", "--peer", commas), expected);
}

static void words_are_kept_in_order_and_counted(void **state)
{
	struct fixture f = PARSE("split", "--data-dir=/d", "--", "--odd-name");

	(void)state;
	assert_int_equal(f.status, ST_OK);
	assert_int_equal(f.settings.words.count, 2);
	assert_true(slice_equal(f.settings.words.items[0], slice_of_string("split")));
	assert_true(slice_equal(f.settings.words.items[1], slice_of_string("--odd-name")));
	assert_refused(PARSE("a", "b", "c"),
		       "c: one argument too many; flags start with --, see \"cleave-test --help\"\n");
}

static void a_missing_word_is_asked_for(void **state)
{
	static const char *const arguments[] = { "--data-dir=/d" };
	struct config_spec strict = spec;

	(void)state;
	strict.word_count_min = 1;
	assert_refused(parse_with(&strict, arguments, 1),
		       "an argument is missing: cleave-test [flags] COMMAND [TARGET]\n");
}

static void errors_say_what_to_do(void **state)
{
	(void)state;
	assert_refused(PARSE("--verbose"),
		       "--data-dir is missing: give --data-dir=DIR or set CLEAVE_DATA_DIR\n");
	assert_refused(PARSE("--bogus=1"), "--bogus=1: no such flag; \"cleave-test --help\" lists them\n");
	assert_refused(PARSE("-v"), "-v: no such flag; \"cleave-test --help\" lists them\n");
	assert_refused(PARSE("--data-dir"), "--data-dir: a value is missing, write --data-dir=DIR\n");
	assert_refused(PARSE("--port=1", "--port=2"), "--port: given twice, leave one out\n");
	assert_refused(PARSE("--port=0"), "--port=0: \"0\" is out of range, give a value from 1 to 65535\n");
	assert_refused(PARSE("--port", "65536"),
		       "--port: \"65536\" is out of range, give a value from 1 to 65535\n");
	assert_refused(PARSE("--cache=1"), "--cache=1: \"1\" is out of range, give a value from 1KB up\n");
	assert_refused(PARSE("--timeout=2m"),
		       "--timeout=2m: \"2m\" is out of range, give a value from 10ms to 1m\n");
	assert_refused(PARSE("--timeout=5"),
		       "--timeout=5: \"5\" is not a duration such as 250ms, 5s, 2m or 1h\n");
	assert_refused(PARSE("--mode=slow"), "--mode=slow: \"slow\" is not known, give one of: safe fast\n");
	assert_refused(PARSE("--verbose=maybe"), "--verbose=maybe: \"maybe\" is neither true nor false\n");
}

static void numbers_that_are_none_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "18446744073709551616"
	};
	char argument[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		(void)snprintf(argument, sizeof(argument), "--port=%s", texts[i]);
		assert_int_equal(PARSE("--data-dir=/d", argument).status, ST_INVALID);
	}
	assert_int_equal(PARSE("--data-dir=/d", "--cache=17179869185GB").status, ST_INVALID);
	assert_int_equal(PARSE("--data-dir=/d", "--cache=2TB").status, ST_INVALID);
}

static void help_lists_every_flag_with_its_variable_and_default(void **state)
{
	struct fixture f = PARSE("--help", "--bogus");

	(void)state;
	assert_int_equal(f.status, ST_CANCELED);
	assert_non_null(
		strstr(f.message, "usage: cleave-test [flags] COMMAND [TARGET]\n\nA program for tests.\n"));
	assert_non_null(
		strstr(f.message,
		       "  --data-dir=DIR                  Where data lives. [CLEAVE_DATA_DIR, required]\n"));
	assert_non_null(strstr(f.message, "  --verbose                       Say more. [CLEAVE_VERBOSE]\n"));
	assert_non_null(
		strstr(f.message,
		       "  --port=N                        Where to listen. [CLEAVE_PORT, default 8000]\n"));
	assert_non_null(strstr(f.message, "How to run. One of: safe, fast [CLEAVE_MODE, default fast]\n"));
	assert_non_null(strstr(f.message, "A node to join. May be repeated. [CLEAVE_PEER]\n"));
}

static void the_version_is_told(void **state)
{
	struct fixture f = PARSE("--version");

	(void)state;
	assert_int_equal(f.status, ST_CANCELED);
	assert_string_equal(f.message, "cleave-test " CLEAVE_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_a_flag_are_read),
		cmocka_unit_test(defaults_fill_what_is_not_given),
		cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_default),
		cmocka_unit_test(an_error_in_the_environment_names_the_variable),
		cmocka_unit_test(lists_collect_repeats_and_commas),
		cmocka_unit_test(a_list_has_a_limit),
		cmocka_unit_test(words_are_kept_in_order_and_counted),
		cmocka_unit_test(a_missing_word_is_asked_for),
		cmocka_unit_test(errors_say_what_to_do),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(help_lists_every_flag_with_its_variable_and_default),
		cmocka_unit_test(the_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
