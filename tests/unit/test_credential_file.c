#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/credential_file.h"

static char path[] = "/tmp/cleave-credentials-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static enum status load(struct credential_file *file, const char *content)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(content, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	return credential_file_load(file, path);
}

static void assert_secret(const struct credential_file *file, const char *key_id, const char *secret)
{
	struct slice found = { NULL, 0 };

	assert_int_equal(credential_file_find(file, slice_of_string(key_id), &found), secret != NULL);
	if (secret != NULL)
		assert_true(slice_equal(found, slice_of_string(secret)));
}

static void pairs_are_found_between_comments_and_blanks(void **state)
{
	struct credential_file file;

	(void)state;
	credential_file_init(&file);
	assert_secret(&file, "AKIA1", NULL);
	assert_int_equal(load(&file, "# keys\n\nAKIA2 two # the second\r\n\t AKIA1   one\nAKIA3 three"),
			 ST_OK);
	assert_secret(&file, "AKIA1", "one");
	assert_secret(&file, "AKIA2", "two");
	assert_secret(&file, "AKIA3", "three");
	assert_secret(&file, "AKIA", NULL);
	assert_secret(&file, "", NULL);
	credential_file_close(&file);
}

static void a_bad_file_leaves_the_set_as_it_was(void **state)
{
	static const struct {
		const char *content;
		enum status status;
	} cases[] = {
		{ "AKIA1\n", ST_INVALID },
		{ "AKIA1 a b\n", ST_INVALID },
		{ "AKIA1 a\nAKIA1 b\n", ST_EXISTS },
	};
	struct credential_file file;

	(void)state;
	credential_file_init(&file);
	assert_int_equal(load(&file, "AKIA1 one\n"), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(load(&file, cases[i].content), cases[i].status);
		assert_secret(&file, "AKIA1", "one");
	}
	assert_int_equal(credential_file_load(&file, "/nowhere/at/all"), ST_IO);
	assert_secret(&file, "AKIA1", "one");
	assert_int_equal(load(&file, "AKIA2 two\n"), ST_OK);
	assert_secret(&file, "AKIA1", NULL);
	credential_file_close(&file);
}

static void too_many_keys_are_refused(void **state)
{
	struct credential_file file;
	struct buf content;

	(void)state;
	buf_init(&content, CREDENTIAL_FILE_SIZE_MAX);
	for (int i = 0; i <= CREDENTIAL_FILE_COUNT_MAX; i++)
		buf_append_format(&content, "AKIA%d x\n", i);
	buf_put_u8(&content, 0);
	credential_file_init(&file);
	assert_int_equal(load(&file, (const char *)content.data), ST_TOO_BIG);
	buf_close(&content);
	credential_file_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_found_between_comments_and_blanks),
		cmocka_unit_test(a_bad_file_leaves_the_set_as_it_was),
		cmocka_unit_test(too_many_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
