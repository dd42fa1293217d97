/* A coordinator: listeners, the API behind them, and a copy of the catalog to route by.
 *
 * It stands on the caller's loop and transport, so the same coordinator runs in a process of its own
 * (main.c) and beside a node inside `cleave local`.
 *
 * Life     coordinator_start(), the loop runs, coordinator_stop(), stopped_cb, the loop
 *          ends, coordinator_destroy().
 * Threads  loop thread.
 * Memory   strings and seeds are copied or used during start only, but zone and region must stay; runtime,
 *          transport and credential_context are borrowed until destroy.
 * Errors   coordinator_start(): ST_INVALID (address, certificate, region), ST_IO (a port is
 *          taken), ST_NO_MEMORY.  *coordinator_out is NULL or must be stopped and destroyed.
 * Process  SIGPIPE must be ignored.
 */
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include "coordinator/auth/sigv4_verify.h"
#include "proto/base/runtime_uv.h"
#include "proto/net/endpoint.h"
#include "proto/rpc/rpc.h"

struct coordinator;

typedef void (*coordinator_stopped_cb)(void *context);

struct coordinator_options {
	struct runtime_uv *runtime;
	struct rpc_transport *transport; /* the seeds are its peers already */
	const uint64_t *seed_node_ids;
	uint32_t seed_count;
	const char *zone;
	const char *region;
	enum sigv4_mode auth;
	sigv4_credential_cb credential_cb; /* may be NULL with SIGV4_OPEN */
	void *credential_context;
	const struct endpoint *listen;       /* plain HTTP; NULL: none */
	const struct endpoint *https_listen; /* NULL: none */
	const char *https_cert_path;
	const char *https_key_path;
	uint32_t connections_max; /* of each listener; 0: HTTP_CONNECTIONS_MAX_DEFAULT */
};

enum status coordinator_start(const struct coordinator_options *options,
			      struct coordinator **coordinator_out) MUST_CHECK;
/* Accept no more, let requests under way end, abort them after grace_ms; then stopped_cb, once,
 * in a later turn. */
void coordinator_stop(struct coordinator *coordinator, uint32_t grace_ms, coordinator_stopped_cb stopped_cb,
		      void *context);
/* After stopped_cb and not from inside any callback of the loop: it turns the loop once more. */
void coordinator_destroy(struct coordinator *coordinator);

/* The ports in use; 0 if there is no such listener. */
uint16_t coordinator_port(const struct coordinator *coordinator);
uint16_t coordinator_https_port(const struct coordinator *coordinator);
/* New HTTPS clients see the certificate in these files from now on.  ST_INVALID: it is unusable, and
 * the old one stays.  Harmless without an HTTPS listener. */
enum status coordinator_reload_https(struct coordinator *coordinator, const char *cert_path,
				     const char *key_path) MUST_CHECK;
/* NULL if it can serve, else what is missing: a text that stays valid. */
const char *coordinator_problem(const struct coordinator *coordinator);

#endif
