/* One suite for every store: what engine.h promises, each promise checked on each of them. */
#include "tests/unit/engine_fixture.h"

#include <pthread.h>

#include "proto/base/rng.h"

/* --- helpers --- */

static struct slice text(const char *characters)
{
	return slice_of_string(characters);
}

/* The rows of [start, end) as "a=1 b=2 ", read forward or backward. */
static const char *rows_of(struct engine *engine, const char *start, const char *end,
			   const struct engine_snapshot *snapshot, bool is_backward)
{
	static char out[1024];
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, text(start), text(end), snapshot,
						      ENGINE_READ_MAY_BLOCK);
	size_t size = 0;

	assert_non_null(iter);
	assert_false(engine_iter_valid(engine, iter));
	if (is_backward)
		engine_iter_seek_last(engine, iter);
	else
		engine_iter_seek_first(engine, iter);
	out[0] = '\0';
	while (engine_iter_valid(engine, iter)) {
		struct slice key = engine_iter_key(engine, iter);
		struct slice value = engine_iter_value(engine, iter);

		size += (size_t)snprintf(out + size, sizeof(out) - size, "%.*s=%.*s ", (int)key.size,
					 (const char *)key.data, (int)value.size, (const char *)value.data);
		assert_true(size < sizeof(out));
		if (is_backward)
			engine_iter_prev(engine, iter);
		else
			engine_iter_next(engine, iter);
	}
	assert_int_equal(engine_iter_status(engine, iter), ST_OK);
	engine_iter_destroy(engine, iter);
	return out;
}

static const char *rows(struct engine *engine)
{
	return rows_of(engine, "", "", NULL, false);
}

static void put_letters(struct engine *engine, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		char key[2] = { *letters, '\0' };

		store_put(engine, FAMILY_ITEMS, key, key);
	}
}

static void delete_range(struct engine *engine, const char *start, const char *end)
{
	struct engine_batch *batch = engine_batch_create(engine);

	engine_batch_delete_range(engine, batch, FAMILY_ITEMS, text(start), text(end));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

/* A finished stage of "family key value" triples. */
static void make_stage(struct engine *engine, uint64_t stage_id, const char *const (*triples)[2],
		       size_t count)
{
	struct engine_stage *stage = engine_stage_create(engine, stage_id);

	assert_non_null(stage);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text(triples[i][0]),
						  text(triples[i][1])),
				 ST_OK);
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
}

/* --- values and batches --- */

static void a_written_value_is_found_at_once(void **state)
{
	struct store *store = *state;

	store_put(store->engine, FAMILY_ITEMS, "k", "v");
	assert_string_equal(store_get(store->engine, FAMILY_ITEMS, "k"), "v");
	assert_string_equal(store_get(store->engine, FAMILY_ITEMS, "K"), "-");
}

static void families_do_not_mix(void **state)
{
	struct store *store = *state;

	store_put(store->engine, FAMILY_ITEMS, "k", "items");
	store_put(store->engine, FAMILY_RAFT_STATE, "k", "state");
	assert_string_equal(store_get(store->engine, FAMILY_ITEMS, "k"), "items");
	assert_string_equal(store_get(store->engine, FAMILY_RAFT_STATE, "k"), "state");
	assert_string_equal(store_get(store->engine, FAMILY_META, "k"), "-");
}

static void the_last_operation_of_a_batch_wins(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_batch *batch = engine_batch_create(engine);

	engine_batch_put(engine, batch, FAMILY_ITEMS, text("a"), text("1"));
	engine_batch_put(engine, batch, FAMILY_ITEMS, text("b"), text("1"));
	engine_batch_delete_range(engine, batch, FAMILY_ITEMS, text("a"), text("c"));
	engine_batch_put(engine, batch, FAMILY_ITEMS, text("b"), text("2"));
	engine_batch_delete(engine, batch, FAMILY_ITEMS, text("c"));
	assert_int_equal(engine_batch_count(engine, batch), 5);
	assert_string_equal(rows(engine), "");
	assert_int_equal(engine_write(engine, batch), ST_OK);
	assert_string_equal(rows(engine), "b=2 ");
	engine_batch_destroy(engine, batch);
}

