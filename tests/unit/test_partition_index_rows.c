#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/partition/partition_propose.h"
#include "proto/catalog/index_info.h"
#include "proto/model/item_equal.h"
#include "storage/encoding/stored_item.h"
#include "storage/engine/engine_memory.h"
#include "storage/index/index_plan.h"
#include "storage/index/local_row.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/expr_fixture.h"
#include "tests/unit/index_fixture.h"

enum {
	RNG_SEED = 8,
	SEED = 99,
	TURNS = 150,
	TURN_WRITES_MAX = 12,
	VOTERS = 3,
	INDEXES = 4,
	KEYS = 8,
	TEXT = 1500
};

struct fixture {
	struct partition_fixture *f;
	struct partition *leader;
	struct expr_fixture expr;
	struct table_schema schema;
	struct table_indexes *set;
	struct partition_proposal proposal;
	bool is_proposed;
	uint64_t next_request;
	char text[TEXT];
};

/* A write whose item and key lie in it. */
struct index_write {
	struct watched_write watched;
	struct buf row_key;
};

/* --- definitions --- */

static void on_proposed(struct partition_proposal *proposal, enum status status)
{
	assert_int_equal(status, ST_OK);
	CONTAINER_OF(proposal, struct fixture, proposal)->is_proposed = true;
}

static void define(struct fixture *x)
{
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	Cleave__PartitionIndexes definitions = CLEAVE__PARTITION_INDEXES__INIT;
	Cleave__IndexRecord *records[INDEXES];

	definitions.schema = table_schema_encode(&x->schema, &x->expr.arena);
	definitions.indexes = records;
	definitions.n_indexes = x->set->count;
	definitions.table_version = 1;
	for (uint32_t i = 0; i < x->set->count; i++)
		records[i] = index_info_encode(&x->set->list[i], &x->expr.arena);
	command.indexes = &definitions;
	x->proposal.done = on_proposed;
	x->is_proposed = false;
	assert_int_equal(partition_propose(x->leader, &command, &x->proposal), ST_OK);
	while (!x->is_proposed)
		partition_fixture_run_ms(x->f, 1);
}

static void open_fixture(struct fixture *x)
{
	static const char *const names[INDEXES] = { "all", "some", "keys", "global" };

	*x = (struct fixture){ .next_request = 1 };
	memset(x->text, 't', sizeof(x->text));
	x->f = partition_fixture_create(VOTERS);
	x->leader = partition_fixture_elect(x->f, 1);
	expr_fixture_open(&x->expr);
	index_fixture_schema(&x->schema, "S:pk", "N:sk");
	x->set = test_calloc(1, sizeof(*x->set) + INDEXES * sizeof(x->set->list[0]));
	x->set->count = INDEXES;
	index_fixture_index(&x->set->list[0], 1, "S:pk", "S:a", INDEX_PROJECTS_ALL);
	index_fixture_index(&x->set->list[1], 2, "S:pk", "N:b", INDEX_PROJECTS_SOME);
	index_fixture_index(&x->set->list[2], 5, "S:pk", "S:x", INDEX_PROJECTS_KEYS);
	index_fixture_index(&x->set->list[3], 0, "S:a", "N:b", INDEX_PROJECTS_KEYS);
	for (size_t i = 0; i < INDEXES; i++)
		memcpy(x->set->list[i].name, names[i], strlen(names[i]) + 1);
	define(x);
}

static void close_fixture(struct fixture *x)
{
	test_free(x->set);
	expr_fixture_close(&x->expr);
	partition_fixture_destroy(x->f);
}

/* --- writes --- */

