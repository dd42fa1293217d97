/* Goal: what the clients' own library signs is accepted, and no other request is.
 * Method: data/make_sigv4_vectors.py signs random requests, with headers and presigned, and writes
 * them to us. Each is verified as it came, and again with one bit changed in each of its parts.
 *
 * CLEAVE_SIGV4_REQUESTS=100000 CLEAVE_SIGV4_SEED=7 for a longer run by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "coordinator/auth/sigv4_verify.h"
#include "proto/base/rng.h"
#include "tests/unit/sigv4_vectors.h"

enum { VECTOR_SIZE_MAX = 256 * 1024 };

struct signer {
	pid_t pid;
	FILE *requests;
};

struct fixture {
	struct signer signer;
	struct sigv4_verifier *verifier;
	struct sigv4_vector vector;
	struct arena arena;
	struct rng rng;
	uint64_t flip_count;
	uint64_t neutral_count;
};

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value == NULL ? otherwise : value;
}

static void signer_start(struct signer *signer)
{
	char script[4096];
	char *arguments[] = { (char[]){ "/usr/bin/python3" }, /* Debian's, which has botocore */
			      script,
			      (char[]){ "--random" },
			      strdup(setting("CLEAVE_SIGV4_REQUESTS", "10000")),
			      (char[]){ "--seed" },
			      strdup(setting("CLEAVE_SIGV4_SEED", "1")),
			      NULL };
	int ends[2];

	sigv4_vectors_path(script, sizeof(script), "make_sigv4_vectors.py");
	assert_int_equal(pipe(ends), 0);
	signer->pid = fork();
	assert_true(signer->pid >= 0);
	if (signer->pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)execvp(arguments[0], arguments);
		_exit(127);
	}
	(void)close(ends[1]);
	signer->requests = fdopen(ends[0], "r");
	assert_non_null(signer->requests);
	free(arguments[3]);
	free(arguments[5]);
}

/* It ended well, so its last request was not cut. */
static void signer_end(struct signer *signer)
{
	int wait_status;

	(void)fclose(signer->requests);
	assert_int_equal(waitpid(signer->pid, &wait_status, 0), signer->pid);
	assert_true(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
}

static bool find_credential(void *context, struct slice access_key_id,
			    struct sigv4_credential *credential_out)
{
	const struct fixture *f = context;

	*credential_out = (struct sigv4_credential){ .secret = f->vector.secret,
						     .session_token = f->vector.token };
	return slice_equal(access_key_id, f->vector.key);
}

static enum sigv4_error verify(struct fixture *f, struct sigv4_result *result)
{
	return sigv4_verify(f->verifier, &f->vector.request, SIGV4_VECTORS_NOW_S, result);
}

/* --- changes that have no meaning --- */

/* The digits of an escape have no case. */
static bool is_same_in_query(uint8_t before, uint8_t after)
{
	return (before ^ after) == 0x20;
}

/* "/./" and "//" are one way to write a path. */
static bool is_same_in_path(uint8_t before, uint8_t after)
{
	return before == '/' || after == '/' || before == '.' || after == '.';
}

/* What "/../" takes back does not count. */
static bool is_resolved(struct slice path)
{
	return memmem(path.data, path.size, "/..", 3) != NULL;
}

/* Two separators may stand for each other, and the list of names has no case. */
static bool is_same_in_authorization(uint8_t before, uint8_t after)
{
	return (before ^ after) == 0x20 || before == ' ' || before == ',';
}

static bool is_never_same(uint8_t before, uint8_t after)
{
	(void)before;
	(void)after;
	return false;
}

typedef bool (*same_fn)(uint8_t before, uint8_t after);

/* The text is in our arena; change a random bit of it, and put it back. */
static void refuse_changed(struct fixture *f, struct slice text, same_fn is_same)
{
	struct sigv4_result result;
	uint8_t before;
	uint8_t *byte;

	if (text.size == 0)
		return;
	byte = (uint8_t *)(uintptr_t)text.data + rng_below(&f->rng, text.size);
	before = *byte;
	*byte ^= (uint8_t)(1u << rng_below(&f->rng, 8));
	f->flip_count++;
	if (is_same(before, *byte))
		f->neutral_count++;
	else if (verify(f, &result) == SIGV4_OK)
		fail_msg("%.*s: accepted with %02x for %02x in %.*s", (int)f->vector.name.size,
			 (const char *)f->vector.name.data, *byte, before, (int)text.size,
			 (const char *)text.data);
	*byte = before;
}

static void refuse_each_part_changed(struct fixture *f)
{
	const struct sigv4_request *request = &f->vector.request;
	const struct sigv4_header *header = &request->headers[rng_below(&f->rng, request->header_count)];
	bool is_authorization = slice_equal(header->name, slice_of_string("authorization"));

	refuse_changed(f, request->method, is_never_same);
	if (!is_resolved(request->path))
		refuse_changed(f, request->path, is_same_in_path);
	refuse_changed(f, request->query, is_same_in_query);
	refuse_changed(f, request->body, is_never_same);
	refuse_changed(f, header->value, is_authorization ? is_same_in_authorization : is_never_same);
}

static void botocore_is_accepted_and_nothing_near_it(void **state)
{
	struct fixture f = { .flip_count = 0 };
	const struct sigv4_options options = { .mode = SIGV4_STRICT,
					       .region = SIGV4_VECTORS_REGION,
					       .clock_window_s = SIGV4_CLOCK_WINDOW_S_DEFAULT,
					       .credential_cb = find_credential,
					       .credential_context = &f };
	struct sigv4_result result;
	uint64_t accepted_count = 0;

	(void)state;
	assert_int_equal(sigv4_verifier_create(&options, &f.verifier), ST_OK);
	arena_init(&f.arena, VECTOR_SIZE_MAX);
	rng_seed(&f.rng, strtoull(setting("CLEAVE_SIGV4_SEED", "1"), NULL, 10));
	signer_start(&f.signer);
	while (sigv4_vector_read(f.signer.requests, &f.arena, &f.vector)) {
		if (verify(&f, &result) != SIGV4_OK)
			fail_msg("%.*s: %.*s", (int)f.vector.name.size, (const char *)f.vector.name.data,
				 (int)result.message.size, (const char *)result.message.data);
		accepted_count++;
		refuse_each_part_changed(&f);
		arena_reset(&f.arena);
	}
	signer_end(&f.signer);
	assert_int_equal(accepted_count, strtoull(setting("CLEAVE_SIGV4_REQUESTS", "10000"), NULL, 10));
	assert_true(f.flip_count - f.neutral_count > 2 * accepted_count);
	print_message("%llu requests accepted, %llu changed ones refused\n",
		      (unsigned long long)accepted_count,
		      (unsigned long long)(f.flip_count - f.neutral_count));
	arena_close(&f.arena);
	sigv4_verifier_destroy(f.verifier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(botocore_is_accepted_and_nothing_near_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
