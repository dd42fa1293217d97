#include "proto/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"

enum { COMMON_NAME_SIZE_MAX = 64, NODE_ID_DIGITS_MAX = 20 };

struct tls_context {
	SSL_CTX *ctx;
	struct tls_identity own;
};

static bool parse_node_id(const char *digits, uint64_t *node_id_out)
{
	uint64_t value = 0;
	size_t count = strlen(digits);

	if (count == 0 || count > NODE_ID_DIGITS_MAX || digits[0] == '0')
		return false; /* one spelling per id, and 0 is nobody */
	for (size_t i = 0; i < count; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digits[i] - '0'), &value))
			return false;
	}
	*node_id_out = value;
	return true;
}

bool tls_context_parse_name(const char *common_name, struct tls_identity *identity_out)
{
	struct tls_identity identity = { TLS_ROLE_NONE, 0 };

	if (strcmp(common_name, "coordinator") == 0)
		identity.role = TLS_ROLE_COORDINATOR;
	else if (strcmp(common_name, "tool") == 0)
		identity.role = TLS_ROLE_TOOL;
	else if (strncmp(common_name, "node-", 5) == 0 && parse_node_id(common_name + 5, &identity.node_id))
		identity.role = TLS_ROLE_NODE;
	else
		return false;
	*identity_out = identity;
	return true;
}

/* The one common name of the subject; a certificate with several says nothing. */
static bool common_name_of(const X509 *certificate, char out[COMMON_NAME_SIZE_MAX + 1])
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *text;
	int size;

	if (index < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0)
		return false;
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
	size = ASN1_STRING_length(text);
	if (size <= 0 || size > COMMON_NAME_SIZE_MAX)
		return false;
	memcpy(out, ASN1_STRING_get0_data(text), (size_t)size);
	out[size] = 0;
	return strlen(out) == (size_t)size; /* no NUL inside */
}

static bool identity_of(const X509 *certificate, struct tls_identity *identity_out)
{
	char name[COMMON_NAME_SIZE_MAX + 1];

	return common_name_of(certificate, name) && tls_context_parse_name(name, identity_out);
}

static void log_failure(const char *what, const char *path)
{
	char text[160];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	log_error("tls", what, "path=%s error=%s", path, text);
}

static bool are_readable(const struct tls_files *files)
{
	return access(files->ca_path, R_OK) == 0 && access(files->cert_path, R_OK) == 0 &&
	       access(files->key_path, R_OK) == 0;
}

static enum status load_files(SSL_CTX *ctx, const struct tls_files *files)
{
	if (!are_readable(files))
		return ST_IO;
	if (SSL_CTX_load_verify_file(ctx, files->ca_path) != 1) {
		log_failure("bad-ca", files->ca_path);
		return ST_INVALID;
	}
	if (SSL_CTX_use_certificate_chain_file(ctx, files->cert_path) != 1) {
		log_failure("bad-certificate", files->cert_path);
		return ST_INVALID;
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, files->key_path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		log_failure("bad-key", files->key_path);
		return ST_INVALID;
	}
	return ST_OK;
}

static enum status make_ctx(const struct tls_files *files, SSL_CTX **ctx_out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	enum status status;

	if (ctx == NULL)
		return ST_NO_MEMORY;
	ERR_clear_error();
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 || SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		SSL_CTX_free(ctx);
		return ST_NO_MEMORY;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	status = load_files(ctx, files);
	if (status != ST_OK) {
		SSL_CTX_free(ctx);
		return status;
	}
	*ctx_out = ctx;
	return ST_OK;
}

enum status tls_context_reload(struct tls_context *context, const struct tls_files *files)
{
	struct tls_identity own = { TLS_ROLE_NONE, 0 };
	SSL_CTX *ctx;
	enum status status = make_ctx(files, &ctx);

	if (status != ST_OK)
		return status;
	(void)identity_of(SSL_CTX_get0_certificate(ctx), &own); /* a certificate may say nothing */
	SSL_CTX_free(context->ctx);                             /* sessions hold references of their own */
	context->ctx = ctx;
	context->own = own;
	return ST_OK;
}

enum status tls_context_create(const struct tls_files *files, struct tls_context **context_out)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	enum status status;

	if (context == NULL)
		return ST_NO_MEMORY;
	status = tls_context_reload(context, files);
	if (status != ST_OK) {
		free(context);
		return status;
	}
	*context_out = context;
	return ST_OK;
}

struct tls_identity tls_context_own_identity(const struct tls_context *context)
{
	return context->own;
}

void tls_context_destroy(struct tls_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ctx);
	free(context);
}

struct ssl_st *tls_context_new_session(const struct tls_context *context, bool is_server)
{
	SSL *session = SSL_new(context->ctx);

	if (session == NULL)
		return NULL;
	if (is_server)
		SSL_set_accept_state(session);
	else
		SSL_set_connect_state(session);
	return session;
}

bool tls_context_peer_identity(const struct ssl_st *session, struct tls_identity *identity_out)
{
	X509 *certificate = SSL_get0_peer_certificate(session);

	return certificate != NULL && identity_of(certificate, identity_out);
}
