#include "proto/catalog/catalog_view.h"

#include "proto/catalog/catalog_update.h"
#include "tests/unit/catalog_fixture.h"

static const uint64_t seed_ids[] = { 1, 2, 3 };

struct fixture {
	struct fake_loop loop;
	struct fake_transport transport;
	struct catalog_view view;
	struct catalog_observer observer;
	struct catalog_state source; /* what the seeds hold */
	uint32_t changed_count;
	uint32_t closed_count;
	uint32_t sync_count;
	enum status sync_status;
};

static struct fixture *current;

static void on_changed(struct catalog_observer *observer)
{
	CONTAINER_OF(observer, struct fixture, observer)->changed_count++;
}

static void on_closed(struct catalog_view *view)
{
	CONTAINER_OF(view, struct fixture, view)->closed_count++;
}

static void on_sync(struct catalog_sync *sync)
{
	current->sync_count++;
	current->sync_status = sync->status;
}

static void start(struct fixture *f)
{
	*f = (struct fixture){ .observer = { .changed = on_changed } };
	current = f;
	loop_init(&f->loop, 3);
	fake_transport_init(&f->transport, &f->loop.base);
	catalog_state_init(&f->source);
	catalog_view_init(&f->view, &f->loop.base, &f->transport.base, seed_ids, 3);
	catalog_view_observe(&f->view, &f->observer);
	catalog_view_start(&f->view);
	assert_non_null(fake_find(&f->transport, METHOD_CATALOG_WATCH));
}

static void stop(struct fixture *f)
{
	catalog_view_stop(&f->view, on_closed);
	assert_int_equal(f->closed_count, 0);
	loop_settle(&f->loop);
	assert_int_equal(f->closed_count, 1);
	assert_int_equal(f->transport.call_count, 0);
	catalog_view_unobserve(&f->observer);
	catalog_view_close(&f->view);
	catalog_state_close(&f->source);
	assert_true(runtime_next_deadline_mono_us(&f->loop.base) == UINT64_MAX);
	runtime_base_close(&f->loop.base);
}

static void add_node(struct fixture *f, uint64_t node_id)
{
	struct node_info node = { .node_id = node_id,
				  .version = ++f->source.version,
				  .zone = "az-a",
				  .host = "localhost",
				  .port = 7000 };

	assert_int_equal(catalog_state_put_node(&f->source, &node), ST_OK);
}

/* Answer the watch as a seed does that holds the source. */
static void answer_watch(struct fixture *f, bool is_full)
{
	struct buf packed;

	buf_init(&packed, 1 << 20);
	assert_int_equal(catalog_update_pack(&f->source, f->view.state.version, is_full, NULL, 0, &packed),
			 ST_OK);
	fake_answer(&f->transport, METHOD_CATALOG_WATCH, ST_OK, buf_slice(&packed));
	buf_close(&packed);
}

static void answer_sync(struct fixture *f, uint64_t version)
{
	Cleave__CatalogSyncReply reply = CLEAVE__CATALOG_SYNC_REPLY__INIT;
	uint8_t body[64];

	reply.version = version;
	fake_answer(&f->transport, METHOD_CATALOG_SYNC, ST_OK,
		    slice_of(body, cleave__catalog_sync_reply__pack(&reply, body)));
}

static void view_follows_and_tells_its_observers(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add_node(&f, 1);
	answer_watch(&f, true);
	assert_int_equal(f.changed_count, 1);
	assert_int_equal(f.view.state.nodes.count, 1);
	assert_non_null(fake_find(&f.transport, METHOD_CATALOG_WATCH)); /* and it watches on */
	add_node(&f, 2);
	answer_watch(&f, false);
	assert_int_equal(f.changed_count, 2);
	assert_int_equal(f.view.state.nodes.count, 2);
	assert_int_equal(f.view.state.version, 2);
	stop(&f);
}

static void failed_watch_goes_to_another_seed_after_a_pause(void **state)
{
	struct fixture f;
	uint64_t first;

	(void)state;
	start(&f);
	first = fake_find(&f.transport, METHOD_CATALOG_WATCH)->peer_id;
	fake_answer(&f.transport, METHOD_CATALOG_WATCH, ST_UNREACHABLE, slice_of(NULL, 0));
	assert_null(fake_find(&f.transport, METHOD_CATALOG_WATCH));
	loop_run_ms(&f.loop, 20);
	assert_non_null(fake_find(&f.transport, METHOD_CATALOG_WATCH));
	assert_true(fake_find(&f.transport, METHOD_CATALOG_WATCH)->peer_id != first);
	stop(&f);
}