static void a_cleared_batch_can_be_filled_again(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_batch *batch = engine_batch_create(engine);

	engine_batch_put(engine, batch, FAMILY_ITEMS, text("old"), text("1"));
	engine_batch_clear(engine, batch);
	assert_int_equal(engine_batch_count(engine, batch), 0);
	engine_batch_put(engine, batch, FAMILY_ITEMS, text("new"), text("1"));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	assert_string_equal(rows(engine), "new=1 ");
	engine_batch_destroy(engine, batch);
}

static void parts_are_joined_and_empty_values_are_values(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_batch *batch = engine_batch_create(engine);
	const struct slice parts[] = { text("one"), slice_of(NULL, 0), text("-two") };

	engine_batch_put_parts(engine, batch, FAMILY_ITEMS, text("joined"), parts, 3);
	engine_batch_put_parts(engine, batch, FAMILY_ITEMS, text("none"), NULL, 0);
	engine_batch_put(engine, batch, FAMILY_ITEMS, text("void"), slice_of(NULL, 0));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	assert_string_equal(store_get(engine, FAMILY_ITEMS, "joined"), "one-two");
	assert_string_equal(store_get(engine, FAMILY_ITEMS, "none"), "");
	assert_string_equal(store_get(engine, FAMILY_ITEMS, "void"), "");
	engine_batch_destroy(engine, batch);
}

static void a_deleted_range_excludes_its_end(void **state)
{
	struct store *store = *state;

	put_letters(store->engine, "abcde");
	delete_range(store->engine, "b", "d");
	assert_string_equal(rows(store->engine), "a=a d=d e=e ");
}

static void an_inverted_range_deletes_nothing(void **state)
{
	struct store *store = *state;

	put_letters(store->engine, "abc");
	delete_range(store->engine, "c", "a");
	delete_range(store->engine, "b", "b");
	delete_range(store->engine, "b", "");
	assert_string_equal(rows(store->engine), "a=a b=b c=c ");
}

static void a_borrowed_value_outlives_its_overwriting(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_value value;

	store_put(engine, FAMILY_ITEMS, "k", "before");
	assert_int_equal(engine_get(engine, FAMILY_ITEMS, text("k"), ENGINE_READ_MAY_BLOCK, &value), ST_OK);
	store_put(engine, FAMILY_ITEMS, "k", "after");
	delete_range(engine, "a", "z");
	assert_int_equal(engine_sync(engine), ST_OK);
	assert_int_equal(value.slice.size, 6);
	assert_memory_equal(value.slice.data, "before", 6);
	engine_value_release(&value);
	engine_value_release(&value);
}

static void fresh_writes_are_read_without_the_disk(void **state)
{
	struct store *store = *state;
	struct engine_value value;

	store_put(store->engine, FAMILY_ITEMS, "k", "v");
	assert_int_equal(engine_get(store->engine, FAMILY_ITEMS, text("k"), ENGINE_READ_CACHED, &value),
			 ST_OK);
	engine_value_release(&value);
	assert_int_equal(engine_get(store->engine, FAMILY_ITEMS, text("x"), ENGINE_READ_CACHED, &value),
			 ST_NOT_FOUND);
}

/* --- iterators and snapshots --- */

static void bounds_include_the_start_and_exclude_the_end(void **state)
{
	struct store *store = *state;

	put_letters(store->engine, "abcde");
	assert_string_equal(rows_of(store->engine, "b", "d", NULL, false), "b=b c=c ");
	assert_string_equal(rows_of(store->engine, "b", "d", NULL, true), "c=c b=b ");
	assert_string_equal(rows_of(store->engine, "c", "", NULL, false), "c=c d=d e=e ");
	assert_string_equal(rows_of(store->engine, "", "c", NULL, true), "b=b a=a ");
	assert_string_equal(rows_of(store->engine, "bb", "bc", NULL, false), "");
	assert_string_equal(rows_of(store->engine, "d", "b", NULL, false), "");
	assert_string_equal(rows_of(store->engine, "d", "b", NULL, true), "");
}

