#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/partition/partition_overlay.h"

enum { SEED = 3 };

static void put(struct partition_overlay *overlay, const char *key, uint64_t sequence, const char *text)
{
	struct partition_overlay_image image = { 0 };

	image.is_delete = text == NULL;
	if (text != NULL)
		image.item = slice_of_string(text);
	image.size_bytes = (uint32_t)image.item.size;
	assert_int_equal(partition_overlay_put(overlay, slice_of_string(key), sequence, &image), ST_OK);
}

static bool is_pending_as(const struct partition_overlay *overlay, const char *key, const char *text)
{
	struct partition_overlay_image image;

	return partition_overlay_find(overlay, slice_of_string(key), &image) && !image.is_delete &&
	       slice_equal(image.item, slice_of_string(text)) && image.size_bytes == strlen(text);
}

static bool is_pending(const struct partition_overlay *overlay, const char *key)
{
	struct partition_overlay_image image;

	return partition_overlay_find(overlay, slice_of_string(key), &image);
}

static void the_newest_image_is_found(void **state)
{
	struct partition_overlay overlay;
	struct partition_overlay_image image;

	(void)state;
	partition_overlay_init(&overlay, SEED);
	assert_false(is_pending(&overlay, "a"));
	put(&overlay, "a", 1, "one");
	put(&overlay, "b", 1, "other");
	put(&overlay, "a", 1, "two");
	assert_true(is_pending_as(&overlay, "a", "two"));
	put(&overlay, "a", 2, NULL);
	assert_true(partition_overlay_find(&overlay, slice_of_string("a"), &image));
	assert_true(image.is_delete);
	assert_true(is_pending_as(&overlay, "b", "other"));
	assert_int_equal(overlay.count, 2);
	partition_overlay_close(&overlay);
}

static void an_applied_command_takes_its_own_images_only(void **state)
{
	struct partition_overlay overlay;

	(void)state;
	partition_overlay_init(&overlay, SEED);
	put(&overlay, "a", 1, "one");
	put(&overlay, "b", 1, "one");
	put(&overlay, "a", 2, "two"); /* a later command wrote it again */
	partition_overlay_applied(&overlay, slice_of_string("a"), 1);
	partition_overlay_applied(&overlay, slice_of_string("b"), 1);
	partition_overlay_applied(&overlay, slice_of_string("c"), 1);
	assert_true(is_pending_as(&overlay, "a", "two"));
	assert_false(is_pending(&overlay, "b"));
	partition_overlay_applied(&overlay, slice_of_string("a"), 2);
	assert_false(is_pending(&overlay, "a"));
	assert_int_equal(overlay.count, 0);
	partition_overlay_close(&overlay);
}

static void the_overlay_keeps_copies(void **state)
{
	struct partition_overlay overlay;
	char key[] = "key";
	char text[] = "text";

	(void)state;
	partition_overlay_init(&overlay, SEED);
	put(&overlay, key, 1, text);
	key[0] = 'X';
	text[0] = 'X';
	assert_true(is_pending_as(&overlay, "key", "text"));
	partition_overlay_close(&overlay);
}

static void clearing_forgets_everything_and_leaves_it_usable(void **state)
{
	struct partition_overlay overlay;
	char key[16];

	(void)state;
	partition_overlay_init(&overlay, SEED);
	for (uint32_t i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "%u", i);
		put(&overlay, key, 1, "x");
	}
	partition_overlay_clear(&overlay);
	assert_int_equal(overlay.count, 0);
	assert_false(is_pending(&overlay, "7"));
	put(&overlay, "7", 2, "again");
	assert_true(is_pending_as(&overlay, "7", "again"));
	partition_overlay_close(&overlay);
}

static void a_full_overlay_refuses_new_keys_and_takes_old_ones(void **state)
{
	struct partition_overlay overlay;
	struct partition_overlay_image image = { .item = slice_of("x", 1), .size_bytes = 1 };
	char key[16];

	(void)state;
	partition_overlay_init(&overlay, SEED);
	for (uint32_t i = 0; i < PARTITION_OVERLAY_KEYS_MAX; i++) {
		(void)snprintf(key, sizeof(key), "%u", i);
		put(&overlay, key, 1, "x");
	}
	assert_int_equal(partition_overlay_put(&overlay, slice_of_string("one more"), 1, &image),
			 ST_OVERLOADED);
	put(&overlay, "7", 2, "again");
	assert_true(is_pending_as(&overlay, "7", "again"));
	assert_false(is_pending(&overlay, "one more"));
	partition_overlay_close(&overlay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_image_is_found),
		cmocka_unit_test(an_applied_command_takes_its_own_images_only),
		cmocka_unit_test(the_overlay_keeps_copies),
		cmocka_unit_test(clearing_forgets_everything_and_leaves_it_usable),
		cmocka_unit_test(a_full_overlay_refuses_new_keys_and_takes_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
