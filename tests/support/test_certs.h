/* Certificates for tests: CAs and what they sign, in a directory of their own under /tmp.
 *
 * Threads  none of its own.
 * Memory   test_certs_close() removes the directory; paths point into struct test_certs_files.
 * Errors   every failure ends the program: a test without certificates proves nothing.
 */
#ifndef TESTS_SUPPORT_TEST_CERTS_H
#define TESTS_SUPPORT_TEST_CERTS_H

#include "proto/net/tls_context.h"

enum { TEST_CERTS_PATH_SIZE = 128 };

struct test_certs {
	char directory[64];
};

struct test_certs_files {
	char ca_path[TEST_CERTS_PATH_SIZE];
	char cert_path[TEST_CERTS_PATH_SIZE];
	char key_path[TEST_CERTS_PATH_SIZE];
	struct tls_files files; /* points to the three above */
};

void test_certs_init(struct test_certs *certs);
void test_certs_close(struct test_certs *certs);
/* A new CA: writes <ca>.crt and <ca>.key. */
void test_certs_make_ca(const struct test_certs *certs, const char *ca);
/* A certificate signed by that CA: writes <name>.crt and <name>.key.  valid_s from now may
 * be negative: then it has expired. */
void test_certs_issue(const struct test_certs *certs, const char *ca, const char *name,
		      const char *common_name, long valid_s);
/* Trust trusted_ca, show the certificate <name>. */
void test_certs_name_files(const struct test_certs *certs, const char *trusted_ca, const char *name,
			   struct test_certs_files *out);
/* test_certs_name_files() and tls_context_create() in one. */
struct tls_context *test_certs_context(const struct test_certs *certs, const char *trusted_ca,
				       const char *name);

#endif
