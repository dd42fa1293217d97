/* Rows of an index in memory, the range that a Query or Scan of it reads, and its pages, as a client reads
 * them. */
#ifndef TESTS_UNIT_INDEX_RANGE_FIXTURE_H
#define TESTS_UNIT_INDEX_RANGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/api/api_query_range.h"
#include "coordinator/api/api_start_key.h"
#include "tests/unit/index_fixture.h"

enum { TABLE_ID = 7, DERIVED_ID = 9, ROWS = 120, ROW_KEY_SIZE_MAX = 256, ARENA_SIZE = 16 * 1024 * 1024 };

/* One item by the values of its index key, and its row in the index that is read. */
struct row {
	uint32_t number;
	uint32_t values[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint8_t key[ROW_KEY_SIZE_MAX];
	size_t key_size;
};

struct fixture {
	struct arena arena;
	struct catalog_state state;
	struct table_info table;
	struct api_query_target target;
	struct buf body; /* input borrows from it */
	struct api_query_input input;
	struct api_query_range range;
	struct api_error error;
	struct rng rng;
	struct row rows[ROWS]; /* in the order of the index */
};

/* Table: pk S, sk N, with so many indexes, which the caller defines; the derived table is there. */
static inline struct table_indexes *range_fixture_open(struct fixture *f, uint32_t index_count)
{
	struct table_info derived = { .table_id = DERIVED_ID,
				      .state = TABLE_ACTIVE,
				      .name = CATALOG_DERIVED_PREFIX "9",
				      .token_seed = 77,
				      .base_table_id = TABLE_ID };
	struct table_indexes *indexes;

	memset(f, 0, sizeof(*f));
	arena_init(&f->arena, ARENA_SIZE);
	buf_init(&f->body, 8192);
	api_error_init(&f->error);
	indexes = arena_alloc_zeroed(&f->arena, sizeof(*indexes) + index_count * sizeof(indexes->list[0]));
	assert_non_null(indexes);
	indexes->count = index_count;
	f->table.table_id = TABLE_ID;
	f->table.token_seed = 99;
	f->table.indexes = indexes;
	index_fixture_schema(&f->table.schema, "S:pk", "N:sk");
	catalog_state_init(&f->state);
	assert_int_equal(catalog_state_put_table(&f->state, &derived), ST_OK);
	return indexes;
}

static inline void fixture_close(struct fixture *f)
{
	catalog_state_close(&f->state);
	buf_close(&f->body);
	arena_close(&f->arena);
}

/* --- rows --- */

static inline void set_row_key(struct fixture *f, struct row *row, struct slice item)
{
	struct index_owner owner = api_query_target_owner(&f->target);
	struct buf key;

	buf_init(&key, sizeof(row->key));
	assert_int_equal(table_index_row_key(&key, &owner, item), ST_OK);
	memcpy(row->key, key.data, key.size);
	row->key_size = key.size;
	buf_close(&key);
}

static inline int by_row_key(const void *a, const void *b)
{
	const struct row *left = a;
	const struct row *right = b;

	return slice_compare(slice_of(left->key, left->key_size), slice_of(right->key, right->key_size));
}

static inline bool in_range(const struct fixture *f, const struct row *row)
{
	struct slice key = slice_of(row->key, row->key_size);

	return slice_compare(key, f->range.start) >= 0 && slice_compare(key, f->range.end) < 0;
}

/* --- reading --- */

static inline bool make_range(struct fixture *f, enum api_query_kind kind)
{
	return kind == API_QUERY
		       ? api_query_range_of_query(&f->input, &f->target, &f->arena, &f->range, &f->error)
		       : api_query_range_of_scan(&f->input, &f->target, &f->arena, &f->range, &f->error);
}

/* A row's LastEvaluatedKey, given back as ExclusiveStartKey: all attributes of both keys. */
static inline void start_after(struct fixture *f, const struct row *row)
{
	struct index_owner owner = api_query_target_owner(&f->target);
	struct buf key;

	buf_init(&key, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	assert_int_equal(api_query_target_to_key(&f->target, slice_of(row->key, row->key_size), &key), ST_OK);
	assert_int_equal(item_count(buf_slice(&key)), table_index_key_count(&owner));
	f->input.start_key = slice_of(arena_copy(&f->arena, buf_slice(&key)), key.size);
	assert_non_null(f->input.start_key.data);
	buf_close(&key);
}

/* Page by page, as a client does; returns the numbers of the rows in order. */
static inline uint32_t read_pages(struct fixture *f, enum api_query_kind kind, uint32_t limit,
				  uint32_t numbers[ROWS])
{
	uint32_t count = 0;
	bool is_cut;

	do {
		uint32_t page = 0;

		assert_true(make_range(f, kind));
		is_cut = false;
		for (uint32_t i = 0; i < ROWS && !is_cut; i++) {
			const struct row *row = &f->rows[f->input.is_backward ? ROWS - 1 - i : i];

			if (!in_range(f, row))
				continue;
			assert_true(count < ROWS);
			numbers[count++] = row->number;
			is_cut = ++page == limit;
			if (is_cut)
				start_after(f, row);
		}
	} while (is_cut);
	return count;
}

#endif
