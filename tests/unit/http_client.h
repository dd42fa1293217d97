/* A client that speaks TLS and one that speaks HTTP/2, for the server of http_fixture.h. */
#ifndef TESTS_UNIT_HTTP_CLIENT_H
#define TESTS_UNIT_HTTP_CLIENT_H

#include <stdio.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tests/unit/http_fixture.h"

enum {
	FRAME_HEAD_SIZE = 9,
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_RST_STREAM = 3,
	FRAME_SETTINGS = 4,
	FLAG_END_STREAM = 1,
	FLAG_END_HEADERS = 4,
	FRAME_SIZE_MAX = 16384,
};

static char cert_path[64];
static char key_path[64];

static inline void write_pem(char *path, size_t path_size, EVP_PKEY *key, X509 *cert)
{
	FILE *file;
	int fd;

	(void)snprintf(path, path_size, "/tmp/test_http_tls.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	if (cert != NULL)
		assert_int_equal(PEM_write_X509(file, cert), 1);
	else
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}

/* A key and a certificate that it signed itself, in files. */
static inline int make_certificate(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	(void)state;
	assert_non_null(key);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	(void)X509_set_pubkey(cert, key);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
					 0);
	(void)X509_set_issuer_name(cert, name);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	write_pem(cert_path, sizeof(cert_path), NULL, cert);
	write_pem(key_path, sizeof(key_path), key, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static inline int remove_certificate(void **state)
{
	(void)state;
	(void)unlink(cert_path);
	(void)unlink(key_path);
	return 0;
}

static inline void fixture_open_tls(struct fixture *f)
{
	fixture_init(f);
	f->options.tls_cert_path = cert_path;
	f->options.tls_key_path = key_path;
	fixture_start(f);
}

struct tls_client {
	SSL_CTX *context;
	SSL *tls;
	int fd;
};

/* 1 if the handshake succeeds. */
static inline int tls_connect(struct tls_client *client, const struct fixture *f, int version,
			      const char *suites, const char *alpn)
{
	client->context = SSL_CTX_new(TLS_client_method());
	(void)SSL_CTX_set_min_proto_version(client->context, version);
	(void)SSL_CTX_set_max_proto_version(client->context, version);
	if (suites != NULL) {
		SSL_CTX_set_security_level(client->context, 0);
		assert_int_equal(SSL_CTX_set_cipher_list(client->context, suites), 1);
	}
	client->tls = SSL_new(client->context);
	if (alpn != NULL)
		(void)SSL_set_alpn_protos(client->tls, (const unsigned char *)alpn, (unsigned)strlen(alpn));
	client->fd = client_connect(f);
	(void)SSL_set_fd(client->tls, client->fd);
	return SSL_connect(client->tls);
}

static inline void tls_close(struct tls_client *client)
{
	SSL_free(client->tls);
	SSL_CTX_free(client->context);
	(void)close(client->fd);
}

static inline void send_frame(int fd, uint8_t type, uint8_t flags, uint32_t stream_id, struct slice payload)
{
	uint8_t head[FRAME_HEAD_SIZE] = { 0, 0, 0, type, flags };

	put_u16_be(head + 1, (uint16_t)payload.size);
	put_u32_be(head + 5, stream_id);
	client_send(fd, head, sizeof(head));
	client_send(fd, payload.data, payload.size);
}

/* A literal header without indexing: RFC 7541, section 6.2.2. */
static inline void put_header(struct buf *block, const char *name, const char *value)
{
	buf_put_u8(block, 0);
	buf_put_u8(block, (uint8_t)strlen(name));
	buf_append_string(block, name);
	buf_put_u8(block, (uint8_t)strlen(value));
	buf_append_string(block, value);
}

static inline void send_post_head(int fd, uint32_t stream_id, const char *path)
{
	struct buf block;

	buf_init(&block, 1024);
	put_header(&block, ":method", "POST");
	put_header(&block, ":scheme", "http");
	put_header(&block, ":path", path);
	put_header(&block, ":authority", "h2-host");
	send_frame(fd, FRAME_HEADERS, FLAG_END_HEADERS, stream_id, buf_slice(&block));
	buf_close(&block);
}

static inline void send_post(int fd, uint32_t stream_id, const char *path, const char *body)
{
	send_post_head(fd, stream_id, path);
	send_frame(fd, FRAME_DATA, FLAG_END_STREAM, stream_id, text_slice(body));
}

static inline int connect_http2(const struct fixture *f)
{
	int fd = client_connect(f);

	client_send_text(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	send_frame(fd, FRAME_SETTINGS, 0, 0, (struct slice){ NULL, 0 });
	return fd;
}

static inline void receive_exactly(int fd, uint8_t *out, size_t size)
{
	while (size > 0) {
		size_t count = client_receive(fd, out, size);

		assert_true(count > 0);
		out += count;
		size -= count;
	}
}

/* Skip frames up to the next DATA of that stream and check its payload. */
static inline void assert_data(int fd, uint32_t stream_id, const char *expected)
{
	static uint8_t payload[FRAME_SIZE_MAX];
	uint8_t head[FRAME_HEAD_SIZE];

	do {
		receive_exactly(fd, head, sizeof(head));
		assert_int_equal(head[0], 0);
		receive_exactly(fd, payload, get_u16_be(head + 1));
	} while (head[3] != FRAME_DATA || get_u32_be(head + 5) != stream_id);
	assert_int_equal(get_u16_be(head + 1), strlen(expected));
	assert_memory_equal(payload, expected, strlen(expected));
}

/* Leave so that the server reads an error, not the end of the stream. */
static inline void reset_and_close(int fd)
{
	const struct linger forget = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &forget, sizeof(forget)), 0);
	(void)close(fd);
}

#endif
