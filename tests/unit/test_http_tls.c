#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
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

static void write_pem(char *path, size_t path_size, EVP_PKEY *key, X509 *cert)
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
static int make_certificate(void **state)
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

static int remove_certificate(void **state)
{
	(void)state;
	(void)unlink(cert_path);
	(void)unlink(key_path);
	return 0;
}

static void fixture_open_tls(struct fixture *f)
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
static int tls_connect(struct tls_client *client, const struct fixture *f, int version, const char *suites,
		       const char *alpn)
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

static void tls_close(struct tls_client *client)
{
	SSL_free(client->tls);
	SSL_CTX_free(client->context);
	(void)close(client->fd);
}

static void both_versions_of_tls_serve_a_request(void **state)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct tls_client client;
		char answer[4096] = { 0 };
		int size = 0;

		assert_int_equal(tls_connect(&client, &f, versions[i], NULL, NULL), 1);
		assert_true(SSL_write(client.tls, request, sizeof(request) - 1) > 0);
		while (strstr(answer, "\r\n\r\nhello") == NULL) {
			int count = SSL_read(client.tls, answer + size, (int)sizeof(answer) - 1 - size);

			assert_true(count > 0);
			size += count;
		}
		assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
		tls_close(&client);
	}
	fixture_close(&f);
}

static void old_versions_and_weak_suites_are_refused(void **state)
{
	static const struct {
		int version;
		const char *suites;
	} offers[] = {
		{ TLS1_VERSION, "ALL" },
		{ TLS1_1_VERSION, "ALL" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA" },
		{ TLS1_2_VERSION, "AES128-GCM-SHA256" },
	};
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
		struct tls_client client;

		assert_int_not_equal(tls_connect(&client, &f, offers[i].version, offers[i].suites, NULL), 1);
		tls_close(&client);
	}
	fixture_close(&f);
}

static void alpn_chooses_http2(void **state)
{
	const unsigned char *protocol;
	unsigned protocol_size;
	struct tls_client client;
	struct fixture f;

	(void)state;
	fixture_open_tls(&f);
	assert_int_equal(tls_connect(&client, &f, TLS1_3_VERSION, NULL, "\x02h2\x08http/1.1"), 1);
	SSL_get0_alpn_selected(client.tls, &protocol, &protocol_size);
	assert_int_equal(protocol_size, 2);
	assert_memory_equal(protocol, "h2", 2);
	tls_close(&client);
	fixture_close(&f);
}

static void noise_instead_of_a_handshake_is_cut_off(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open_tls(&f);
	fd = client_connect(&f);
	client_send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\n\r\n");
	for (char byte; client_receive(fd, &byte, 1) > 0;)
		; /* an alert may come first */
	(void)close(fd);
	fixture_close(&f);
}

static void send_frame(int fd, uint8_t type, uint8_t flags, uint32_t stream_id, struct slice payload)
{
	uint8_t head[FRAME_HEAD_SIZE] = { 0, 0, 0, type, flags };

	put_u16_be(head + 1, (uint16_t)payload.size);
	put_u32_be(head + 5, stream_id);
	client_send(fd, head, sizeof(head));
	client_send(fd, payload.data, payload.size);
}

/* A literal header without indexing: RFC 7541, section 6.2.2. */
static void put_header(struct buf *block, const char *name, const char *value)
{
	buf_put_u8(block, 0);
	buf_put_u8(block, (uint8_t)strlen(name));
	buf_append_string(block, name);
	buf_put_u8(block, (uint8_t)strlen(value));
	buf_append_string(block, value);
}

static void send_post(int fd, uint32_t stream_id, const char *path, const char *body)
{
	struct buf block;

	buf_init(&block, 1024);
	put_header(&block, ":method", "POST");
	put_header(&block, ":scheme", "http");
	put_header(&block, ":path", path);
	put_header(&block, ":authority", "h2-host");
	send_frame(fd, FRAME_HEADERS, FLAG_END_HEADERS, stream_id, buf_slice(&block));
	send_frame(fd, FRAME_DATA, FLAG_END_STREAM, stream_id, text_slice(body));
	buf_close(&block);
}

static int connect_http2(const struct fixture *f)
{
	int fd = client_connect(f);

	client_send_text(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	send_frame(fd, FRAME_SETTINGS, 0, 0, (struct slice){ NULL, 0 });
	return fd;
}

static void receive_exactly(int fd, uint8_t *out, size_t size)
{
	while (size > 0) {
		size_t count = client_receive(fd, out, size);

		assert_true(count > 0);
		out += count;
		size -= count;
	}
}

/* Skip frames up to the next DATA of that stream and check its payload. */
static void assert_data(int fd, uint32_t stream_id, const char *expected)
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

static void http2_with_prior_knowledge_serves_streams_out_of_order(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "first");
	fixture_wait_held(&f, 1);
	send_post(fd, 3, "/", "second");
	assert_data(fd, 3, "second");
	send_post(fd, 5, "/header?host", "");
	assert_data(fd, 5, "h2-host");
	fixture_release(&f);
	assert_data(fd, 1, "first");
	(void)close(fd);
	fixture_close(&f);
}

static void a_reset_stream_aborts_its_request_and_its_answer_goes_nowhere(void **state)
{
	static const uint8_t cancel[] = { 0, 0, 0, 8 };
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "first");
	fixture_wait_held(&f, 1);
	send_frame(fd, FRAME_RST_STREAM, 0, 1, slice_of(cancel, sizeof(cancel)));
	fixture_wait_aborted(&f, 1);
	fixture_release(&f);
	send_post(fd, 3, "/", "second");
	assert_data(fd, 3, "second");
	(void)close(fd);
	fixture_close(&f);
}

static void an_http2_client_that_leaves_aborts_all_its_requests(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "a");
	send_post(fd, 3, "/hold", "b");
	fixture_wait_held(&f, 2);
	(void)close(fd);
	fixture_wait_aborted(&f, 2);
	fixture_release(&f);
	fixture_close(&f);
}

static void a_stop_aborts_http2_requests_too(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_init(&f);
	f.stop_grace_ms = 50;
	fixture_start(&f);
	fd = connect_http2(&f);
	send_post(fd, 1, "/hold", "a");
	fixture_wait_held(&f, 1);
	fixture_command(&f, COMMAND_STOP);
	fixture_join(&f);
	assert_int_equal(f.aborted_count, 1);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_of_tls_serve_a_request),
		cmocka_unit_test(old_versions_and_weak_suites_are_refused),
		cmocka_unit_test(alpn_chooses_http2),
		cmocka_unit_test(noise_instead_of_a_handshake_is_cut_off),
		cmocka_unit_test(http2_with_prior_knowledge_serves_streams_out_of_order),
		cmocka_unit_test(a_reset_stream_aborts_its_request_and_its_answer_goes_nowhere),
		cmocka_unit_test(an_http2_client_that_leaves_aborts_all_its_requests),
		cmocka_unit_test(a_stop_aborts_http2_requests_too),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
