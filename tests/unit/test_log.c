#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"

/* Standard error goes to a file between capture_start() and capture_end(). */
struct capture {
	FILE *file;
	int saved_fd;
	char text[64 * 1024];
};

static struct capture captured;

static void capture_start(void)
{
	captured.file = tmpfile();
	assert_non_null(captured.file);
	captured.saved_fd = dup(STDERR_FILENO);
	assert_true(captured.saved_fd >= 0);
	assert_true(dup2(fileno(captured.file), STDERR_FILENO) >= 0);
}

static const char *capture_end(void)
{
	ssize_t size = pread(fileno(captured.file), captured.text, sizeof(captured.text) - 1, 0);

	assert_true(size >= 0);
	captured.text[size] = '\0';
	assert_true(dup2(captured.saved_fd, STDERR_FILENO) >= 0);
	(void)close(captured.saved_fd);
	(void)fclose(captured.file);
	return captured.text;
}

static bool matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool is_match;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	is_match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is_match;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		count++;
	}
	return count;
}

static void a_line_has_time_level_part_event_and_pairs(void **state)
{
	const char *text;

	(void)state;
	capture_start();
	log_info("node", "joined", "node=%d zone=%s", 3, "az-a");
	text = capture_end();
	assert_true(matches(text,
			    "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z "
			    "INFO node joined node=3 zone=az-a\n$"));
}

static void a_line_without_pairs_has_no_trailing_space(void **state)
{
	(void)state;
	capture_start();
	log_warn("node", "stopping", "%s", "");
	assert_true(matches(capture_end(), "Z WARN node stopping\n$"));
}

static void lines_below_the_level_are_not_printed(void **state)
{
	(void)state;
	capture_start();
	log_debug("node", "quiet", "a=%d", 1);
	log_set_level(LOG_ERROR);
	log_warn("node", "quiet", "a=%d", 2);
	log_error("node", "loud", "a=%d", 3);
	log_set_level(LOG_INFO);
	assert_true(matches(capture_end(), "^[^ ]+ ERROR node loud a=3\n$"));
}

static void a_value_cannot_start_a_line_of_its_own(void **state)
{
	const char *text;

	(void)state;
	capture_start();
	log_info("node", "event", "value=%s", "a\n2026 ERROR fake\x1b[0m");
	text = capture_end();
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "value=a?2026 ERROR fake?[0m\n"));
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
	char value[3000];
	const char *text;

	(void)state;
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	capture_start();
	log_info("node", "event", "value=%s", value);
	text = capture_end();
	assert_int_equal(strlen(text), LOG_LINE_SIZE_MAX);
	assert_int_equal(text[LOG_LINE_SIZE_MAX - 1], '\n');
}

/* The second may change once while the loop runs: then two lots are printed. */
static void a_site_prints_only_so_many_lines_a_second(void **state)
{
	struct log_site site = { 0 };
	size_t line_count;

	(void)state;
	capture_start();
	for (unsigned i = 0; i < 100; i++)
		log_write(&site, LOG_INFO, "node", "event", "i=%u", i);
	line_count = count_lines(capture_end());
	assert_in_range(line_count, LOG_LINES_PER_SECOND, 2 * LOG_LINES_PER_SECOND);
	assert_true(line_count + site.left_out_count <= 100);
}

static void the_next_second_says_how_many_were_left_out(void **state)
{
	struct log_site site = { .second = 1, .printed_count = LOG_LINES_PER_SECOND, .left_out_count = 17 };
	const char *text;

	(void)state;
	capture_start();
	log_write(&site, LOG_INFO, "node", "event", "i=%d", 1);
	log_write(&site, LOG_INFO, "node", "event", "i=%d", 2);
	text = capture_end();
	assert_true(matches(text, "event left_out=17 i=1\n.*event i=2\n$"));
}

static void level_names_parse(void **state)
{
	enum log_level level = LOG_INFO;

	(void)state;
	assert_true(log_parse_level("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_parse_level("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_parse_level("loud", &level));
	assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_part_event_and_pairs),
		cmocka_unit_test(a_line_without_pairs_has_no_trailing_space),
		cmocka_unit_test(lines_below_the_level_are_not_printed),
		cmocka_unit_test(a_value_cannot_start_a_line_of_its_own),
		cmocka_unit_test(a_long_line_is_cut_and_still_ends),
		cmocka_unit_test(a_site_prints_only_so_many_lines_a_second),
		cmocka_unit_test(the_next_second_says_how_many_were_left_out),
		cmocka_unit_test(level_names_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
