/* A file of access keys from arbitrary bytes: a set whose every key is found, or an error. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coordinator/credential_file.h"
#include "proto/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const struct credential_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct credential_pair *pair = &file->pairs[i];
		struct slice secret;

		CHECK(pair->key_id.size > 0 && pair->secret.size > 0);
		CHECK(i == 0 || slice_compare(file->pairs[i - 1].key_id, pair->key_id) < 0);
		CHECK(credential_file_find(file, pair->key_id, &secret) && slice_equal(secret, pair->secret));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct credential_file file;
	char path[32];

	log_set_level((enum log_level)(LOG_ERROR + 1));
	if (fd < 0)
		fd = memfd_create("credentials", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	credential_file_init(&file);
	if (credential_file_load(&file, path) == ST_OK)
		check_set(&file);
	else
		CHECK(file.count == 0);
	credential_file_close(&file);
	return 0;
}
