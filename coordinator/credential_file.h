/* Access keys and their secrets from a file: lines `ACCESS_KEY_ID SECRET`, # begins a comment.
 *
 * Threads  loop thread.  Loading blocks on the file.
 * Memory   the set owns its bytes and wipes them when it is replaced or closed.
 * Errors   ST_IO the file cannot be read, ST_INVALID a line is no pair of words of legal
 *          length, ST_TOO_BIG, ST_EXISTS a key id comes twice; the line is logged, never its
 *          content, and the set stays as it was.
 * Limits   CREDENTIAL_FILE_SIZE_MAX, CREDENTIAL_FILE_COUNT_MAX.
 */
#ifndef COORDINATOR_CREDENTIAL_FILE_H
#define COORDINATOR_CREDENTIAL_FILE_H

#include "proto/base/bytes.h"

enum { CREDENTIAL_FILE_SIZE_MAX = 1024 * 1024, CREDENTIAL_FILE_COUNT_MAX = 4096 };

struct credential_pair {
	struct slice key_id;
	struct slice secret;
};

struct credential_file {
	struct buf content;            /* what the pairs point into */
	struct credential_pair *pairs; /* ascending by key id */
	size_t count;
};

void credential_file_init(struct credential_file *file);
/* Read the whole set anew. */
enum status credential_file_load(struct credential_file *file, const char *path) MUST_CHECK;
/* False if nobody has the key id; the secret is valid until the next load. */
bool credential_file_find(const struct credential_file *file, struct slice key_id, struct slice *secret_out);
void credential_file_close(struct credential_file *file);

#endif
