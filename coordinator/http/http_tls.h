/* The server side of TLS: versions 1.2 and 1.3, ECDHE with AEAD suites, ALPN for HTTP/2.
 *
 * Threads  any.
 * Memory   the caller frees the context with SSL_CTX_free().
 */
#ifndef COORDINATOR_HTTP_HTTP_TLS_H
#define COORDINATOR_HTTP_HTTP_TLS_H

#include <openssl/ssl.h>

#include "proto/base/status.h"

/* NULL if a file cannot be read, the key does not fit, or memory is out; the reason is
 * logged. */
SSL_CTX *http_tls_create(const char *cert_path, const char *key_path);

#endif