static void a_seek_stays_inside_the_bounds(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_iter *iter;

	put_letters(engine, "abcde");
	iter = engine_iter_create(engine, FAMILY_ITEMS, text("b"), text("d"), NULL, ENGINE_READ_MAY_BLOCK);
	engine_iter_seek(engine, iter, text("a"));
	assert_true(slice_equal(engine_iter_key(engine, iter), text("b")));
	engine_iter_seek(engine, iter, text("bb"));
	assert_true(slice_equal(engine_iter_key(engine, iter), text("c")));
	engine_iter_prev(engine, iter);
	assert_true(slice_equal(engine_iter_key(engine, iter), text("b")));
	engine_iter_prev(engine, iter);
	assert_false(engine_iter_valid(engine, iter));
	engine_iter_seek(engine, iter, text("d"));
	assert_false(engine_iter_valid(engine, iter));
	assert_int_equal(engine_iter_status(engine, iter), ST_OK);
	engine_iter_destroy(engine, iter);
}

static void an_iterator_copies_its_bounds(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	char start[] = "b";
	char end[] = "d";
	struct engine_iter *iter;

	put_letters(engine, "abcde");
	iter = engine_iter_create(engine, FAMILY_ITEMS, text(start), text(end), NULL, ENGINE_READ_MAY_BLOCK);
	start[0] = 'x';
	end[0] = 'y';
	engine_iter_seek_last(engine, iter);
	assert_true(slice_equal(engine_iter_key(engine, iter), text("c")));
	engine_iter_destroy(engine, iter);
}

static void an_iterator_does_not_see_later_writes(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_iter *iter;

	put_letters(engine, "ac");
	iter = engine_iter_create(engine, FAMILY_ITEMS, text(""), text(""), NULL, ENGINE_READ_MAY_BLOCK);
	engine_iter_seek_first(engine, iter);
	put_letters(engine, "b");
	delete_range(engine, "c", "d");
	assert_int_equal(engine_sync(engine), ST_OK);
	engine_iter_next(engine, iter);
	assert_true(slice_equal(engine_iter_key(engine, iter), text("c")));
	engine_iter_destroy(engine, iter);
	assert_string_equal(rows(engine), "a=a b=b ");
}

static void a_snapshot_keeps_the_past(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_snapshot *snapshot;

	put_letters(engine, "ab");
	snapshot = engine_snapshot_create(engine);
	assert_non_null(snapshot);
	store_put(engine, FAMILY_ITEMS, "a", "new");
	delete_range(engine, "b", "c");
	put_letters(engine, "c");
	assert_int_equal(engine_sync(engine), ST_OK);
	assert_string_equal(rows_of(engine, "", "", snapshot, false), "a=a b=b ");
	assert_string_equal(rows_of(engine, "", "", snapshot, true), "b=b a=a ");
	engine_snapshot_release(engine, snapshot);
	assert_string_equal(rows(engine), "a=new c=c ");
}

/* --- stages --- */

static const char *const two_rows[][2] = { { "b", "staged" }, { "d", "staged" } };

static void an_ingested_stage_adds_its_rows_as_newest(void **state)
{
	struct store *store = *state;

	put_letters(store->engine, "abc");
	make_stage(store->engine, 7, two_rows, 2);
	assert_string_equal(rows(store->engine), "a=a b=b c=c ");
	assert_int_equal(engine_stage_ingest(store->engine, 7), ST_OK);
	assert_string_equal(rows(store->engine), "a=a b=staged c=c d=staged ");
	assert_int_equal(engine_stage_remove(store->engine, 7), ST_OK);
	assert_string_equal(rows(store->engine), "a=a b=staged c=c d=staged ");
}

static void ingesting_twice_wins_over_writes_in_between(void **state)
{
	struct store *store = *state;

	make_stage(store->engine, 7, two_rows, 2);
	assert_int_equal(engine_stage_ingest(store->engine, 7), ST_OK);
	delete_range(store->engine, "a", "z");
	put_letters(store->engine, "bc");
	delete_range(store->engine, "a", "z");
	assert_int_equal(engine_stage_ingest(store->engine, 7), ST_OK);
	assert_string_equal(rows(store->engine), "b=staged d=staged ");
}

