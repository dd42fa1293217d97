/* Families of streams: rows that come at the end of one of many streams, and go at its beginning, beside each
 * other, over restarts, and while another thread writes; each stream against what it must hold. */
#include "tests/unit/engine_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "proto/base/rng.h"

enum { STREAM_COUNT = 24, STEPS = 4000, REOPEN_EVERY = 1000, KEY_SIZE_MAX = 17, VALUE_SIZE = 200 };

struct stream {
	uint64_t first;
	uint64_t next;          /* first == next: empty */
	uint64_t written[4096]; /* what the row of a number says, by number */
};

struct bench {
	struct store store;
	enum engine_family family;
	struct stream streams[STREAM_COUNT];
};

/* As raft_log names its rows, or meta those of one kind. */
static struct slice row_key(enum engine_family family, unsigned stream, uint64_t number,
			    uint8_t out[KEY_SIZE_MAX])
{
	size_t size = sizeof(uint64_t);

	put_u64_be(out, stream + 1);
	if (family == FAMILY_META)
		out[size++] = 'O';
	put_u64_be(out + size, number);
	return slice_of(out, size + sizeof(uint64_t));
}

static void append(struct bench *bench, struct engine_batch *batch, unsigned index, uint64_t count,
		   struct rng *rng)
{
	struct stream *stream = &bench->streams[index];

	for (uint64_t i = 0; i < count && stream->next < 4096; i++) {
		uint8_t key[KEY_SIZE_MAX];
		uint64_t value[VALUE_SIZE / sizeof(uint64_t)] = { rng_u64(rng) };

		engine_batch_put(bench->store.engine, batch, bench->family,
				 row_key(bench->family, index, stream->next, key),
				 slice_of(value, sizeof(value)));
		stream->written[stream->next++] = value[0];
	}
}

/* What a new leader's entries replace goes one by one. */
static void take_back(struct bench *bench, struct engine_batch *batch, unsigned index, uint64_t count)
{
	struct stream *stream = &bench->streams[index];

	for (uint64_t i = 0; i < count && stream->next > stream->first; i++) {
		uint8_t key[KEY_SIZE_MAX];

		engine_batch_delete(bench->store.engine, batch, bench->family,
				    row_key(bench->family, index, --stream->next, key));
	}
}

static void forget(struct bench *bench, struct engine_batch *batch, unsigned index, uint64_t count)
{
	struct stream *stream = &bench->streams[index];
	uint8_t end[KEY_SIZE_MAX];
	struct slice key;

	stream->first = stream->next - stream->first < count ? stream->next : stream->first + count;
	key = row_key(bench->family, index, stream->first, end);
	engine_batch_delete_range(bench->store.engine, batch, bench->family,
				  slice_of(key.data, key.size - sizeof(uint64_t)), key);
}

static void check_stream(struct bench *bench, unsigned index)
{
	struct stream *stream = &bench->streams[index];
	struct engine *engine = bench->store.engine;
	uint8_t start[KEY_SIZE_MAX];
	uint8_t end[KEY_SIZE_MAX];
	struct engine_iter *iter = engine_iter_create(
		engine, bench->family, row_key(bench->family, index, 0, start),
		row_key(bench->family, index, UINT64_MAX, end), NULL, ENGINE_READ_MAY_BLOCK);

	assert_non_null(iter);
	engine_iter_seek_first(engine, iter);
	for (uint64_t number = stream->first; number < stream->next; number++) {
		uint8_t key[KEY_SIZE_MAX];

		assert_true(engine_iter_valid(engine, iter));
		assert_true(slice_equal(engine_iter_key(engine, iter),
					row_key(bench->family, index, number, key)));
		assert_memory_equal(engine_iter_value(engine, iter).data, &stream->written[number],
				    sizeof(uint64_t));
		engine_iter_next(engine, iter);
	}
	assert_false(engine_iter_valid(engine, iter));
	assert_int_equal(engine_iter_status(engine, iter), ST_OK);
	engine_iter_destroy(engine, iter);
}

