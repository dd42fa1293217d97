#include "tests/support/test_certs.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void make_path(const struct test_certs *certs, const char *stem, const char *suffix,
		      char out[TEST_CERTS_PATH_SIZE])
{
	int size = snprintf(out, TEST_CERTS_PATH_SIZE, "%s/%s%s", certs->directory, stem, suffix);

	CHECK(size > 0 && size < TEST_CERTS_PATH_SIZE);
}

static FILE *open_file(const struct test_certs *certs, const char *stem, const char *suffix, const char *mode)
{
	char path[TEST_CERTS_PATH_SIZE];
	FILE *file;

	make_path(certs, stem, suffix, path);
	file = fopen(path, mode);
	CHECK(file != NULL);
	return file;
}

static void write_files(const struct test_certs *certs, const char *stem, X509 *certificate, EVP_PKEY *key)
{
	FILE *file = open_file(certs, stem, ".crt", "w");

	CHECK(PEM_write_X509(file, certificate) == 1);
	CHECK(fclose(file) == 0);
	file = open_file(certs, stem, ".key", "w");
	CHECK(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	CHECK(fclose(file) == 0);
}

static X509 *read_certificate(const struct test_certs *certs, const char *stem)
{
	FILE *file = open_file(certs, stem, ".crt", "r");
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

	CHECK(certificate != NULL && fclose(file) == 0);
	return certificate;
}

static EVP_PKEY *read_key(const struct test_certs *certs, const char *stem)
{
	FILE *file = open_file(certs, stem, ".key", "r");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

	CHECK(key != NULL && fclose(file) == 0);
	return key;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	CHECK(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key, const char *common_name, long valid_s)
{
	static long serial = 1;
	X509 *certificate = X509_new();
	X509_NAME *subject;

	CHECK(certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) == 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate), -24 * 3600) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s) != NULL);
	CHECK(X509_set_pubkey(certificate, key) == 1);
	subject = X509_get_subject_name(certificate);
	CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1,
					 -1, 0) == 1);
	return certificate;
}

void test_certs_init(struct test_certs *certs)
{
	(void)snprintf(certs->directory, sizeof(certs->directory), "/tmp/cleave-certs-XXXXXX");
	CHECK(mkdtemp(certs->directory) != NULL);
}

void test_certs_close(struct test_certs *certs)
{
	DIR *directory = opendir(certs->directory);
	struct dirent *entry;

	CHECK(directory != NULL);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.')
			CHECK(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
	}
	CHECK(closedir(directory) == 0);
	CHECK(rmdir(certs->directory) == 0);
}

void test_certs_make_ca(const struct test_certs *certs, const char *ca)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;

	CHECK(key != NULL);
	certificate = make_certificate(key, ca, 24 * 3600);
	CHECK(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
	add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
	write_files(certs, ca, certificate, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void test_certs_issue(const struct test_certs *certs, const char *ca, const char *name,
		      const char *common_name, long valid_s)
{
	X509 *ca_certificate = read_certificate(certs, ca);
	EVP_PKEY *ca_key = read_key(certs, ca);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;

	CHECK(key != NULL);
	certificate = make_certificate(key, common_name, valid_s);
	CHECK(X509_set_issuer_name(certificate, X509_get_subject_name(ca_certificate)) == 1);
	CHECK(X509_sign(certificate, ca_key, EVP_sha256()) > 0);
	write_files(certs, name, certificate, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
	X509_free(ca_certificate);
	EVP_PKEY_free(ca_key);
}

void test_certs_name_files(const struct test_certs *certs, const char *trusted_ca, const char *name,
			   struct test_certs_files *out)
{
	make_path(certs, trusted_ca, ".crt", out->ca_path);
	make_path(certs, name, ".crt", out->cert_path);
	make_path(certs, name, ".key", out->key_path);
	out->files = (struct tls_files){ out->ca_path, out->cert_path, out->key_path };
}

struct tls_context *test_certs_context(const struct test_certs *certs, const char *trusted_ca,
				       const char *name)
{
	struct test_certs_files files;
	struct tls_context *context;

	test_certs_name_files(certs, trusted_ca, name, &files);
	CHECK(tls_context_create(&files.files, &context) == ST_OK);
	return context;
}
