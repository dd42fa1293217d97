#include "coordinator/coordinator.h"

#include <stdlib.h>

#include "coordinator/api/api_dispatch.h"
#include "coordinator/http/http_server.h"
#include "coordinator/router.h"
#include "proto/base/log.h"

enum { DRAIN_CHECK_MS = 2, US_PER_MS = 1000 };

enum { LISTENER_PLAIN, LISTENER_HTTPS, LISTENER_COUNT };

struct coordinator {
	struct runtime_uv *runtime;
	struct router router;
	struct sigv4_verifier *verifier;
	struct api api;
	struct http_server *servers[LISTENER_COUNT]; /* NULL: none */
	uint32_t servers_stopping;
	struct runtime_timer drain_timer; /* while stopping: until the last request has ended */
	coordinator_stopped_cb stopped_cb;
	void *stopped_context;
};

/* --- start --- */

static enum status make_verifier(struct coordinator *coordinator, const struct coordinator_options *options)
{
	struct sigv4_options sigv4 = {
		.mode = options->auth,
		.region = options->region,
		.clock_window_s = SIGV4_CLOCK_WINDOW_S_DEFAULT,
		.credential_cb = options->credential_cb,
		.credential_context = options->credential_context,
	};

	return sigv4_verifier_create(&sigv4, &coordinator->verifier);
}

static void build(struct coordinator *coordinator, const struct coordinator_options *options)
{
	struct api_options api = {
		.runtime = &options->runtime->base,
		.view = &coordinator->router.view,
		.items = &coordinator->router.items,
		.verifier = coordinator->verifier,
		.region = options->region,
	};

	coordinator->runtime = options->runtime;
	router_init(&coordinator->router, options->transport, options->seed_node_ids, options->seed_count,
		    options->zone);
	api_init(&coordinator->api, &api);
}

static enum status listen_on(struct coordinator *coordinator, const struct coordinator_options *options,
			     int listener)
{
	bool is_https = listener == LISTENER_HTTPS;
	const struct endpoint *place = is_https ? options->https_listen : options->listen;
	struct http_server_options http;

	if (place == NULL)
		return ST_OK;
	http = (struct http_server_options){
		.host = place->host,
		.port = place->port,
		.region = options->region,
		.tls_cert_path = is_https ? options->https_cert_path : NULL,
		.tls_key_path = is_https ? options->https_key_path : NULL,
		.connections_max = options->connections_max,
		.post_cb = api_dispatch,
		.context = &coordinator->api,
	};
	return http_server_create(&options->runtime->loop, &http, &coordinator->servers[listener]);
}

enum status coordinator_start(const struct coordinator_options *options, struct coordinator **coordinator_out)
{
	struct coordinator *coordinator = calloc(1, sizeof(*coordinator));
	enum status status;

	*coordinator_out = NULL;
	if (coordinator == NULL)
		return ST_NO_MEMORY;
	status = make_verifier(coordinator, options);
	if (status != ST_OK) {
		free(coordinator);
		return status;
	}
	build(coordinator, options);
	*coordinator_out = coordinator;
	for (int listener = 0; listener < LISTENER_COUNT; listener++) {
		status = listen_on(coordinator, options, listener);
		if (status != ST_OK)
			return status;
	}
	router_start(&coordinator->router);
	return ST_OK;
}

/* --- stop --- */

static void on_view_closed(struct catalog_view *view)
{
	struct coordinator *coordinator = CONTAINER_OF(view, struct coordinator, router.view);

	coordinator->stopped_cb(coordinator->stopped_context);
}

/* Aborted requests end soon, but not at once: their calls have to come back. */
static void on_drain_timer(struct runtime_timer *timer)
{
	struct coordinator *coordinator = CONTAINER_OF(timer, struct coordinator, drain_timer);

	if (coordinator->api.request_count > 0)
		runtime_timer_start(&coordinator->runtime->base, timer, DRAIN_CHECK_MS * US_PER_MS);
	else
		router_stop(&coordinator->router, on_view_closed);
}

static void on_server_stopped(void *context)
{
	struct coordinator *coordinator = context;

	CHECK(coordinator->servers_stopping > 0);
	coordinator->servers_stopping--;
	if (coordinator->servers_stopping == 0)
		runtime_timer_start(&coordinator->runtime->base, &coordinator->drain_timer, 0);
}

void coordinator_stop(struct coordinator *coordinator, uint32_t grace_ms, coordinator_stopped_cb stopped_cb,
		      void *context)
{
	coordinator->stopped_cb = stopped_cb;
	coordinator->stopped_context = context;
	runtime_timer_init(&coordinator->drain_timer, on_drain_timer);
	coordinator->servers_stopping = 1; /* this function's own, so that the last one is seen as such */
	for (int listener = 0; listener < LISTENER_COUNT; listener++) {
		if (coordinator->servers[listener] == NULL)
			continue;
		coordinator->servers_stopping++;
		http_server_stop(coordinator->servers[listener], grace_ms, on_server_stopped, coordinator);
	}
	on_server_stopped(coordinator);
}

void coordinator_destroy(struct coordinator *coordinator)
{
	if (coordinator == NULL)
		return;
	for (int listener = 0; listener < LISTENER_COUNT; listener++)
		http_server_destroy(coordinator->servers[listener]);
	api_close(&coordinator->api);
	router_close(&coordinator->router);
	sigv4_verifier_destroy(coordinator->verifier);
	free(coordinator);
}

/* --- questions --- */

static uint16_t port_of(const struct http_server *server)
{
	return server == NULL ? 0 : http_server_port(server);
}

uint16_t coordinator_port(const struct coordinator *coordinator)
{
	return port_of(coordinator->servers[LISTENER_PLAIN]);
}

uint16_t coordinator_https_port(const struct coordinator *coordinator)
{
	return port_of(coordinator->servers[LISTENER_HTTPS]);
}

enum status coordinator_reload_https(struct coordinator *coordinator, const char *cert_path,
				     const char *key_path)
{
	struct http_server *server = coordinator->servers[LISTENER_HTTPS];

	return server == NULL ? ST_OK : http_server_reload_tls(server, cert_path, key_path);
}

const char *coordinator_problem(const struct coordinator *coordinator)
{
	return coordinator->router.view.state.version == 0
		       ? "the catalog is not loaded yet: no seed has answered"
		       : NULL;
}