static void a_stage_may_span_families(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_stage *stage = engine_stage_create(engine, 1);

	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("k"), text("items")), ST_OK);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_LOCAL_INDEXES, text("a"), text("index")),
			 ST_OK);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_META, text("a"), text("")), ST_OK);
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_OK);
	assert_string_equal(store_get(engine, FAMILY_ITEMS, "k"), "items");
	assert_string_equal(store_get(engine, FAMILY_LOCAL_INDEXES, "a"), "index");
	assert_string_equal(store_get(engine, FAMILY_META, "a"), "");
}

static void an_empty_stage_is_a_stage(void **state)
{
	struct store *store = *state;

	make_stage(store->engine, 1, NULL, 0);
	assert_int_equal(engine_stage_ingest(store->engine, 1), ST_OK);
	assert_string_equal(rows(store->engine), "");
}

static void rows_out_of_order_are_refused_for_good(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_stage *stage = engine_stage_create(engine, 1);

	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("b"), text("")), ST_OK);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("b"), text("")), ST_INVALID);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("c"), text("")), ST_INVALID);
	assert_int_equal(engine_stage_finish(engine, stage), ST_INVALID);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_NOT_FOUND);
	stage = engine_stage_create(engine, 1);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_META, text("a"), text("")), ST_OK);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("b"), text("")), ST_INVALID);
	engine_stage_abandon(engine, stage);
}

static void an_abandoned_or_removed_stage_is_not_found(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_stage *stage = engine_stage_create(engine, 1);

	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, text("b"), text("")), ST_OK);
	engine_stage_abandon(engine, stage);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_NOT_FOUND);
	make_stage(engine, 2, two_rows, 2);
	assert_int_equal(engine_stage_remove(engine, 2), ST_OK);
	assert_int_equal(engine_stage_remove(engine, 2), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, 2), ST_NOT_FOUND);
}

static void creating_a_stage_replaces_an_older_one(void **state)
{
	static const char *const other_rows[][2] = { { "x", "newer" } };
	struct store *store = *state;
	struct engine_stage *stage;

	make_stage(store->engine, 1, two_rows, 2);
	make_stage(store->engine, 1, other_rows, 1);
	assert_int_equal(engine_stage_ingest(store->engine, 1), ST_OK);
	assert_string_equal(rows(store->engine), "x=newer ");
	stage = engine_stage_create(store->engine, 1);
	assert_int_equal(engine_stage_ingest(store->engine, 1), ST_NOT_FOUND);
	engine_stage_abandon(store->engine, stage);
}

static void finished_stages_survive_a_restart_and_others_do_not(void **state)
{
	struct store *store = *state;
	struct engine_stage *stage;

	if (!store_survives_closing(store))
		return;
	make_stage(store->engine, 1, two_rows, 2);
	stage = engine_stage_create(store->engine, 2);
	assert_int_equal(engine_stage_add(store->engine, stage, FAMILY_ITEMS, text("x"), text("")), ST_OK);
	engine_stage_abandon(store->engine, stage);
	store_close(store);
	store_open(store);
	assert_int_equal(engine_stage_ingest(store->engine, 2), ST_NOT_FOUND);
	assert_int_equal(engine_stage_ingest(store->engine, 1), ST_OK);
	assert_string_equal(rows(store->engine), "b=staged d=staged ");
	store_close(store);
	store_open(store);
	assert_int_equal(engine_stage_ingest(store->engine, 1), ST_OK);
	assert_string_equal(rows(store->engine), "b=staged d=staged ");
}

/* --- life and figures --- */

static void what_was_written_is_there_after_reopening(void **state)
{
	struct store *store = *state;

	if (!store_survives_closing(store))
		return;
	put_letters(store->engine, "abc");
	delete_range(store->engine, "b", "c");
	store_close(store);
	store_open(store);
	assert_string_equal(rows(store->engine), "a=a c=c ");
}

static void free_bytes_are_told(void **state)
{
	struct store *store = *state;
	uint64_t free_bytes = engine_free_bytes(store->engine);

	assert_true(free_bytes > 0);
	if (store->kind != STORE_ROCKSDB_DISK)
		assert_true(free_bytes == UINT64_MAX);
}

