#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/server/server.h"
#include "proto/wire/methods.h"
#include "tests/support/group_fixture.h"

enum { NODE_CALLER = 2 };

struct fixture {
	struct group_fixture *net;
	struct partition_env env;
	struct partition_table partitions;
	struct server server;
};

static const char *no_problem(void *context)
{
	(void)context;
	return NULL;
}

/* A node without replicas. */
static void fixture_open(struct fixture *f)
{
	static const struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
							.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };

	f->net = group_fixture_create_nodes(1, &settings);
	f->env = (struct partition_env){ .runtime = &f->net->nodes[1].runtime.base,
					 .engine = f->net->nodes[1].engine,
					 .groups = &f->net->nodes[1].table };
	partition_table_init(&f->partitions, &f->env);
	f->server = (struct server){ .runtime = &f->net->nodes[1].runtime.base,
				     .groups = &f->net->nodes[1].table,
				     .partitions = &f->partitions,
				     .node_id = 1,
				     .zone = "az-a",
				     .problem = no_problem };
	server_init(&f->server);
}

static void fixture_close(struct fixture *f)
{
	partition_table_close(&f->partitions);
	server_close(&f->server);
	group_fixture_destroy(f->net);
}

struct asked {
	struct rpc_request base;
	uint32_t answer_count;
	enum status status;
};

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	(void)body;
	asked->answer_count++;
	asked->status = status;
}

static enum status ask(struct fixture *f, uint16_t method, uint64_t caller_id, bool is_tool)
{
	static const struct rpc_request_ops ops = { .reply = on_answer };
	struct asked asked = {
		.base = { .method = method, .caller_id = caller_id, .is_tool = is_tool, .ops = &ops }
	};

	f->server.service.handle(&f->server.service, &asked.base);
	assert_int_equal(asked.answer_count, 1);
	return asked.status;
}

static void each_method_is_for_those_whose_business_it_is(void **state)
{
	static const struct {
		uint16_t method;
		bool for_coordinators;
		bool for_nodes;
		bool for_tools;
	} rules[] = {
		{ METHOD_RAFT_MESSAGES, false, true, false },
		{ METHOD_SNAPSHOT_CHUNK, false, true, false },
		{ METHOD_CATALOG_REPORT, false, true, false },
		{ METHOD_NODE_FAULT, false, false, true },
		{ METHOD_NODE_TRANSFER, false, false, true },
		{ METHOD_NODE_MEMBER, false, false, true },
		{ METHOD_GET_ITEM, true, true, true },
		{ METHOD_WRITE_ITEM, true, true, true },
		{ METHOD_CATALOG_WATCH, true, true, true },
		{ METHOD_CATALOG_SYNC, true, true, true },
		{ METHOD_CATALOG_CREATE_TABLE, true, true, true },
		{ METHOD_NODE_STATUS, true, true, true },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		uint16_t method = rules[i].method;

		assert_int_equal(ask(&f, method, 0, false) != ST_DENIED, rules[i].for_coordinators);
		assert_int_equal(ask(&f, method, NODE_CALLER, false) != ST_DENIED, rules[i].for_nodes);
		assert_int_equal(ask(&f, method, 0, true) != ST_DENIED, rules[i].for_tools);
	}
	fixture_close(&f);
}

static void an_unknown_method_is_unsupported(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(ask(&f, 63 + 1, NODE_CALLER, false), ST_UNSUPPORTED);
	assert_int_equal(ask(&f, METHOD_NONE, NODE_CALLER, false), ST_UNSUPPORTED);
	fixture_close(&f);
}

static void a_node_that_stops_still_speaks_raft(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	f.server.is_stopping = true;
	assert_int_equal(ask(&f, METHOD_NODE_STATUS, 0, true), ST_UNAVAILABLE);
	assert_int_equal(ask(&f, METHOD_RAFT_MESSAGES, NODE_CALLER, false), ST_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method_is_for_those_whose_business_it_is),
		cmocka_unit_test(an_unknown_method_is_unsupported),
		cmocka_unit_test(a_node_that_stops_still_speaks_raft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
