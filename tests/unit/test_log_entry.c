#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/engine/log_entry.h"

static void a_body_lives_until_its_last_reference_goes(void **state)
{
	struct log_body *body = log_body_create(4);

	(void)state;
	assert_non_null(body);
	assert_int_equal(body->size_bytes, 4);
	memcpy(body->data, "abcd", 4);
	assert_ptr_equal(log_body_retain(body), body);
	log_body_release(body);
	assert_int_equal(body->reference_count, 1);
	assert_memory_equal(body->data, "abcd", 4);
	log_body_release(body); /* ASan reports if this does not free it */
}

static void an_empty_body_is_a_body(void **state)
{
	struct log_entry entry = { 1, LOG_ENTRY_BARRIER, log_body_create(0) };

	(void)state;
	assert_non_null(entry.body);
	assert_int_equal(log_entry_slice(&entry).size, 0);
	log_body_release(entry.body);
}

static void releasing_nothing_is_fine(void **state)
{
	(void)state;
	log_body_release(NULL);
}

static void a_body_beyond_the_size_field_is_refused(void **state)
{
	(void)state;
	assert_null(log_body_create((size_t)UINT32_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_lives_until_its_last_reference_goes),
		cmocka_unit_test(an_empty_body_is_a_body),
		cmocka_unit_test(releasing_nothing_is_fine),
		cmocka_unit_test(a_body_beyond_the_size_field_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