static void an_ingested_range_has_a_size(void **state)
{
	struct store *store = *state;
	struct engine *engine = store->engine;
	struct engine_stage *stage = engine_stage_create(engine, 1);
	struct rng rng;

	if (store->kind == STORE_ROCKSDB_MEMORY) { /* counts flushed rows only, and flushes none here */
		engine_stage_abandon(engine, stage);
		return;
	}
	rng_seed(&rng, 1);
	for (unsigned i = 0; i < 1000; i++) {
		char key[16];
		uint8_t value[256];

		(void)snprintf(key, sizeof(key), "%08u", i);
		rng_fill(&rng, value, sizeof(value));
		assert_int_equal(
			engine_stage_add(engine, stage, FAMILY_ITEMS, text(key), slice_of(value, 256)),
			ST_OK);
	}
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_OK);
	assert_in_range(engine_approximate_size_bytes(engine, FAMILY_ITEMS, text(""), text("")), 250000,
			300000);
	assert_in_range(engine_approximate_size_bytes(engine, FAMILY_ITEMS, text("00000500"), text("")),
			110000, 160000);
	assert_int_equal(engine_approximate_size_bytes(engine, FAMILY_ITEMS, text("x"), text("y")), 0);
}

/* --- against a model --- */

enum { MODEL_KEYS = 60, MODEL_STEPS = 1500 };

/* values[k] == 0: no such key. */
struct model {
	uint32_t values[MODEL_KEYS];
};

static struct slice model_key(unsigned index, uint8_t out[2])
{
	/* Uneven prefixes: "A", "AA", "AB", "B", ... sort like their indexes. */
	out[0] = (uint8_t)('A' + index / 3);
	out[1] = (uint8_t)('A' + index % 3 - 1);
	return slice_of(out, index % 3 == 0 ? 1 : 2);
}

static void write_random_batch(struct engine *engine, struct model *model, struct rng *rng)
{
	struct engine_batch *batch = engine_batch_create(engine);
	size_t count = rng_below(rng, 6) + 1;

	for (size_t i = 0; i < count; i++) {
		unsigned index = (unsigned)rng_below(rng, MODEL_KEYS);
		unsigned end_index = (unsigned)rng_below(rng, MODEL_KEYS);
		uint32_t value = (uint32_t)rng_below(rng, UINT32_MAX) + 1;
		uint8_t key[2];
		uint8_t end[2];

		switch (rng_below(rng, 8)) {
		case 0:
			engine_batch_delete_range(engine, batch, FAMILY_ITEMS, model_key(index, key),
						  model_key(end_index, end));
			for (unsigned k = index; k < end_index; k++)
				model->values[k] = 0;
			break;
		case 1:
		case 2:
			engine_batch_delete(engine, batch, FAMILY_ITEMS, model_key(index, key));
			model->values[index] = 0;
			break;
		default:
			engine_batch_put(engine, batch, FAMILY_ITEMS, model_key(index, key),
					 slice_of(&value, sizeof(value)));
			model->values[index] = value;
		}
	}
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

static void check_row(struct engine *engine, const struct engine_iter *iter, const struct model *model,
		      unsigned index)
{
	uint8_t key[2];

	assert_true(engine_iter_valid(engine, iter));
	assert_true(slice_equal(engine_iter_key(engine, iter), model_key(index, key)));
	assert_true(slice_equal(engine_iter_value(engine, iter),
				slice_of(&model->values[index], sizeof(model->values[index]))));
}

static void check_range(struct engine *engine, const struct model *model, unsigned start, unsigned end,
			const struct engine_snapshot *snapshot)
{
	uint8_t start_key[2];
	uint8_t end_key[2];
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, model_key(start, start_key),
						      end == MODEL_KEYS ? slice_of(NULL, 0)
									: model_key(end, end_key),
						      snapshot, ENGINE_READ_MAY_BLOCK);

	engine_iter_seek_first(engine, iter);
	for (unsigned k = start; k < end; k++) {
		if (model->values[k] == 0)
			continue;
		check_row(engine, iter, model, k);
		engine_iter_next(engine, iter);
	}
	assert_false(engine_iter_valid(engine, iter));
	engine_iter_seek_last(engine, iter);
	for (unsigned k = end; k-- > start;) {
		if (model->values[k] == 0)
			continue;
		check_row(engine, iter, model, k);
		engine_iter_prev(engine, iter);
	}
	assert_false(engine_iter_valid(engine, iter));
	assert_int_equal(engine_iter_status(engine, iter), ST_OK);
	engine_iter_destroy(engine, iter);
}

