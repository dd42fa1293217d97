/* The cluster's certificates: mutual TLS 1.3 between the processes of one cluster.
 *
 * Each process has a certificate signed by the cluster's own CA whose common name is
 * `node-<id>`, `coordinator` or `tool`.  Both sides verify the other's chain against that
 * CA alone; names of hosts do not matter, the common name says who may speak as whom.
 *
 * Threads  loop thread.
 * Memory   heap; streams made from a context keep what they need of it, so it may be
 *          reloaded or destroyed while they live.
 * Errors   ST_IO a file cannot be read, ST_INVALID it does not parse or the key does not
 *          fit, ST_NO_MEMORY.
 */
#ifndef PROTO_NET_TLS_CONTEXT_H
#define PROTO_NET_TLS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/status.h"

struct tls_context; /* opaque: see tls_context.c */
struct ssl_st;

enum tls_role { TLS_ROLE_NONE, TLS_ROLE_NODE, TLS_ROLE_COORDINATOR, TLS_ROLE_TOOL };

/* Who a certificate speaks for; node_id is 0 unless TLS_ROLE_NODE. */
struct tls_identity {
	enum tls_role role;
	uint64_t node_id;
};

struct tls_files {
	const char *ca_path;   /* PEM, the cluster's CA */
	const char *cert_path; /* PEM, own chain */
	const char *key_path;  /* PEM, own key */
};

enum status tls_context_create(const struct tls_files *files, struct tls_context **context_out) MUST_CHECK;
/* Read the files again for connections made from now on; on an error the old ones stay. */
enum status tls_context_reload(struct tls_context *context, const struct tls_files *files) MUST_CHECK;
/* Who the own certificate speaks for. */
struct tls_identity tls_context_own_identity(const struct tls_context *context);
void tls_context_destroy(struct tls_context *context);

/* `node-7`, `coordinator`, `tool`; false for anything else. */
bool tls_context_parse_name(const char *common_name, struct tls_identity *identity_out);

/* For stream_tls: a session object, NULL without memory; and the peer behind one. */
struct ssl_st *tls_context_new_session(const struct tls_context *context, bool is_server);
bool tls_context_peer_identity(const struct ssl_st *session, struct tls_identity *identity_out);

#endif