static void make_key(struct index_write *write, const struct fixture *x, struct slice item)
{
	struct row_key_error error;

	buf_init(&write->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	assert_int_equal(
		row_key_from_item(&write->row_key, PARTITION_FIXTURE_TABLE, SEED, &x->schema, item, &error),
		ST_OK);
	write->watched.base.row_key = buf_slice(&write->row_key);
}

/* item: JSON in single quotes; NULL leaves it to the caller. */
static void put_init(struct fixture *x, struct index_write *write, const char *item)
{
	watched_write_init(&write->watched, "unused", "unused", x->next_request++);
	if (item == NULL)
		return;
	write->watched.base.item = expr_fixture_item(&x->expr, item);
	make_key(write, x, write->watched.base.item);
}

static void update_init(struct fixture *x, struct index_write *write, const char *key, const char *text)
{
	Cleave__ExprUpdate *update;

	put_init(x, write, key);
	write->watched.base.kind = PARTITION_UPDATE;
	assert_int_equal(expr_update_parse(&x->expr.bind, slice_of_string(text), &update), ST_OK);
	write->watched.base.update = update;
}

static void write_close(struct index_write *write)
{
	watched_write_close(&write->watched);
	buf_close(&write->row_key);
}

static enum status put(struct fixture *x, const char *item)
{
	struct index_write write;
	enum status status;

	put_init(x, &write, item);
	status = watched_write_run(x->f, &write.watched, x->leader);
	write_close(&write);
	return status;
}

/* Another replica leads, which has decided nothing yet. */
static void change_leader(struct fixture *x)
{
	uint64_t old = x->leader->env->groups->node_id;

	group_fixture_isolate(x->f->net, old, true);
	while (group_is_ready(x->leader->group))
		partition_fixture_run_ms(x->f, 1);
	x->leader = partition_fixture_leader(x->f);
	assert_non_null(x->leader);
	group_fixture_isolate(x->f->net, old, false);
}

/* --- what is stored --- */

static size_t count_rows(struct engine *engine, enum engine_family family, const struct partition *partition)
{
	struct engine_iter *iter = engine_iter_create(engine, family, buf_slice(&partition->range_start),
						      buf_slice(&partition->range_end), NULL,
						      ENGINE_READ_MAY_BLOCK);
	size_t count = 0;

	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		count++;
	engine_iter_destroy(engine, iter);
	return count;
}

/* The item's entry is there, with the item's head or an older one. */
static bool check_entry(const struct fixture *x, struct engine *engine, const struct table_index *index,
			const struct stored_item *stored, uint64_t *size_bytes)
{
	struct index_owner owner = { PARTITION_FIXTURE_TABLE, SEED, &x->schema, index };
	struct stored_item entry;
	struct engine_value value;
	struct index_plan plan;
	bool is_equal;
	bool has_put;

	index_plan_init(&plan);
	assert_int_equal(index_plan_make(&plan, &owner, slice_of(NULL, 0), stored->item), ST_OK);
	has_put = plan.has_put;
	if (has_put) {
		*size_bytes += plan.item_size_bytes;
		assert_int_equal(
			engine_get(engine, FAMILY_LOCAL_INDEXES, plan.put_key, ENGINE_READ_MAY_BLOCK, &value),
			ST_OK);
		assert_int_equal(stored_item_read(value.slice, &entry), ST_OK);
		assert_int_equal(item_equal(entry.item, plan.item, &is_equal), ST_OK);
		assert_true(is_equal);
		assert_int_equal(entry.size_bytes, plan.item_size_bytes);
		assert_true(entry.hlc <= stored->hlc && entry.hlc > 0);
		engine_value_release(&value);
	}
	index_plan_close(&plan);
	return has_put;
}

/* A collection's size is written beside its entries. */
static void check_size(struct engine *engine, struct slice collection, uint64_t size_bytes)
{
	struct stored_item stored;
	struct engine_value value;
	uint64_t told_bytes;
	struct buf key;

	buf_init(&key, LIMIT_ROW_KEY_SIZE_BYTES);
	local_row_size_key(&key, collection);
	assert_int_equal(
		engine_get(engine, FAMILY_LOCAL_INDEXES, buf_slice(&key), ENGINE_READ_MAY_BLOCK, &value),
		ST_OK);
	assert_int_equal(stored_item_read(value.slice, &stored), ST_OK);
	assert_int_equal(local_row_take_size(stored.item, &told_bytes), ST_OK);
	assert_int_equal(told_bytes, size_bytes);
	engine_value_release(&value);
	buf_close(&key);
}

/* What has been seen of the collection that is being walked through. */
struct walk {
	struct buf collection;
	uint64_t size_bytes;
	size_t row_count;
};

static void end_collection(struct walk *walk, struct engine *engine)
{
	if (walk->collection.size == 0)
		return;
	check_size(engine, buf_slice(&walk->collection), walk->size_bytes);
	walk->row_count++;
	walk->size_bytes = 0;
	buf_reset(&walk->collection);
}

static void visit_item(const struct fixture *x, struct walk *walk, struct engine *engine,
		       struct slice row_key, struct slice value)
{
	struct stored_item stored;
	struct slice collection;

	assert_int_equal(stored_item_read(value, &stored), ST_OK);
	assert_int_equal(local_row_collection(row_key, &x->schema, &collection), ST_OK);
	if (!slice_equal(collection, buf_slice(&walk->collection)))
		end_collection(walk, engine);
	buf_reset(&walk->collection);
	buf_append_slice(&walk->collection, collection);
	walk->size_bytes += stored.size_bytes;
	for (uint32_t i = 0; i < INDEXES; i++) {
		if (table_index_is_local(&x->set->list[i]))
			walk->row_count += check_entry(x, engine, &x->set->list[i], &stored,
						       &walk->size_bytes);
	}
}

/* A replica's local indexes are what its items say, and nothing else. */
static void check_replica(const struct fixture *x, uint64_t node_id)
{
	struct engine *engine = x->f->net->nodes[node_id].engine;
	const struct partition *partition = x->f->partition[node_id];
	struct engine_iter *iter = engine_iter_create(
		engine, FAMILY_ITEMS, buf_slice(&partition->range_start), buf_slice(&partition->range_end),
		NULL, ENGINE_READ_MAY_BLOCK);
	struct walk walk = { .row_count = 0 };

	buf_init(&walk.collection, LIMIT_ROW_KEY_SIZE_BYTES);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		visit_item(x, &walk, engine, engine_iter_key(engine, iter), engine_iter_value(engine, iter));
	end_collection(&walk, engine);
	engine_iter_destroy(engine, iter);
	buf_close(&walk.collection);
	assert_int_equal(count_rows(engine, FAMILY_LOCAL_INDEXES, partition), walk.row_count);
}

static void check_all(struct fixture *x)
{
	partition_fixture_run_ms(x->f, 5 * GROUP_FIXTURE_HEARTBEAT_MS); /* the others have applied it too */
	for (uint64_t node_id = 1; node_id <= VOTERS; node_id++)
		check_replica(x, node_id);
}

/* --- tests --- */

static void random_attributes(const struct fixture *x, struct rng *rng, struct item_builder *builder)
{
	if (rng_below(rng, 3) > 0)
		index_fixture_string(builder, "a", slice_of(x->text, 1 + rng_below(rng, 3)));
	if (rng_below(rng, 3) > 0)
		index_fixture_int(builder, "b", (int64_t)rng_below(rng, 3));
	if (rng_below(rng, 3) > 0)
		index_fixture_string(builder, "x", slice_of(x->text, 1 + rng_below(rng, 2)));
	if (rng_below(rng, 3) > 0)
		index_fixture_string(builder, "y", slice_of(x->text, rng_below(rng, TEXT)));
}

static void random_write(struct fixture *x, struct rng *rng, struct index_write *write)
{
	static const char *const updates[] = { "SET a = :a",  "SET b = :b, y = :a", "REMOVE a",
					       "REMOVE b, x", "ADD b :b",           "SET x = :a" };
	uint64_t number = rng_below(rng, KEYS);
	struct item_builder builder;
	struct buf *item = &write->watched.item;
	Cleave__ExprUpdate *update;
	uint64_t choice = rng_below(rng, 10);

	put_init(x, write, NULL);
	buf_reset(item);
	item_builder_init(&builder, item);
	index_fixture_string(&builder, "pk", slice_of(number % 2 == 0 ? "p\0q" : "p", 3 - 2 * (number % 2)));
	index_fixture_int(&builder, "sk", (int64_t)number / 2);
	if (choice < 5)
		random_attributes(x, rng, &builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	make_key(write, x, buf_slice(item));
	write->watched.base.item = buf_slice(item);
	if (choice >= 5 && choice < 7)
		write->watched.base.kind = PARTITION_DELETE;
	if (choice >= 7) {
		write->watched.base.kind = PARTITION_UPDATE;
		assert_int_equal(
			expr_update_parse(&x->expr.bind,
					  slice_of_string(updates[rng_below(rng, ARRAY_COUNT(updates))]),
					  &update),
			ST_OK);
		write->watched.base.update = update;
	}
}

/* Every so many-th read by the loop finds its row not in memory; 0: none. */
static void set_misses(struct fixture *x, uint32_t every)
{
	for (uint64_t node_id = 1; node_id <= VOTERS; node_id++) {
		if (x->f->net->nodes[node_id].disk != NULL)
			engine_memory_disk_miss_every(x->f->net->nodes[node_id].disk, every);
	}
}

/* Several writes of one turn: each is decided on what those before it will leave. */
static void random_turn(struct fixture *x, struct rng *rng)
{
	struct index_write writes[TURN_WRITES_MAX];
	size_t count = 1 + rng_below(rng, TURN_WRITES_MAX);

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(expr_fixture_bind(&x->expr, "{'V':{':a':{'S':'new'},':b':{'N':'1'}}}"),
				 ST_OK);
		random_write(x, rng, &writes[i]);
		assert_int_equal(watched_write_start(&writes[i].watched, x->leader), ST_WOULD_BLOCK);
	}
	for (size_t i = 0; i < count; i++) {
		while (writes[i].watched.done_count == 0)
			partition_fixture_run_ms(x->f, 1);
		assert_int_equal(writes[i].watched.status, ST_OK);
		write_close(&writes[i]);
	}
}

static void local_indexes_are_what_the_items_say_on_every_replica(void **state)
{
	struct fixture x;
	struct rng rng;

	(void)state;
	rng_seed(&rng, RNG_SEED);
	open_fixture(&x);
	for (int turn = 0; turn < TURNS; turn++) {
		set_misses(&x, (uint32_t)turn % 4);
		random_turn(&x, &rng);
		set_misses(&x, 0);
		if (turn % 10 == 9)
			check_all(&x);
		if (turn % 50 == 25) { /* a replica that comes back, and another leader */
			uint64_t other = x.leader->env->groups->node_id % VOTERS + 1;

			partition_fixture_crash(x.f, other, UINT64_MAX);
			random_turn(&x, &rng);
			assert_int_equal(partition_fixture_restart(x.f, other), ST_OK);
			check_all(&x);
			change_leader(&x);
		}
	}
	check_all(&x);
	assert_true(count_rows(x.f->net->nodes[1].engine, FAMILY_LOCAL_INDEXES, x.f->partition[1]) > 0);
	close_fixture(&x);
}

static void assert_refused_key(const struct partition_write *write, const char *index, const char *attribute,
			       enum row_key_fault fault)
{
	assert_non_null(write->refused_index_key);
	assert_string_equal(write->refused_index_key->index_name, index);
	assert_string_equal(write->refused_index_key->attribute_name, attribute);
	assert_int_equal(write->refused_index_key->fault, fault);
}

static struct partition_write *last_write;
static char refused_index[64];
static uint32_t refused_fault;

/* refused_index_key is valid in done() only. */
static void note_refusal(struct partition_write *base)
{
	struct watched_write *write = CONTAINER_OF(base, struct watched_write, base);

	last_write = base;
	write->done_count++;
	write->status = base->status;
	refused_fault = 0;
	if (base->refused_index_key == NULL)
		return;
	(void)snprintf(refused_index, sizeof(refused_index), "%s", base->refused_index_key->index_name);
	refused_fault = base->refused_index_key->fault;
}

static void an_update_cannot_make_a_key_that_no_index_takes_and_a_retry_hears_why(void **state)
{
	struct index_write write;
	struct fixture x;

	(void)state;
	open_fixture(&x);
	assert_int_equal(put(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'one'},'b':{'N':'1'}}"), ST_OK);
	assert_int_equal(expr_fixture_bind(&x.expr, "{'V':{':n':{'N':'5'},':e':{'S':''}}}"), ST_OK);
	update_init(&x, &write, "{'pk':{'S':'p'},'sk':{'N':'1'}}", "SET a = :n");
	write.watched.base.done = note_refusal;
	assert_int_equal(watched_write_run(x.f, &write.watched, x.leader), ST_REFUSED);
	assert_ptr_equal(last_write, &write.watched.base);
	assert_string_equal(refused_index, "all");
	assert_int_equal(refused_fault, ROW_KEY_TYPE);
	check_all(&x);
	change_leader(&x);
	assert_int_equal(watched_write_start(&write.watched, x.leader), ST_REFUSED);
	assert_refused_key(&write.watched.base, "all", "a", ROW_KEY_TYPE);
	write_close(&write);

	assert_int_equal(expr_fixture_bind(&x.expr, "{'V':{':n':{'N':'5'},':e':{'S':''}}}"), ST_OK);
	update_init(&x, &write, "{'pk':{'S':'p'},'sk':{'N':'1'}}", "SET a = :e, y = :n");
	write.watched.base.done = note_refusal;
	assert_int_equal(watched_write_run(x.f, &write.watched, x.leader), ST_REFUSED);
	assert_int_equal(refused_fault, ROW_KEY_EMPTY);
	write_close(&write);
	check_all(&x);
	close_fixture(&x);
}

static void a_put_is_checked_by_the_replica_too(void **state)
{
	struct index_write write;
	struct fixture x;

	(void)state;
	open_fixture(&x);
	put_init(&x, &write, "{'pk':{'S':'p'},'sk':{'N':'1'},'x':{'N':'1'},'b':{'S':'b'}}");
	write.watched.base.done = note_refusal;
	assert_int_equal(watched_write_run(x.f, &write.watched, x.leader), ST_REFUSED);
	assert_string_equal(refused_index, "global"); /* the first of three by name */
	write_close(&write);
	close_fixture(&x);
}

/* What a coordinator would not send: the attributes are not those of the row key. */
static void an_item_under_anothers_row_key_is_refused(void **state)
{
	struct index_write write;
	struct fixture x;

	(void)state;
	open_fixture(&x);
	put_init(&x, &write, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'a'}}");
	write.watched.base.item = expr_fixture_item(&x.expr, "{'pk':{'S':'q'},'sk':{'N':'1'},'a':{'S':'a'}}");
	assert_int_equal(watched_write_start(&write.watched, x.leader), ST_INVALID);
	write_close(&write);
	watched_write_init(&write.watched, "short", "text", 99); /* shorter than a table and a token */
	write.watched.base.row_key.size = 5;
	assert_int_equal(watched_write_start(&write.watched, x.leader), ST_INVALID);
	watched_write_close(&write.watched);
	assert_int_equal(put(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'a'}}"), ST_OK);
	check_all(&x);
	close_fixture(&x);
}