static void check_get(struct engine *engine, const struct model *model, unsigned index)
{
	uint8_t key[2];
	struct engine_value value;
	enum status status = engine_get(engine, FAMILY_ITEMS, model_key(index, key), ENGINE_READ_MAY_BLOCK,
					&value);

	assert_int_equal(status, model->values[index] == 0 ? ST_NOT_FOUND : ST_OK);
	if (status != ST_OK)
		return;
	assert_true(slice_equal(value.slice, slice_of(&model->values[index], sizeof(uint32_t))));
	engine_value_release(&value);
}

/* Ingest a random sorted subset of the keys. */
static void ingest_random_stage(struct engine *engine, struct model *model, struct rng *rng)
{
	struct engine_stage *stage = engine_stage_create(engine, 1);

	assert_non_null(stage);
	for (unsigned k = 0; k < MODEL_KEYS; k++) {
		uint32_t value = (uint32_t)rng_below(rng, UINT32_MAX) + 1;
		uint8_t key[2];

		if (rng_below(rng, 10) != 0)
			continue;
		assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, model_key(k, key),
						  slice_of(&value, sizeof(value))),
				 ST_OK);
		model->values[k] = value;
	}
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_OK);
}

static void random_work_agrees_with_a_model(void **state)
{
	struct store *store = *state;
	struct model model = { .values = { 0 } };
	struct model past = model;
	struct engine_snapshot *snapshot = NULL;
	struct rng rng;

	rng_seed(&rng, 20260101);
	for (unsigned step = 0; step < MODEL_STEPS; step++) {
		unsigned start = (unsigned)rng_below(&rng, MODEL_KEYS);
		unsigned end = start + (unsigned)rng_below(&rng, MODEL_KEYS - start) + 1;

		write_random_batch(store->engine, &model, &rng);
		check_get(store->engine, &model, start);
		check_range(store->engine, &model, start, end, NULL);
		if (snapshot != NULL)
			check_range(store->engine, &past, start, end, snapshot);
		if (rng_below(&rng, 20) == 0)
			assert_int_equal(engine_sync(store->engine), ST_OK);
		if (rng_below(&rng, 100) == 0)
			ingest_random_stage(store->engine, &model, &rng);
		if (rng_below(&rng, 30) != 0)
			continue;
		engine_snapshot_release(store->engine, snapshot);
		snapshot = engine_snapshot_create(store->engine);
		past = model;
	}
	engine_snapshot_release(store->engine, snapshot);
}

static void random_work_is_there_after_each_reopening(void **state)
{
	struct store *store = *state;
	struct model model = { .values = { 0 } };
	struct rng rng;

	if (!store_survives_closing(store))
		return;
	rng_seed(&rng, 7);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 30; i++)
			write_random_batch(store->engine, &model, &rng);
		store_close(store);
		store_open(store);
		check_range(store->engine, &model, 0, MODEL_KEYS, NULL);
	}
}

/* --- threads --- */

enum { WRITER_COUNT = 3, BATCHES_PER_WRITER = 300 };

struct writer {
	pthread_t thread;
	struct engine *engine;
	unsigned index;
	unsigned failed_count;
};

static void *run_writer(void *argument)
{
	struct writer *writer = argument;
	struct engine *engine = writer->engine;
	struct engine_batch *batch = engine_batch_create(engine);

	for (unsigned i = 0; i < BATCHES_PER_WRITER; i++) {
		uint8_t key[8];
		struct engine_value value = { .engine = NULL };

		put_u32_be(key, writer->index);
		put_u32_be(key + 4, i);
		engine_batch_clear(engine, batch);
		engine_batch_put(engine, batch, FAMILY_ITEMS, slice_of(key, 8), slice_of(key, 8));
		engine_batch_put(engine, batch, FAMILY_META, slice_of("shared", 6), slice_of(key, 8));
		if (engine_write(engine, batch) != ST_OK ||
		    engine_get(engine, FAMILY_ITEMS, slice_of(key, 8), ENGINE_READ_CACHED, &value) != ST_OK)
			writer->failed_count++;
		engine_value_release(&value);
	}
	engine_batch_destroy(engine, batch);
	return NULL;
}

