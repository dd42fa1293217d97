#include "tests/sim/sim_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/bytes.h"
#include "proto/base/check.h"
#include "proto/base/digest.h"

enum { PATH_SIZE = 2 * SIM_DIR_PATH_SIZE, OPEN_FOLDERS_MAX = 16, BLOCK_SIZE = 64 * 1024, TRIES_MAX = 100 };

static const char memory_base[] = "/dev/shm";

void sim_dir_of_process(char out[SIM_DIR_PATH_SIZE], pid_t pid)
{
	const char *base = access(memory_base, W_OK) == 0 ? memory_base : "/tmp";

	CHECK(snprintf(out, SIM_DIR_PATH_SIZE, "%s/cleave-sim-%ld", base, (long)pid) < SIM_DIR_PATH_SIZE);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void sim_dir_remove(const char *path)
{
	if (nftw(path, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
		CHECK(errno == ENOENT);
}

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name);

	return size >= strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

static void join(char out[PATH_SIZE], const char *folder, const char *name)
{
	CHECK(snprintf(out, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
}

/* The next name that is not "." or ".."; NULL at the end. */
static const char *next_name(DIR *folder)
{
	const struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	}
	return NULL;
}

struct sim_dir_log sim_dir_newest_log(const char *path)
{
	struct sim_dir_log newest = { 0, 0 };
	DIR *folder = opendir(path);
	const char *name;

	CHECK(folder != NULL);
	while ((name = next_name(folder)) != NULL) {
		char file[PATH_SIZE];
		struct stat status;
		uint64_t number;

		if (!ends_with(name, ".log"))
			continue;
		number = strtoull(name, NULL, 10);
		join(file, path, name);
		if (number >= newest.number && stat(file, &status) == 0)
			newest = (struct sim_dir_log){ number, (uint64_t)status.st_size };
	}
	(void)closedir(folder);
	return newest;
}

/* --- copies --- */

static void write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		CHECK(written > 0);
		bytes += written;
		size -= (size_t)written;
	}
}

/* False if the file has gone meanwhile. */
static bool copy_file(const char *from, const char *to, uint64_t size_max)
{
	uint8_t block[BLOCK_SIZE];
	int source = open(from, O_RDONLY | O_CLOEXEC);
	int target;

	if (source < 0)
		return false;
	target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(target >= 0);
	while (size_max > 0) {
		ssize_t size = read(source, block,
				    size_max < sizeof(block) ? (size_t)size_max : sizeof(block));

		CHECK(size >= 0);
		if (size == 0)
			break;
		write_all(target, block, (size_t)size);
		size_max -= (uint64_t)size;
	}
	(void)close(source);
	CHECK(close(target) == 0);
	return true;
}

/* Of names and sizes of all but the logs, which only grow. */
static uint64_t digest_folder(const char *path)
{
	DIR *folder = opendir(path);
	const char *name;
	uint64_t sum = 0; /* names come in no order */

	if (folder == NULL)
		return 0;
	while ((name = next_name(folder)) != NULL) {
		char file[PATH_SIZE];
		struct stat status;
		uint64_t seed = 0;

		join(file, path, name);
		if (!ends_with(name, ".log") && strcmp(name, "LOG") != 0 && stat(file, &status) == 0)
			seed = (uint64_t)status.st_size + 1;
		sum += digest_hash64(slice_of_string(name), seed);
	}
	(void)closedir(folder);
	return sum;
}

/* False if something went away while it was copied. */
static bool copy_folder(const char *from, const char *to, const struct sim_dir_log *log)
{
	DIR *folder = opendir(from);
	bool is_whole = folder != NULL;
	const char *name;

	CHECK(mkdir(to, 0700) == 0);
	while (is_whole && (name = next_name(folder)) != NULL) {
		bool is_cut = log != NULL && ends_with(name, ".log") &&
			      strtoull(name, NULL, 10) == log->number;
		char source[PATH_SIZE];
		char target[PATH_SIZE];
		struct stat status;

		join(source, from, name);
		join(target, to, name);
		if (stat(source, &status) != 0)
			is_whole = false;
		else if (S_ISDIR(status.st_mode))
			is_whole = copy_folder(source, target, NULL);
		else if (ends_with(name, ".sst"))
			is_whole = link(source, target) == 0;
		else
			is_whole = copy_file(source, target, is_cut ? log->size : UINT64_MAX);
	}
	if (folder != NULL)
		(void)closedir(folder);
	return is_whole;
}

void sim_dir_survive(const char *from, const char *to, const struct sim_dir_log *log)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		uint64_t before = digest_folder(from);

		/* RocksDB's threads may add and delete files meanwhile: then it was no single moment. */
		if (copy_folder(from, to, log) && digest_folder(from) == before)
			return;
		sim_dir_remove(to);
	}
	UNREACHABLE(); /* the folder never came to rest */
}
