#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "node/server/write_check.h"
#include "proto/base/rng.h"
#include "proto/model/item_builder.h"
#include "proto/model/row_key.h"

enum { RNG_SEED = 11, FLIPS = 20000, COST_ROUNDS = 20000 };

struct fixture {
	struct table_info table;
	struct buf item;
	struct buf row_key;
	struct buf scratch;
	Cleave__WriteItemRequest message;
};

static ProtobufCBinaryData borrow(const struct buf *bytes)
{
	return (ProtobufCBinaryData){ bytes->size, bytes->data };
}

static void put_string(struct item_builder *builder, const char *name, const char *value)
{
	item_builder_name(builder, slice_of_string(name));
	item_builder_string(builder, slice_of_string(value));
}

/* A sound PUT of { pk: "user", sk: 7, v0..v9: about 90 bytes each }, as a coordinator sends it. */
static void open_fixture(struct fixture *f)
{
	static const char filler[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
				     "01234567890123456789";
	struct item_builder builder;
	struct row_key_error error;
	struct decimal seven;

	*f = (struct fixture){ .table = { .table_id = 5, .token_seed = 77 } };
	assert_int_equal(table_schema_init(&f->table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(
		table_schema_add_sort_key(&f->table.schema, slice_of_string("sk"), slice_of_string("N")),
		ST_OK);
	buf_init(&f->item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&f->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&f->scratch, LIMIT_ROW_KEY_SIZE_BYTES);
	item_builder_init(&builder, &f->item);
	put_string(&builder, "pk", "user");
	decimal_from_int(&seven, 7);
	item_builder_name(&builder, slice_of_string("sk"));
	item_builder_number(&builder, &seven);
	for (char name[] = "v0"; name[1] <= '9'; name[1]++)
		put_string(&builder, name, filler);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(row_key_from_item(&f->row_key, f->table.table_id, f->table.token_seed,
					   &f->table.schema, buf_slice(&f->item), &error),
			 ST_OK);
	cleave__write_item_request__init(&f->message);
	f->message.kind = CLEAVE__WRITE_ITEM_REQUEST__KIND__PUT;
	f->message.item = borrow(&f->item);
	f->message.row_key = borrow(&f->row_key);
}

static void close_fixture(struct fixture *f)
{
	buf_close(&f->item);
	buf_close(&f->row_key);
	buf_close(&f->scratch);
}

static enum status check(struct fixture *f)
{
	return write_check(&f->message, &f->table, &f->scratch);
}

static void as_delete(struct fixture *f)
{
	f->message.kind = CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE;
	f->message.item.len = 0;
}

static void what_a_coordinator_sends_is_accepted(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	assert_int_equal(check(&f), ST_OK);
	assert_int_equal(write_check(&f.message, NULL, &f.scratch), ST_OK);
	as_delete(&f);
	assert_int_equal(check(&f), ST_OK);
	assert_int_equal(write_check(&f.message, NULL, &f.scratch), ST_OK);
	close_fixture(&f);
}

static void bytes_that_are_no_item_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.message.item.len--; /* cut */
	assert_int_equal(check(&f), ST_INVALID);
	assert_int_equal(write_check(&f.message, NULL, &f.scratch), ST_INVALID);
	f.message.item.len++;
	f.item.data[f.item.size - 1] = 0xff; /* not UTF-8 */
	assert_int_equal(check(&f), ST_INVALID);
	f.item.data[f.item.size - 1] = 'x';
	f.item.data[3]--; /* one attribute less than there is */
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);
}

static void an_item_that_is_too_big_is_refused(void **state)
{
	static uint8_t big[LIMIT_ITEM_SIZE_BYTES];
	struct item_builder builder;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	buf_reset(&f.item);
	item_builder_init(&builder, &f.item);
	item_builder_name(&builder, slice_of_string("b"));
	item_builder_binary(&builder, slice_of(big, sizeof(big) - 1));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	f.message.item = borrow(&f.item);
	assert_int_equal(write_check(&f.message, NULL, &f.scratch), ST_OK); /* 400 KB with its name */
	buf_reset(&f.item);
	item_builder_init(&builder, &f.item);
	item_builder_name(&builder, slice_of_string("b"));
	item_builder_binary(&builder, slice_of(big, sizeof(big)));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	f.message.item = borrow(&f.item);
	assert_int_equal(write_check(&f.message, NULL, &f.scratch), ST_INVALID);
	close_fixture(&f);
}

static void a_key_of_another_item_or_table_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.row_key.data[3]++; /* the table */
	assert_int_equal(check(&f), ST_INVALID);
	as_delete(&f);
	assert_int_equal(check(&f), ST_INVALID);
	f.row_key.data[3]--;
	f.row_key.data[11] ^= 1; /* the token */
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);

	open_fixture(&f);
	f.row_key.data[f.row_key.size - 1] ^= 0x10; /* the sort key: another number or none */
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);

	open_fixture(&f);
	f.message.row_key.len--;
	assert_int_equal(check(&f), ST_INVALID);
	as_delete(&f);
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);
}

