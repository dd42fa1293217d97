#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "proto/catalog/tag_info.h"

enum { NAMES_MAX = 64 };

struct fixture {
	struct arena arena;
	Cleave__TagTableRequest request;
	Cleave__TagSet set;
	Cleave__Tag tags[NAMES_MAX];
	Cleave__Tag *pointers[NAMES_MAX];
	ProtobufCBinaryData keys[NAMES_MAX];
};

static ProtobufCBinaryData binary_of(const char *text)
{
	return (ProtobufCBinaryData){ strlen(text), (uint8_t *)(uintptr_t)text };
}

static void start(struct fixture *f)
{
	arena_init(&f->arena, 4 * 1024 * 1024);
	cleave__tag_table_request__init(&f->request);
	cleave__tag_set__init(&f->set);
	f->set.tags = f->pointers;
	f->request.put = &f->set;
	f->request.remove = f->keys;
}

static void put(struct fixture *f, const char *key, const char *value)
{
	Cleave__Tag *tag = &f->tags[f->set.n_tags];

	cleave__tag__init(tag);
	tag->key = binary_of(key);
	tag->value = binary_of(value);
	f->pointers[f->set.n_tags++] = tag;
}

static void remove_key(struct fixture *f, const char *key)
{
	f->keys[f->request.n_remove++] = binary_of(key);
}

static enum status change(struct fixture *f, struct slice *tags)
{
	enum status status = tag_info_change(*tags, &f->request, &f->arena, tags);

	f->set.n_tags = 0;
	f->request.n_remove = 0;
	return status;
}

/* "a=1,b=2" */
static void assert_tags(struct fixture *f, struct slice tags, const char *expected)
{
	const Cleave__TagSet *set = tag_info_unpack(tags, &f->arena);
	char text[256] = "";
	size_t size = 0;

	assert_non_null(set);
	for (size_t i = 0; i < set->n_tags; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%.*s=%.*s", i == 0 ? "" : ",",
					 (int)set->tags[i]->key.len, (const char *)set->tags[i]->key.data,
					 (int)set->tags[i]->value.len,
					 (const char *)set->tags[i]->value.data);
	assert_string_equal(text, expected);
}

static void tags_are_put_replaced_and_removed(void **state)
{
	struct slice tags = slice_of("", 0);
	struct fixture f;

	(void)state;
	start(&f);
	put(&f, "a", "1");
	put(&f, "b", "");
	assert_int_equal(change(&f, &tags), ST_OK);
	assert_tags(&f, tags, "a=1,b=");
	put(&f, "b", "2");
	put(&f, "c", "3");
	assert_int_equal(change(&f, &tags), ST_OK);
	assert_tags(&f, tags, "a=1,b=2,c=3");
	remove_key(&f, "a");
	remove_key(&f, "nothing");
	assert_int_equal(change(&f, &tags), ST_OK);
	assert_tags(&f, tags, "b=2,c=3");
	remove_key(&f, "b");
	remove_key(&f, "c");
	assert_int_equal(change(&f, &tags), ST_OK);
	assert_int_equal(tags.size, 0);
	arena_close(&f.arena);
}

static void there_are_fifty_and_no_more(void **state)
{
	static char names[LIMIT_TAG_COUNT + 1][16];
	struct slice tags = slice_of("", 0);
	struct slice full;
	struct fixture f;

	(void)state;
	start(&f);
	for (int i = 0; i < LIMIT_TAG_COUNT + 1; i++)
		(void)snprintf(names[i], sizeof(names[i]), "k%d", i);
	for (int i = 0; i < LIMIT_TAG_COUNT; i++)
		put(&f, names[i], "v");
	assert_int_equal(change(&f, &tags), ST_OK);
	full = tags;
	put(&f, names[LIMIT_TAG_COUNT], "v");
	assert_int_equal(change(&f, &tags), ST_TOO_BIG);
	assert_memory_equal(&tags, &full, sizeof(tags));
	put(&f, names[0], "w"); /* in the place of one that is there */
	assert_int_equal(change(&f, &tags), ST_OK);
	arena_close(&f.arena);
}

static void what_is_no_set_is_corrupt(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0x01, 0x02 };
	ProtobufCBinaryData packed = { sizeof(garbage), (uint8_t *)(uintptr_t)garbage };
	struct slice tags;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(tag_info_decode(&packed, &f.arena, &tags), ST_CORRUPT);
	put(&f, "a", "1");
	put(&f, "a", "2");
	tags = tag_info_pack(&f.set, &f.arena);
	packed = (ProtobufCBinaryData){ tags.size, (uint8_t *)(uintptr_t)tags.data };
	assert_int_equal(tag_info_decode(&packed, &f.arena, &tags), ST_CORRUPT);
	f.set.n_tags = 1;
	tags = tag_info_pack(&f.set, &f.arena);
	packed = (ProtobufCBinaryData){ tags.size, (uint8_t *)(uintptr_t)tags.data };
	assert_int_equal(tag_info_decode(&packed, &f.arena, &tags), ST_OK);
	assert_tags(&f, tags, "a=1");
	arena_close(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_put_replaced_and_removed),
		cmocka_unit_test(there_are_fifty_and_no_more),
		cmocka_unit_test(what_is_no_set_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