static size_t count_rows(struct engine *engine)
{
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, text(""), text(""), NULL,
						      ENGINE_READ_MAY_BLOCK);
	size_t count = 0;

	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		count++;
	engine_iter_destroy(engine, iter);
	return count;
}

static void writers_readers_and_the_syncer_run_side_by_side(void **state)
{
	struct store *store = *state;
	struct writer writers[WRITER_COUNT];

	for (unsigned i = 0; i < WRITER_COUNT; i++) {
		writers[i] = (struct writer){ .engine = store->engine, .index = i };
		assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]), 0);
	}
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(engine_sync(store->engine), ST_OK);
		assert_true(count_rows(store->engine) <= WRITER_COUNT * BATCHES_PER_WRITER);
	}
	for (unsigned i = 0; i < WRITER_COUNT; i++) {
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
		assert_int_equal(writers[i].failed_count, 0);
	}
	assert_int_equal(count_rows(store->engine), WRITER_COUNT * BATCHES_PER_WRITER);
}

/* --- running each test on each store --- */

static const char *const kind_names[STORE_KIND_COUNT] = { "rocksdb on disk", "rocksdb in memory",
							  "simulated" };

static int start(void **state)
{
	const enum store_kind *kind = *state;
	struct store *store = malloc(sizeof(*store));

	assert_non_null(store);
	store_start(store, *kind);
	*state = store;
	return 0;
}

static int stop(void **state)
{
	store_stop(*state);
	free(*state);
	return 0;
}

#define STORE_TEST(test)                                                                                     \
	{                                                                                                    \
#test, test, start, stop, &kind                                                              \
	}

static int run_on(enum store_kind kind)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_written_value_is_found_at_once),
		STORE_TEST(families_do_not_mix),
		STORE_TEST(the_last_operation_of_a_batch_wins),
		STORE_TEST(a_cleared_batch_can_be_filled_again),
		STORE_TEST(parts_are_joined_and_empty_values_are_values),
		STORE_TEST(a_deleted_range_excludes_its_end),
		STORE_TEST(an_inverted_range_deletes_nothing),
		STORE_TEST(a_borrowed_value_outlives_its_overwriting),
		STORE_TEST(fresh_writes_are_read_without_the_disk),
		STORE_TEST(bounds_include_the_start_and_exclude_the_end),
		STORE_TEST(a_seek_stays_inside_the_bounds),
		STORE_TEST(an_iterator_copies_its_bounds),
		STORE_TEST(an_iterator_does_not_see_later_writes),
		STORE_TEST(a_snapshot_keeps_the_past),
		STORE_TEST(an_ingested_stage_adds_its_rows_as_newest),
		STORE_TEST(ingesting_twice_wins_over_writes_in_between),
		STORE_TEST(a_stage_may_span_families),
		STORE_TEST(an_empty_stage_is_a_stage),
		STORE_TEST(rows_out_of_order_are_refused_for_good),
		STORE_TEST(an_abandoned_or_removed_stage_is_not_found),
		STORE_TEST(creating_a_stage_replaces_an_older_one),
		STORE_TEST(finished_stages_survive_a_restart_and_others_do_not),
		STORE_TEST(what_was_written_is_there_after_reopening),
		STORE_TEST(free_bytes_are_told),
		STORE_TEST(an_ingested_range_has_a_size),
		STORE_TEST(random_work_agrees_with_a_model),
		STORE_TEST(random_work_is_there_after_each_reopening),
		STORE_TEST(writers_readers_and_the_syncer_run_side_by_side),
	};

	return cmocka_run_group_tests_name(kind_names[kind], tests, NULL, NULL);
}

int main(void)
{
	int failed_count = 0;

	for (enum store_kind kind = 0; kind < STORE_KIND_COUNT; kind++)
		failed_count += run_on(kind);
	return failed_count;
}
