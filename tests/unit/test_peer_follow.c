#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/peer_follow.h"
#include "tests/support/manual_runtime.h"

enum { NODES_MAX = 8 };

struct fixture {
	struct rpc_transport transport;
	struct manual_runtime runtime;
	struct catalog_view view;
	struct peer_follow follow;
	uint16_t ports[NODES_MAX]; /* 0: no such peer */
};

static void set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port)
{
	(void)host;
	CONTAINER_OF(transport, struct fixture, transport)->ports[peer_id] = port;
}

static void remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	CONTAINER_OF(transport, struct fixture, transport)->ports[peer_id] = 0;
}

static const struct rpc_transport_ops ops = { .set_peer = set_peer, .remove_peer = remove_peer };

static void open_fixture(struct fixture *f)
{
	static const uint64_t seeds[] = { 1 };

	memset(f, 0, sizeof(*f));
	manual_runtime_init(&f->runtime);
	f->transport = (struct rpc_transport){ .ops = &ops, .runtime = &f->runtime.base };
	catalog_view_init(&f->view, &f->runtime.base, &f->transport, seeds, 1);
	peer_follow_init(&f->follow, &f->view, &f->transport);
}

static void close_fixture(struct fixture *f)
{
	peer_follow_close(&f->follow);
	catalog_view_close(&f->view);
	manual_runtime_close(&f->runtime);
}

static void put_node(struct fixture *f, uint64_t node_id, uint16_t port)
{
	struct node_info node = { .node_id = node_id, .zone = "a", .host = "h", .port = port };

	assert_int_equal(catalog_state_put_node(&f->view.state, &node), ST_OK);
}

static void nodes_come_move_and_go(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	put_node(&f, 1, 11);
	put_node(&f, 2, 12);
	put_node(&f, 3, 13);
	f.follow.observer.changed(&f.follow.observer);
	assert_int_equal(f.ports[1], 11);
	assert_int_equal(f.ports[2], 12);
	assert_int_equal(f.ports[3], 13);
	put_node(&f, 2, 22);
	catalog_state_remove_node(&f.view.state, 3);
	f.follow.observer.changed(&f.follow.observer);
	assert_int_equal(f.ports[2], 22);
	assert_int_equal(f.ports[3], 0);
	close_fixture(&f);
}

static void a_seed_stays_even_if_the_catalog_does_not_name_it(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	put_node(&f, 1, 11);
	f.follow.observer.changed(&f.follow.observer);
	catalog_state_remove_node(&f.view.state, 1);
	f.follow.observer.changed(&f.follow.observer);
	assert_int_equal(f.ports[1], 11);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_come_move_and_go),
		cmocka_unit_test(a_seed_stays_even_if_the_catalog_does_not_name_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
