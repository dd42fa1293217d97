#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/item_equal.h"
#include "storage/index/index_plan.h"
#include "tests/unit/index_fixture.h"

enum { RNG_SEED = 5, WRITE_COUNT = 4000, KEY_COUNT = 6, TEXT_SIZE = 3000 };

static char text[TEXT_SIZE];

struct fixture {
	struct table_schema schema;
	struct table_index index;
	struct index_owner owner;
	struct index_plan plan;
	struct buf old_item;
	struct buf new_item;
};

static void fixture_start(struct fixture *f, uint8_t local_number, const char *partition, const char *sort,
			  enum index_projection projection)
{
	memset(text, 't', sizeof(text));
	index_fixture_schema(&f->schema, "S:pk", "N:sk");
	index_fixture_index(&f->index, local_number, partition, sort, projection);
	f->owner = index_fixture_owner(&f->schema, &f->index);
	index_plan_init(&f->plan);
	buf_init(&f->old_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&f->new_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
}

static void fixture_end(struct fixture *f)
{
	index_plan_close(&f->plan);
	buf_close(&f->old_item);
	buf_close(&f->new_item);
}

/* What an item holds beside its key. */
struct content {
	const char *index_key; /* NULL: none */
	size_t x_size;
	size_t y_size;
};

static struct slice make_item(struct buf *out, const struct content *content)
{
	struct item_builder builder;

