#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/arena.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
	uint8_t *blocks[100];
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_COUNT(blocks); i++) {
		blocks[i] = arena_alloc(&arena, i * 3 + 1);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)i, i * 3 + 1);
	}
	for (size_t i = 0; i < ARRAY_COUNT(blocks); i++) {
		for (size_t k = 0; k < i * 3 + 1; k++)
			assert_int_equal(blocks[i][k], i);
	}
	arena_close(&arena);
}

static void the_limit_refuses_and_leaves_the_rest(void **state)
{
	struct arena arena;
	uint8_t *first;

	(void)state;
	arena_init(&arena, 8192);
	first = arena_alloc(&arena, 4096);
	assert_non_null(first);
	first[4095] = 7;
	assert_non_null(arena_alloc(&arena, 4096));
	assert_null(arena_alloc(&arena, 1));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_int_equal(first[4095], 7);
	assert_true(arena.used_bytes <= 8192);
	arena_close(&arena);
}

static void a_tiny_limit_is_enough_for_tiny_needs(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 32);
	assert_non_null(arena_alloc(&arena, 20));
	assert_null(arena_alloc(&arena, 1));
	arena_close(&arena);
}

static void a_reset_gives_the_room_back(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 20000);
	for (unsigned round = 0; round < 50; round++) {
		assert_non_null(arena_alloc(&arena, 100));
		assert_non_null(arena_alloc(&arena, 9000));
		arena_reset(&arena);
		assert_true(arena.used_bytes <= 4096);
	}
	arena_close(&arena);
	arena_reset(&arena);
	arena_close(&arena);
}

static void a_copy_ends_with_a_nul_that_is_not_counted(void **state)
{
	struct arena arena;
	char text[] = "abc";
	uint8_t *copy;

	(void)state;
	arena_init(&arena, 1000);
	copy = arena_copy(&arena, slice_of_string(text));
	text[0] = 'x';
	assert_string_equal((char *)copy, "abc");
	assert_string_equal((char *)arena_copy(&arena, slice_of(NULL, 0)), "");
	arena_close(&arena);
}

static void zeroed_memory_is_zero_after_reuse_too(void **state)
{
	struct arena arena;
	uint8_t *block;

	(void)state;
	arena_init(&arena, 1000);
	block = arena_alloc(&arena, 64);
	memset(block, 0xff, 64);
	arena_reset(&arena);
	block = arena_alloc_zeroed(&arena, 64);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(block[i], 0);
	arena_close(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
		cmocka_unit_test(the_limit_refuses_and_leaves_the_rest),
		cmocka_unit_test(a_tiny_limit_is_enough_for_tiny_needs),
		cmocka_unit_test(a_reset_gives_the_room_back),
		cmocka_unit_test(a_copy_ends_with_a_nul_that_is_not_counted),
		cmocka_unit_test(zeroed_memory_is_zero_after_reuse_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