static uint32_t told_units[INDEXES];
static size_t told_count;

static void note_units(struct partition_write *base)
{
	static const char *const names[INDEXES] = { "all", "some", "keys", "global" };
	struct watched_write *write = CONTAINER_OF(base, struct watched_write, base);

	write->done_count++;
	write->status = base->status;
	told_count = base->index_unit_count;
	memset(told_units, 0, sizeof(told_units));
	for (size_t i = 0; i < base->index_unit_count; i++) {
		for (size_t k = 0; k < INDEXES; k++) {
			if (strcmp(base->index_units[i]->index_name, names[k]) == 0)
				told_units[k] = base->index_units[i]->units;
		}
		assert_int_equal(base->index_units[i]->is_local,
				 strcmp(base->index_units[i]->index_name, "global") != 0);
	}
}

static void put_and_note_units(struct fixture *x, const char *item, bool needs_old)
{
	struct index_write write;

	put_init(x, &write, item);
	write.watched.base.done = note_units;
	write.watched.base.needs_old = needs_old;
	assert_int_equal(watched_write_run(x->f, &write.watched, x->leader), ST_OK);
	write_close(&write);
}

static void each_index_tells_what_it_costs_if_asked(void **state)
{
	struct fixture x;

	(void)state;
	open_fixture(&x);
	put_and_note_units(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'a'},'b':{'N':'1'}}", true);
	assert_int_equal(told_count, 3); /* all, some and global; not keys, for want of x */
	assert_int_equal(told_units[0], 1);
	assert_int_equal(told_units[1], 1);
	assert_int_equal(told_units[3], 1);
	put_and_note_units(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'b'},'b':{'N':'1'}}", true);
	assert_int_equal(told_count, 2); /* a moves in two of them */
	assert_int_equal(told_units[0], 2);
	assert_int_equal(told_units[3], 2);
	put_and_note_units(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'b'},'b':{'N':'1'}}", true);
	assert_int_equal(told_count, 0);
	put_and_note_units(&x, "{'pk':{'S':'p'},'sk':{'N':'2'},'a':{'S':'a'},'b':{'N':'1'}}", false);
	assert_int_equal(told_count, 0); /* nobody asked */
	check_all(&x);
	close_fixture(&x);
}