	buf_reset(out);
	if (content == NULL)
		return slice_of(NULL, 0);
	item_builder_init(&builder, out);
	index_fixture_string(&builder, "pk", slice_of_string("k"));
	index_fixture_int(&builder, "sk", 1);
	if (content->index_key != NULL)
		index_fixture_string(&builder, "ls", slice_of_string(content->index_key));
	index_fixture_string(&builder, "x", slice_of(text, content->x_size));
	index_fixture_string(&builder, "y", slice_of(text, content->y_size));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	return item_builder_item(&builder);
}

static void plan_of(struct fixture *f, const struct content *old, const struct content *new)
{
	struct slice old_item = make_item(&f->old_item, old);

	assert_int_equal(index_plan_make(&f->plan, &f->owner, old_item, make_item(&f->new_item, new)), ST_OK);
}

static void assert_plan(const struct fixture *f, bool has_delete, bool has_put, uint32_t units)
{
	assert_int_equal(f->plan.has_delete, has_delete);
	assert_int_equal(f->plan.has_put, has_put);
	assert_int_equal(f->plan.write_units, units);
}

static void each_kind_of_change_has_its_rows_and_its_price(void **state)
{
	static const struct content none = { NULL, 10, 10 };
	static const struct content small = { "a", 10, 10 };
	static const struct content big = { "a", 2500, 10 };
	static const struct content other = { "b", 10, 10 };
	static const struct content other_big = { "b", 1500, 10 };
	struct fixture f;

	(void)state;
	fixture_start(&f, 1, "S:pk", "S:ls", INDEX_PROJECTS_ALL);
	plan_of(&f, NULL, NULL);
	assert_plan(&f, false, false, 0);
	plan_of(&f, NULL, &none);
	assert_plan(&f, false, false, 0);
	plan_of(&f, &none, NULL);
	assert_plan(&f, false, false, 0);
	plan_of(&f, NULL, &small); /* insert */
	assert_plan(&f, false, true, 1);
	plan_of(&f, &none, &big);
	assert_plan(&f, false, true, 3);
	plan_of(&f, &big, NULL); /* delete */
	assert_plan(&f, true, false, 3);
	plan_of(&f, &small, &none);
	assert_plan(&f, true, false, 1);
	plan_of(&f, &small, &big); /* in place: the larger of both */
	assert_plan(&f, false, true, 3);
	plan_of(&f, &big, &small);
	assert_plan(&f, false, true, 3);
	plan_of(&f, &small, &small); /* untouched */
	assert_plan(&f, false, false, 0);
	plan_of(&f, &small, &other); /* move */
	assert_plan(&f, true, true, 2);
	plan_of(&f, &big, &other_big);
	assert_plan(&f, true, true, 3 + 2);
	fixture_end(&f);
}

static void what_is_not_projected_does_not_touch_the_index(void **state)
{
	static const struct content old = { "a", 10, 10 };
	static const struct content y_changed = { "a", 10, 2900 };
	static const struct content x_changed = { "a", 11, 10 };
	struct fixture f;

	(void)state;
	fixture_start(&f, 1, "S:pk", "S:ls", INDEX_PROJECTS_SOME);
	plan_of(&f, &old, &y_changed);
	assert_plan(&f, false, false, 0);
	plan_of(&f, &old, &x_changed);
	assert_plan(&f, false, true, 1);
	assert_false(f.plan.is_whole_item);
	assert_int_equal(item_count(f.plan.item), 4);
	plan_of(&f, NULL, &y_changed); /* priced by what is projected */
	assert_plan(&f, false, true, 1);
	assert_int_equal(f.plan.item_size_bytes, item_size_bytes(f.plan.item));
	f.index.projection = INDEX_PROJECTS_KEYS;
	f.index.attribute_count = 0;
	plan_of(&f, &old, &x_changed);
	assert_plan(&f, false, false, 0);
	plan_of(&f, NULL, &x_changed);
	assert_int_equal(item_count(f.plan.item), 3);
	f.index.projection = INDEX_PROJECTS_ALL;
	plan_of(&f, &old, &y_changed);
	assert_plan(&f, false, true, 3);
	assert_true(f.plan.is_whole_item);
	assert_ptr_equal(f.plan.item.data, f.new_item.data);
	fixture_end(&f);
}

static void an_item_in_another_order_is_the_same(void **state)
{
	static const struct content content = { "a", 10, 20 };
	struct item_attribute attributes[5];
	struct item_builder builder;
	struct item_iter iter;
	struct slice old_item;
	struct fixture f;
	size_t count = 0;

	(void)state;
	fixture_start(&f, 1, "S:pk", "S:ls", INDEX_PROJECTS_ALL);
	old_item = make_item(&f.old_item, &content);
	item_iter_init(&iter, old_item);
	while (count < ARRAY_COUNT(attributes) && item_next_attribute(&iter, &attributes[count]))
		count++;
	item_builder_init(&builder, &f.new_item);
	while (count > 0)
		item_builder_attribute(&builder, &attributes[--count]);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(index_plan_make(&f.plan, &f.owner, old_item, buf_slice(&f.new_item)), ST_OK);
	assert_plan(&f, false, false, 0);
	fixture_end(&f);
}

static void a_broken_item_is_told(void **state)
{
	static const struct content content = { "a", 10, 20 };
	struct slice item;
	struct fixture f;

	(void)state;
	fixture_start(&f, 1, "S:pk", "S:ls", INDEX_PROJECTS_KEYS);
	item = make_item(&f.new_item, &content);
	item.size -= 3;
	assert_int_equal(index_plan_make(&f.plan, &f.owner, slice_of(NULL, 0), item), ST_CORRUPT);
	fixture_end(&f);
}

/* --- against a model: an index built anew from the items --- */

struct model_item {
	bool exists;
	struct buf item;
};

struct model_row {
	struct buf key;
	struct buf item;
};

struct model {
	struct model_item items[KEY_COUNT];
	struct model_row rows[KEY_COUNT]; /* of the index, as the plans made them; key empty: free */
};

static void model_init(struct model *model)
{
	for (int i = 0; i < KEY_COUNT; i++) {
		model->items[i].exists = false;
		buf_init(&model->items[i].item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		buf_init(&model->rows[i].key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
		buf_init(&model->rows[i].item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	}
}

static void model_close(struct model *model)
{
	for (int i = 0; i < KEY_COUNT; i++) {
		buf_close(&model->items[i].item);
		buf_close(&model->rows[i].key);
		buf_close(&model->rows[i].item);
	}
}

/* The row of a key, or with an empty key a free one. */
static struct model_row *find_row(struct model *model, struct slice key)
{
	for (int i = 0; i < KEY_COUNT; i++) {
		if (slice_equal(buf_slice(&model->rows[i].key), key))
			return &model->rows[i];
	}
	return NULL;
}

static void apply_plan(struct model *model, const struct index_plan *plan)
{
	if (plan->has_delete) {
		struct model_row *row = find_row(model, plan->delete_key);

		assert_non_null(row);
		buf_reset(&row->key);
	}
	if (plan->has_put) {
		struct model_row *row = find_row(model, plan->put_key);

		if (row == NULL)
			row = find_row(model, slice_of(NULL, 0));
		assert_non_null(row);
		buf_reset(&row->key);
		buf_reset(&row->item);
		buf_append_slice(&row->key, plan->put_key);
		buf_append_slice(&row->item, plan->item);
	}
}

/* Attributes of few values, now and then absent or of another type; in any order. */
static void random_item(struct rng *rng, int number, struct buf *out)
{
	static const char *const names[] = { "pk", "sk", "gp", "ls", "x", "y" };
	size_t first = rng_below(rng, ARRAY_COUNT(names));
	struct item_builder builder;

	buf_reset(out);
	item_builder_init(&builder, out);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const char *name = names[(first + i) % ARRAY_COUNT(names)];
		uint64_t chance = rng_below(rng, 8);

		if (strcmp(name, "pk") == 0)
			index_fixture_string(&builder, name, slice_of(text, 1 + (size_t)number % 2));
		else if (strcmp(name, "sk") == 0)
			index_fixture_int(&builder, name, number / 2);
		else if (name[0] == 'x' || name[0] == 'y')
			index_fixture_string(&builder, name,
					     slice_of(text, rng_below(rng, 3) * 1000 + rng_below(rng, 2)));
		else if (chance == 0)
			index_fixture_int(&builder, name, 1);
		else if (chance > 1)
			index_fixture_string(&builder, name, slice_of(text, rng_below(rng, 3)));
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

/* The entry by its definition; false: there is none. */
static bool model_entry(const struct fixture *f, const char *projected, struct slice item, struct buf *key,
			struct buf *entry)
{
	struct item_attribute attribute;
	struct item_builder builder;
	struct item_iter iter;

	buf_reset(key);
	buf_reset(entry);
	if (table_index_row_key(key, &f->owner, item) != ST_OK)
		return false;
	item_builder_init(&builder, entry);
	item_iter_init(&iter, item);
	while (item_next_attribute(&iter, &attribute)) {
		char name[8] = ",";

		memcpy(name + 1, attribute.name.data, attribute.name.size);
		memcpy(name + 1 + attribute.name.size, ",", 2);
		if (strstr(projected, name) != NULL)
			item_builder_attribute(&builder, &attribute);
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	return true;
}

static uint32_t kilobytes(const struct buf *entry)
{
	return (uint32_t)((item_size_bytes(buf_slice(entry)) + 1023) / 1024);
}

/* The index holds exactly the entries of the items. */
static void check_index(struct fixture *f, struct model *model, const char *projected)
{
	int row_count = 0;
	int entry_count = 0;
	struct buf key;
	struct buf entry;

	buf_init(&key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_init(&entry, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	for (int i = 0; i < KEY_COUNT; i++) {
		struct model_row *row;
		bool is_equal;

		row_count += model->rows[i].key.size > 0;
		if (!model->items[i].exists ||
		    !model_entry(f, projected, buf_slice(&model->items[i].item), &key, &entry))
			continue;
		entry_count++;
		row = find_row(model, buf_slice(&key));
		assert_non_null(row);
		assert_int_equal(item_equal(buf_slice(&row->item), buf_slice(&entry), &is_equal), ST_OK);
		assert_true(is_equal);
	}
	assert_int_equal(row_count, entry_count);
	buf_close(&key);
	buf_close(&entry);
}

static uint32_t model_units(const struct fixture *f, const char *projected, struct slice old_item,
			    struct slice new_item)
{
	struct buf keys[2];
	struct buf entries[2];
	bool has_old;
	bool has_new;
	bool is_equal = false;
	uint32_t old_units = 0;
	uint32_t new_units = 0;

	for (int i = 0; i < 2; i++) {
		buf_init(&keys[i], LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
		buf_init(&entries[i], LIMIT_ITEM_ENCODED_SIZE_BYTES);
	}
	has_old = old_item.size > 0 && model_entry(f, projected, old_item, &keys[0], &entries[0]);
	has_new = new_item.size > 0 && model_entry(f, projected, new_item, &keys[1], &entries[1]);
	if (has_old)
		old_units = kilobytes(&entries[0]);
	if (has_new)
		new_units = kilobytes(&entries[1]);
	if (has_old && has_new && slice_equal(buf_slice(&keys[0]), buf_slice(&keys[1]))) {
		assert_int_equal(item_equal(buf_slice(&entries[0]), buf_slice(&entries[1]), &is_equal),
				 ST_OK);
		old_units = is_equal ? 0 : old_units > new_units ? old_units : new_units;
		new_units = 0;
	}
	for (int i = 0; i < 2; i++) {
		buf_close(&keys[i]);
		buf_close(&entries[i]);
	}
	return old_units + new_units;
}

static void one_write(struct fixture *f, struct model *model, struct rng *rng, const char *projected)
{
	int number = (int)rng_below(rng, KEY_COUNT);
	struct model_item *item = &model->items[number];
	struct slice old_item = item->exists ? buf_slice(&item->item) : slice_of(NULL, 0);
	struct slice new_item = slice_of(NULL, 0);

	if (rng_below(rng, 5) > 0) {
		random_item(rng, number, &f->new_item);
		new_item = buf_slice(&f->new_item);
	}
	assert_int_equal(index_plan_make(&f->plan, &f->owner, old_item, new_item), ST_OK);
	assert_int_equal(f->plan.write_units, model_units(f, projected, old_item, new_item));
	apply_plan(model, &f->plan);
	item->exists = new_item.size > 0;
	buf_reset(&item->item);
	buf_append_slice(&item->item, new_item);
	check_index(f, model, projected);
}

static void any_writes_leave_exactly_the_entries_of_the_items(void **state)
{
	static const struct {
		uint8_t local_number;
		const char *partition;
		const char *sort;
		enum index_projection projection;
		const char *projected;
	} cases[] = {
		{ 1, "S:pk", "S:ls", INDEX_PROJECTS_ALL, ",pk,sk,gp,ls,x,y," },
		{ 5, "S:pk", "S:ls", INDEX_PROJECTS_SOME, ",pk,sk,ls,x," },
		{ 2, "S:pk", "S:ls", INDEX_PROJECTS_KEYS, ",pk,sk,ls," },
		{ 0, "S:gp", "S:ls", INDEX_PROJECTS_ALL, ",pk,sk,gp,ls,x,y," },
		{ 0, "S:gp", NULL, INDEX_PROJECTS_SOME, ",pk,sk,gp,x," },
		{ 0, "N:sk", "S:gp", INDEX_PROJECTS_KEYS, ",pk,sk,gp," },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;
		struct model model;
		struct rng rng;

		rng_seed(&rng, RNG_SEED);
		fixture_start(&f, cases[i].local_number, cases[i].partition, cases[i].sort,
			      cases[i].projection);
		model_init(&model);
		for (int round = 0; round < WRITE_COUNT; round++)
			one_write(&f, &model, &rng, cases[i].projected);
		model_close(&model);
		fixture_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_change_has_its_rows_and_its_price),
		cmocka_unit_test(what_is_not_projected_does_not_touch_the_index),
		cmocka_unit_test(an_item_in_another_order_is_the_same),
		cmocka_unit_test(a_broken_item_is_told),
		cmocka_unit_test(any_writes_leave_exactly_the_entries_of_the_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