static void garbage_makes_the_view_ask_for_everything(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff };
	struct fixture f;

	(void)state;
	start(&f);
	fake_answer(&f.transport, METHOD_CATALOG_WATCH, ST_OK, slice_of(garbage, sizeof(garbage)));
	assert_int_equal(f.changed_count, 0);
	loop_run_ms(&f.loop, 100);
	add_node(&f, 1);
	answer_watch(&f, true);
	assert_int_equal(f.view.state.nodes.count, 1);
	stop(&f);
}

static void older_answer_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	add_node(&f, 1);
	add_node(&f, 2);
	answer_watch(&f, true);
	f.source.version = 1; /* a replica that is behind */
	answer_watch(&f, false);
	assert_int_equal(f.changed_count, 1);
	assert_int_equal(f.view.state.version, 2);
	assert_int_equal(f.view.state.nodes.count, 2);
	loop_run_ms(&f.loop, 20);
	assert_non_null(fake_find(&f.transport, METHOD_CATALOG_WATCH));
	stop(&f);
}

static void refresh_asks_at_once_and_somebody_else(void **state)
{
	struct fixture f;
	uint64_t first;
	size_t started;

	(void)state;
	start(&f);
	first = fake_find(&f.transport, METHOD_CATALOG_WATCH)->peer_id;
	catalog_view_refresh(&f.view, 5);
	loop_settle(&f.loop);
	assert_non_null(fake_find(&f.transport, METHOD_CATALOG_WATCH));
	assert_true(fake_find(&f.transport, METHOD_CATALOG_WATCH)->peer_id != first);
	started = f.transport.started_count;
	catalog_view_refresh(&f.view, 5); /* many operations learn the same */
	loop_settle(&f.loop);
	assert_int_equal(f.transport.started_count, started);
	stop(&f);
}

static void sync_waits_for_the_leaders_version(void **state)
{
	struct fixture f;
	struct catalog_sync sync;

	(void)state;
	start(&f);
	add_node(&f, 1);
	catalog_view_sync(&f.view, &sync, 1000, on_sync);
	assert_int_equal(f.sync_count, 0);
	answer_sync(&f, 1);
	loop_settle(&f.loop);
	assert_int_equal(f.sync_count, 0); /* the view is not there yet */
	answer_watch(&f, true);
	assert_int_equal(f.sync_count, 1);
	assert_int_equal(f.sync_status, ST_OK);
	catalog_view_sync(&f.view, &sync, 1000, on_sync);
	answer_sync(&f, 1);
	assert_int_equal(f.sync_count, 2); /* nothing to wait for */
	stop(&f);
}

static void sync_ends_at_its_deadline(void **state)
{
	struct fixture f;
	struct catalog_sync sync;

	(void)state;
	start(&f);
	catalog_view_sync(&f.view, &sync, 500, on_sync);
	answer_sync(&f, 9);
	loop_run_ms(&f.loop, 499);
	assert_int_equal(f.sync_count, 0);
	loop_run_ms(&f.loop, 1);
	assert_int_equal(f.sync_count, 1);
	assert_int_equal(f.sync_status, ST_TIMEOUT);
	stop(&f);
}

static void cancel_and_stop_end_syncs_in_every_phase(void **state)
{
	struct fixture f;
	struct catalog_sync calling;
	struct catalog_sync waiting;

	(void)state;
	start(&f);
	catalog_view_sync(&f.view, &waiting, 1000, on_sync);
	answer_sync(&f, 9);
	catalog_view_sync_cancel(&waiting);
	assert_int_equal(f.sync_count, 0);
	loop_settle(&f.loop);
	assert_int_equal(f.sync_count, 1);
	assert_int_equal(f.sync_status, ST_CANCELED);
	catalog_view_sync(&f.view, &waiting, 1000, on_sync);
	answer_sync(&f, 9);
	catalog_view_sync(&f.view, &calling, 1000, on_sync);
	stop(&f);
	assert_int_equal(f.sync_count, 3);
	assert_int_equal(f.sync_status, ST_CANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_follows_and_tells_its_observers),
		cmocka_unit_test(failed_watch_goes_to_another_seed_after_a_pause),
		cmocka_unit_test(garbage_makes_the_view_ask_for_everything),
		cmocka_unit_test(older_answer_changes_nothing),
		cmocka_unit_test(refresh_asks_at_once_and_somebody_else),
		cmocka_unit_test(sync_waits_for_the_leaders_version),
		cmocka_unit_test(sync_ends_at_its_deadline),
		cmocka_unit_test(cancel_and_stop_end_syncs_in_every_phase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