static uint64_t told_size_bytes;
static bool told_full;

static void note_collection(struct partition_write *base)
{
	struct watched_write *write = CONTAINER_OF(base, struct watched_write, base);

	write->done_count++;
	write->status = base->status;
	told_size_bytes = base->collection_size_bytes;
	told_full = base->is_collection_full;
}

static enum status put_and_note_collection(struct fixture *x, const char *item,
					   enum partition_write_kind kind)
{
	struct index_write write;
	enum status status;

	put_init(x, &write, item);
	write.watched.base.kind = kind;
	write.watched.base.done = note_collection;
	write.watched.base.needs_collection_size = true;
	status = watched_write_run(x->f, &write.watched, x->leader);
	write_close(&write);
	return status;
}

static void a_full_collection_takes_nothing_that_makes_it_larger(void **state)
{
	/* pk 2 + 1, sk 2 + 2, a 1 + 10: the same in index "all" */
	static const uint64_t item_bytes = 3 + 4 + 11;
	struct fixture x;

	(void)state;
	open_fixture(&x);
	x.leader->env->collection_size_bytes_max = 5 * item_bytes;
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'S':'0123456789'}}",
						 PARTITION_PUT),
			 ST_OK);
	assert_int_equal(told_size_bytes, 2 * item_bytes);
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'2'},'a':{'S':'0123456789'}}",
						 PARTITION_PUT),
			 ST_OK);
	assert_int_equal(told_size_bytes, 4 * item_bytes);
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'3'},'a':{'S':'0123456789'}}",
						 PARTITION_PUT),
			 ST_REFUSED);
	assert_true(told_full);
	assert_int_equal(put(&x, "{'pk':{'S':'q'},'sk':{'N':'3'},'a':{'S':'0123456789'}}"),
			 ST_OK);                 /* another */
	assert_int_equal(put_and_note_collection(/* no larger: it moves in the index */
						 &x, "{'pk':{'S':'p'},'sk':{'N':'2'},'a':{'S':'9876543210'}}",
						 PARTITION_PUT),
			 ST_OK);
	assert_false(told_full);
	check_all(&x);
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'1'}}", PARTITION_DELETE),
			 ST_OK);
	assert_int_equal(told_size_bytes, 2 * item_bytes);
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'1'}}", PARTITION_DELETE),
			 ST_OK);
	assert_int_equal(told_size_bytes,
			 2 * item_bytes); /* nothing was there, and it is told all the same */
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'3'},'a':{'S':'0123456789'}}",
						 PARTITION_PUT),
			 ST_OK);
	check_all(&x);
	assert_int_equal(put(&x, "{'pk':{'S':'p'},'sk':{'N':'2'}}"), ST_OK); /* smaller */
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'2'}}", PARTITION_DELETE),
			 ST_OK);
	assert_int_equal(put_and_note_collection(&x, "{'pk':{'S':'p'},'sk':{'N':'3'}}", PARTITION_DELETE),
			 ST_OK);
	assert_int_equal(told_size_bytes, 0);
	check_all(&x); /* its size has no row any more */
	close_fixture(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_indexes_are_what_the_items_say_on_every_replica),
		cmocka_unit_test(an_update_cannot_make_a_key_that_no_index_takes_and_a_retry_hears_why),
		cmocka_unit_test(a_put_is_checked_by_the_replica_too),
		cmocka_unit_test(an_item_under_anothers_row_key_is_refused),
		cmocka_unit_test(each_index_tells_what_it_costs_if_asked),
		cmocka_unit_test(a_full_collection_takes_nothing_that_makes_it_larger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
