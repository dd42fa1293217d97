/* Reads what data/make_sigv4_vectors.py writes: requests signed by botocore at SIGV4_VECTORS_NOW_S.
 *
 * Memory   the vectors of data/sigv4_vectors.txt live in one static arena until
 *          sigv4_vectors_close(); sigv4_vector_read() puts one into an arena of the caller's.
 */
#ifndef TESTS_UNIT_SIGV4_VECTORS_H
#define TESTS_UNIT_SIGV4_VECTORS_H

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/auth/sigv4_claim.h"
#include "proto/base/base64.h"
#include "proto/base/digest.h"

enum { SIGV4_VECTORS_MAX = 200, SIGV4_VECTOR_HEADERS_MAX = 32, SIGV4_VECTOR_LINE_MAX = 8192 };

#define SIGV4_VECTORS_NOW_S  UINT64_C(1930175998) /* 20310301T235958Z */
#define SIGV4_VECTORS_REGION "eu-test-1"

struct sigv4_vector {
	struct slice name;
	struct slice key;
	struct slice secret;
	struct slice token;
	struct slice canonical_hash; /* hex */
	struct sigv4_header headers[SIGV4_VECTOR_HEADERS_MAX];
	struct sigv4_request request;
};

static struct arena sigv4_vectors_arena;
static struct sigv4_vector sigv4_vectors[SIGV4_VECTORS_MAX];
static size_t sigv4_vector_count;

static struct slice vector_copy(struct arena *arena, struct slice text)
{
	uint8_t *copy = arena_copy(arena, text);

	CHECK(copy != NULL);
	return slice_of(copy, text.size);
}

static struct slice vector_unhex(struct arena *arena, struct slice text)
{
	struct buf bytes;
	struct slice copy;

	buf_init(&bytes, SIGV4_VECTOR_LINE_MAX);
	CHECK(hex_decode(&bytes, text) == ST_OK);
	copy = vector_copy(arena, buf_slice(&bytes));
	buf_close(&bytes);
	return copy;
}

static void vector_take_header(struct sigv4_vector *vector, struct slice text)
{
	const uint8_t *colon = memchr(text.data, ':', text.size);
	size_t name_size = (size_t)(colon - text.data);

	CHECK(colon != NULL && vector->request.header_count < SIGV4_VECTOR_HEADERS_MAX);
	vector->headers[vector->request.header_count++] = (struct sigv4_header){
		slice_of(text.data, name_size), slice_of(colon + 1, text.size - name_size - 1)
	};
}

static void vector_take(struct arena *arena, struct sigv4_vector *vector, const char *field,
			struct slice value)
{
	const struct {
		const char *field;
		struct slice *value;
	} texts[] = {
		{ "name", &vector->name },
		{ "key", &vector->key },
		{ "secret", &vector->secret },
		{ "token", &vector->token },
		{ "method", &vector->request.method },
		{ "path", &vector->request.path },
		{ "query", &vector->request.query },
		{ "canonical", &vector->canonical_hash },
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (strcmp(texts[i].field, field) == 0)
			*texts[i].value = value;
	}
	if (strcmp(field, "header") == 0)
		vector_take_header(vector, value);
	if (strcmp(field, "body") == 0)
		vector->request.body = vector_unhex(arena, value);
}

/* A file beside the vectors. */
static inline void sigv4_vectors_path(char *path, size_t path_size, const char *name)
{
	char here[] = __FILE__;

	(void)snprintf(path, path_size, "%s/data/%s", dirname(here), name);
}

/* False at the end of the file. */
static inline bool sigv4_vector_read(FILE *file, struct arena *arena, struct sigv4_vector *vector)
{
	static char line[SIGV4_VECTOR_LINE_MAX];

	memset(vector, 0, sizeof(*vector));
	vector->request.headers = vector->headers;
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t field_size = strcspn(line, " \n");
		size_t size = strcspn(line, "\n");

		line[field_size] = '\0';
		if (strcmp(line, "end") == 0)
			return true;
		CHECK(size > field_size);
		vector_take(arena, vector, line,
			    vector_copy(arena, slice_of(line + field_size + 1, size - field_size - 1)));
	}
	return false;
}

/* A cmocka group set-up. */
static inline int sigv4_vectors_open(void **state)
{
	char path[4096];
	FILE *file;

	(void)state;
	sigv4_vectors_path(path, sizeof(path), "sigv4_vectors.txt");
	file = fopen(path, "r");
	CHECK(file != NULL);
	arena_init(&sigv4_vectors_arena, 4 * 1024 * 1024);
	while (sigv4_vector_read(file, &sigv4_vectors_arena, &sigv4_vectors[sigv4_vector_count])) {
		sigv4_vector_count++;
		CHECK(sigv4_vector_count < SIGV4_VECTORS_MAX);
	}
	(void)fclose(file);
	return 0;
}

static inline int sigv4_vectors_close(void **state)
{
	(void)state;
	arena_close(&sigv4_vectors_arena);
	return 0;
}

/* The vector of that name; a test that names none fails. */
static inline const struct sigv4_vector *sigv4_vector_find(const char *name)
{
	for (size_t i = 0; i < sigv4_vector_count; i++) {
		if (slice_equal(sigv4_vectors[i].name, slice_of_string(name)))
			return &sigv4_vectors[i];
	}
	UNREACHABLE();
}

#endif
