#include "coordinator/http/http_tls.h"

#include <h2o.h>
#include <h2o/http2.h>
#include <openssl/err.h>

#include "proto/base/log.h"

static const char tls12_suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
				   "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
				   "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static bool configure(SSL_CTX *tls, const char *cert_path, const char *key_path)
{
	(void)SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					       SSL_OP_CIPHER_SERVER_PREFERENCE); /* gives the new mask */
	(void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS); /* an idle connection needs none; likewise */
	return SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(tls, tls12_suites) == 1 &&
	       SSL_CTX_use_certificate_chain_file(tls, cert_path) == 1 &&
	       SSL_CTX_use_PrivateKey_file(tls, key_path, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(tls) == 1;
}

SSL_CTX *http_tls_create(const char *cert_path, const char *key_path)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (tls == NULL)
		return NULL;
	if (!configure(tls, cert_path, key_path)) {
		char reason[256];

		ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
		log_error("http", "tls-unusable", "cert=%s key=%s reason=\"%s\"", cert_path, key_path,
			  reason);
		SSL_CTX_free(tls);
		return NULL;
	}
	h2o_ssl_register_alpn_protocols(tls, h2o_http2_alpn_protocols);
	return tls;
}
