#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/support/test_certs.h"

static void names_say_who_may_speak_as_whom(void **state)
{
	struct tls_identity identity = { TLS_ROLE_NONE, 0 };

	(void)state;
	assert_true(tls_context_parse_name("node-18446744073709551615", &identity));
	assert_int_equal(identity.role, TLS_ROLE_NODE);
	assert_true(identity.node_id == UINT64_MAX);
	assert_true(tls_context_parse_name("coordinator", &identity));
	assert_int_equal(identity.role, TLS_ROLE_COORDINATOR);
	assert_int_equal(identity.node_id, 0);
	assert_true(tls_context_parse_name("tool", &identity));
	assert_int_equal(identity.role, TLS_ROLE_TOOL);
}

static void other_names_say_nothing(void **state)
{
	static const char *const names[] = { "",
					     "node",
					     "node-",
					     "node-0",
					     "node-07",
					     "node-+7",
					     "node- 7",
					     "node-7 ",
					     "Node-7",
					     "tools",
					     "node-7x",
					     "node--7",
					     "node-18446744073709551616" };
	struct tls_identity identity;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_false(tls_context_parse_name(names[i], &identity));
}

static void own_certificate_tells_who_we_are(void **state)
{
	struct test_certs certs;
	struct tls_context *context;

	(void)state;
	test_certs_init(&certs);
	test_certs_make_ca(&certs, "ca");
	test_certs_issue(&certs, "ca", "me", "node-9", 3600);
	context = test_certs_context(&certs, "ca", "me");
	assert_int_equal(tls_context_own_identity(context).node_id, 9);
	tls_context_destroy(context);
	tls_context_destroy(NULL);
	test_certs_close(&certs);
}

static void bad_files_are_refused_and_a_reload_keeps_the_old_ones(void **state)
{
	struct test_certs certs;
	struct test_certs_files files;
	struct tls_context *context = NULL;
	FILE *file;

	(void)state;
	test_certs_init(&certs);
	test_certs_make_ca(&certs, "ca");
	test_certs_issue(&certs, "ca", "me", "node-9", 3600);
	test_certs_issue(&certs, "ca", "you", "node-8", 3600);
	context = test_certs_context(&certs, "ca", "me");
	test_certs_name_files(&certs, "ca", "nobody", &files);
	assert_int_equal(tls_context_reload(context, &files.files), ST_IO);
	test_certs_name_files(&certs, "ca", "me", &files);
	files.files.key_path = files.ca_path; /* no key in there */
	assert_int_equal(tls_context_reload(context, &files.files), ST_INVALID);
	file = fopen(files.cert_path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0); /* empty */
	files.files.key_path = files.key_path;
	assert_int_equal(tls_context_reload(context, &files.files), ST_INVALID);
	assert_int_equal(tls_context_own_identity(context).node_id, 9);
	test_certs_name_files(&certs, "ca", "you", &files);
	assert_int_equal(tls_context_reload(context, &files.files), ST_OK);
	assert_int_equal(tls_context_own_identity(context).node_id, 8);
	tls_context_destroy(context);
	test_certs_close(&certs);
}

static void key_of_another_certificate_is_refused(void **state)
{
	struct test_certs certs;
	struct test_certs_files files;
	struct test_certs_files other;
	struct tls_context *context = NULL;

	(void)state;
	test_certs_init(&certs);
	test_certs_make_ca(&certs, "ca");
	test_certs_issue(&certs, "ca", "me", "node-9", 3600);
	test_certs_issue(&certs, "ca", "you", "node-8", 3600);
	test_certs_name_files(&certs, "ca", "me", &files);
	test_certs_name_files(&certs, "ca", "you", &other);
	files.files.key_path = other.key_path;
	assert_int_equal(tls_context_create(&files.files, &context), ST_INVALID);
	assert_null(context);
	test_certs_close(&certs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_who_may_speak_as_whom),
		cmocka_unit_test(other_names_say_nothing),
		cmocka_unit_test(own_certificate_tells_who_we_are),
		cmocka_unit_test(bad_files_are_refused_and_a_reload_keeps_the_old_ones),
		cmocka_unit_test(key_of_another_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