static void step(struct bench *bench, struct rng *rng)
{
	struct engine_batch *batch = engine_batch_create(bench->store.engine);
	unsigned streams = (unsigned)rng_below(rng, 6) + 1;

	assert_non_null(batch);
	for (unsigned i = 0; i < streams; i++) {
		unsigned index = (unsigned)rng_below(rng, STREAM_COUNT);

		if (rng_below(rng, 20) == 0)
			take_back(bench, batch, index, rng_below(rng, 4));
		if (rng_below(rng, 40) == 0)
			forget(bench, batch, index, rng_below(rng, 60));
		append(bench, batch, index, rng_below(rng, 4), rng);
	}
	assert_int_equal(engine_write(bench->store.engine, batch), ST_OK);
	engine_batch_destroy(bench->store.engine, batch);
}

static void check_all(struct bench *bench)
{
	for (unsigned index = 0; index < STREAM_COUNT; index++)
		check_stream(bench, index);
}

static void streams_hold_what_was_added(void **state)
{
	struct bench *bench = *state;
	struct rng rng;

	rng_seed(&rng, 11);
	for (unsigned i = 0; i < STREAM_COUNT; i++)
		bench->streams[i].first = bench->streams[i].next = 1;
	for (unsigned i = 0; i < STEPS; i++) {
		step(bench, &rng);
		check_stream(bench, (unsigned)rng_below(&rng, STREAM_COUNT));
		if (i % REOPEN_EVERY != REOPEN_EVERY - 1 || !store_survives_closing(&bench->store))
			continue;
		store_close(&bench->store);
		store_open(&bench->store);
		check_all(bench);
	}
	check_all(bench);
}

/* --- beside another writer, as the log's thread is beside the loop --- */

struct neighbour {
	struct engine *engine;
	atomic_bool is_over;
	unsigned failed_count;
};

static void *write_items(void *argument)
{
	struct neighbour *neighbour = argument;
	struct engine_batch *batch = engine_batch_create(neighbour->engine);

	for (uint64_t i = 0; !atomic_load(&neighbour->is_over); i++) {
		uint8_t key[8];

		put_u64_be(key, i * 0x9E3779B97F4A7C15u);
		engine_batch_clear(neighbour->engine, batch);
		engine_batch_put(neighbour->engine, batch, FAMILY_ITEMS, slice_of(key, 8), slice_of(key, 8));
		engine_batch_put(neighbour->engine, batch, FAMILY_META, slice_of(key, 8), slice_of(key, 8));
		if (engine_write(neighbour->engine, batch) != ST_OK)
			neighbour->failed_count++;
	}
	engine_batch_destroy(neighbour->engine, batch);
	return NULL;
}

static void streams_bear_a_second_writer(void **state)
{
	struct bench *bench = *state;
	struct neighbour neighbour = { .engine = bench->store.engine };
	struct rng rng;
	pthread_t thread;

	rng_seed(&rng, 12);
	for (unsigned i = 0; i < STREAM_COUNT; i++)
		bench->streams[i].first = bench->streams[i].next = 1;
	assert_int_equal(pthread_create(&thread, NULL, write_items, &neighbour), 0);
	for (unsigned i = 0; i < STEPS; i++)
		step(bench, &rng);
	atomic_store(&neighbour.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(neighbour.failed_count, 0);
	check_all(bench);
}

/* --- the suite, for every store and family of streams --- */

struct kind {
	enum store_kind store;
	enum engine_family family;
};

static int start(void **state)
{
	const struct kind *kind = *state;
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL)
		return -1;
	assert_int_not_equal(engine_stream_name_size(kind->family), 0);
	bench->family = kind->family;
	store_start(&bench->store, kind->store);
	*state = bench;
	return 0;
}

static int stop(void **state)
{
	struct bench *bench = *state;

	store_stop(&bench->store);
	free(bench);
	return 0;
}

int main(void)
{
	static const enum engine_family families[] = { FAMILY_RAFT_LOG, FAMILY_META };
	int failed_count = 0;

	for (enum store_kind store = 0; store < STORE_KIND_COUNT; store++) {
		for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
			struct kind kind = { store, families[i] };
			struct kind other = kind;
			const struct CMUnitTest tests[] = {
				cmocka_unit_test_prestate_setup_teardown(streams_hold_what_was_added, start,
									 stop, &kind),
				cmocka_unit_test_prestate_setup_teardown(streams_bear_a_second_writer, start,
									 stop, &other),
			};

			failed_count += cmocka_run_group_tests_name(engine_family_name(families[i]), tests,
								    NULL, NULL);
		}
	}
	return failed_count;
}
