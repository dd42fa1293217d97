#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/coordinator.h"
#include "proto/rpc/rpc_client.h"

struct fixture {
	struct runtime_uv runtime;
	struct rpc_client client;
	struct endpoint listen;
	struct coordinator_options options;
	struct coordinator *coordinator;
};

static const uint64_t seeds[] = { 1 };

static void open_fixture(struct fixture *f)
{
	struct rpc_client_options client = { .runtime = &f->runtime, .is_insecure = true };

	assert_int_equal(runtime_uv_init(&f->runtime, 1), ST_OK);
	assert_int_equal(rpc_client_init(&f->client, &client), ST_OK);
	f->coordinator = NULL;
	f->listen = (struct endpoint){ .host = "127.0.0.1" };
	f->options = (struct coordinator_options){
		.runtime = &f->runtime,
		.transport = &f->client.base,
		.seed_node_ids = seeds,
		.seed_count = 1,
		.zone = "az-a",
		.region = "us-east-1",
		.auth = SIGV4_OPEN,
		.listen = &f->listen,
	};
}

static void on_client_stopped(struct rpc_client *client)
{
	runtime_uv_stop(CONTAINER_OF(client, struct fixture, client)->options.runtime);
}

static void on_stopped(void *context)
{
	struct fixture *f = context;

	rpc_client_stop(&f->client, on_client_stopped);
}

/* However far the start got, stopping is the same. */
static void close_fixture(struct fixture *f)
{
	if (f->coordinator != NULL)
		coordinator_stop(f->coordinator, 100, on_stopped, f);
	else
		on_stopped(f);
	runtime_uv_run(&f->runtime);
	coordinator_destroy(f->coordinator);
	runtime_uv_close(&f->runtime);
}

static void it_listens_but_is_not_healthy_before_the_catalog_is_there(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	assert_int_equal(coordinator_start(&f.options, &f.coordinator), ST_OK);
	assert_int_not_equal(coordinator_port(f.coordinator), 0);
	assert_int_equal(coordinator_https_port(f.coordinator), 0);
	assert_non_null(coordinator_problem(f.coordinator));
	close_fixture(&f);
}

static void a_start_that_fails_half_way_can_be_stopped(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.options.https_listen = &f.listen;
	f.options.https_cert_path = "/nowhere/cert.pem";
	f.options.https_key_path = "/nowhere/key.pem";
	assert_int_equal(coordinator_start(&f.options, &f.coordinator), ST_INVALID);
	assert_non_null(f.coordinator);
	close_fixture(&f);
}

static void a_strict_coordinator_needs_credentials(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.options.auth = SIGV4_STRICT;
	assert_int_equal(coordinator_start(&f.options, &f.coordinator), ST_INVALID);
	assert_null(f.coordinator);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_listens_but_is_not_healthy_before_the_catalog_is_there),
		cmocka_unit_test(a_start_that_fails_half_way_can_be_stopped),
		cmocka_unit_test(a_strict_coordinator_needs_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