static void a_table_that_holds_an_index_takes_no_clients_write(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.table.base_table_id = 4;
	assert_int_equal(check(&f), ST_INVALID);
	as_delete(&f);
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);
}

static void an_item_without_its_key_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.table.schema.attributes[1].name[0] = 'x';
	assert_int_equal(check(&f), ST_INVALID);
	f.table.schema.attributes[1].name[0] = 's';
	f.table.schema.attributes[1].type = ITEM_S;
	assert_int_equal(check(&f), ST_INVALID);
	close_fixture(&f);
}

/* Whatever is flipped: what passes is an item whose key is its own. */
static void a_flipped_bit_is_refused_or_makes_another_sound_write(void **state)
{
	struct row_key_error error;
	struct rng rng;
	struct fixture f;
	uint32_t refused = 0;

	(void)state;
	open_fixture(&f);
	rng_seed(&rng, RNG_SEED);
	for (uint32_t i = 0; i < FLIPS; i++) {
		bool in_key = i % 4 == 0;
		struct buf *target = in_key ? &f.row_key : &f.item;
		size_t at = rng_below(&rng, target->size);
		uint8_t bit = (uint8_t)(1u << rng_below(&rng, 8));
		enum status status;

		target->data[at] ^= bit;
		status = check(&f);
		refused += status != ST_OK;
		if (status == ST_OK) {
			assert_false(in_key);
			buf_reset(&f.scratch);
			assert_int_equal(row_key_from_item(&f.scratch, f.table.table_id, f.table.token_seed,
							   &f.table.schema, buf_slice(&f.item), &error),
					 ST_OK);
			assert_true(slice_equal(buf_slice(&f.scratch), buf_slice(&f.row_key)));
		}
		target->data[at] ^= bit;
	}
	assert_true(refused > FLIPS / 4);
	close_fixture(&f);
}

/* Printed, not judged: the machine is not ours. */
static void what_it_costs(void **state)
{
	struct timespec start;
	struct timespec end;
	struct fixture f;
	uint32_t sound = 0;

	(void)state;
	open_fixture(&f);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (uint32_t i = 0; i < COST_ROUNDS; i++)
		sound += check(&f) == ST_OK;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(sound, COST_ROUNDS);
	print_message("write_check of %zu bytes: %.0f ns\n", f.item.size,
		      ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
			      COST_ROUNDS);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_coordinator_sends_is_accepted),
		cmocka_unit_test(bytes_that_are_no_item_are_refused),
		cmocka_unit_test(an_item_that_is_too_big_is_refused),
		cmocka_unit_test(a_key_of_another_item_or_table_is_refused),
		cmocka_unit_test(a_table_that_holds_an_index_takes_no_clients_write),
		cmocka_unit_test(an_item_without_its_key_is_refused),
		cmocka_unit_test(a_flipped_bit_is_refused_or_makes_another_sound_write),
		cmocka_unit_test(what_it_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
