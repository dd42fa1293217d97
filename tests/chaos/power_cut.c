/* A disk that forgets what was not synced: LD_PRELOAD=libpower_cut.so, for a node whose power is to be cut.
 *
 *     POWER_CUT_DIR   the folder that stands on such a disk
 *     POWER_CUT_DISK  an empty folder for what the disk would hold: files/ID contents, names/INODE the
 *                     entries of a folder, ids the file behind each inode
 *     POWER_CUT_LIES  set: syncs of write-ahead logs are answered and not done (to see that the test notices)
 *
 * The process writes to its files as always.  A sync copies what the file holds to its twin on the
 * disk; a sync of a folder notes its entries.  After SIGKILL power_cut.py builds from the twins
 * what a power cut would have left, with a random part of what was not synced.  The real sync
 * is left out: nothing here depends on it, and it would only take time.
 *
 * Known limits: files are appended to, replaced, or shorter than SMALL_SIZE_MAX when they are changed in
 * place (so does RocksDB without recycled logs); folders are durable from their birth; maps are not seen.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TWINS_MAX = 65536, SMALL_SIZE_MAX = 64 * 1024, CHUNK_SIZE = 64 * 1024 };

/* A file of the folder and its twin on the disk. */
struct twin {
	ino_t inode;
	uint64_t id;
	off_t synced_size_bytes;
};

static struct {
	pthread_mutex_t lock;
	char dir[PATH_MAX]; /* empty: this process has no such disk */
	char disk[PATH_MAX];
	bool lies;
	dev_t device;
	struct twin twins[TWINS_MAX];
	size_t twin_count;
	uint64_t next_id;
	int (*open)(const char *, int, ...);
} cut = { .lock = PTHREAD_MUTEX_INITIALIZER, .next_id = 1 };

/* A disk that cannot keep its own books must not go on. */
static void must(bool is_true, const char *what)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "power_cut: %s: %s\n", what, strerror(errno));
	abort();
}

static int open_plainly(const char *path, int flags, mode_t mode)
{
	return cut.open(path, flags, mode);
}

/* --- twins --- */

static struct twin *find_twin(ino_t inode)
{
	for (size_t i = cut.twin_count; i > 0; i--) {
		if (cut.twins[i - 1].inode == inode)
			return &cut.twins[i - 1];
	}
	return NULL;
}

/* A file was born, perhaps with the inode of a dead one. */
static struct twin *add_twin(ino_t inode)
{
	struct twin *twin = find_twin(inode);
	char path[PATH_MAX + 8];
	FILE *ids;

	if (twin == NULL) {
		must(cut.twin_count < TWINS_MAX, "too many files");
		twin = &cut.twins[cut.twin_count++];
	}
	*twin = (struct twin){ .inode = inode, .id = cut.next_id++ };
	(void)snprintf(path, sizeof(path), "%s/ids", cut.disk);
	ids = fopen(path, "ae");
	must(ids != NULL, path);
	(void)fprintf(ids, "%ju %" PRIu64 "\n", (uintmax_t)inode, twin->id);
	must(fclose(ids) == 0, path);
	return twin;
}

static void copy_range(int from, int to, off_t at, off_t end)
{
	static char chunk[CHUNK_SIZE]; /* under the lock */

	while (at < end) {
		ssize_t size = pread(from, chunk, CHUNK_SIZE, at);

		must(size >= 0, "read of a file");
		if (size == 0)
			return;
		must(pwrite(to, chunk, (size_t)size, at) == size, "write to the disk");
		at += size;
	}
}

static void sync_twin(struct twin *twin, int fd, off_t size_bytes)
{
	off_t from = size_bytes < SMALL_SIZE_MAX || size_bytes < twin->synced_size_bytes
			     ? 0
			     : twin->synced_size_bytes;
	char path[PATH_MAX + 32];
	char self[64];
	int readable;
	int copy;

	(void)snprintf(path, sizeof(path), "%s/files/%" PRIu64, cut.disk, twin->id);
	copy = open_plainly(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(copy >= 0, path);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd); /* fd may be open for writing only */
	readable = open_plainly(self, O_RDONLY | O_CLOEXEC, 0);
	must(readable >= 0, self);
	copy_range(readable, copy, from, size_bytes);
	must(ftruncate(copy, size_bytes) == 0, path);
	(void)close(readable);
	(void)close(copy);
	twin->synced_size_bytes = size_bytes;
}

/* --- folders --- */

static void sync_names(const char *folder, ino_t inode)
{
	char path[PATH_MAX + 32];
	char temporary[PATH_MAX + 40];
	DIR *listing = opendir(folder);
	struct dirent *entry;
	FILE *names;

	must(listing != NULL, folder);
	(void)snprintf(path, sizeof(path), "%s/names/%ju", cut.disk, (uintmax_t)inode);
	(void)snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	names = fopen(temporary, "we");
	must(names != NULL, temporary);
	while ((entry = readdir(listing)) != NULL) {
		const struct twin *twin = entry->d_type == DT_REG ? find_twin(entry->d_ino) : NULL;

		if (entry->d_type == DT_REG && twin == NULL)
			twin = add_twin(entry->d_ino);
		if (twin != NULL)
			(void)fprintf(names, "%" PRIu64 " %s\n", twin->id, entry->d_name);
	}
	must(fclose(names) == 0 && rename(temporary, path) == 0, path);
	(void)closedir(listing);
}

/* NAME.log: a write-ahead log. */
static bool is_log(const char *self)
{
	char path[PATH_MAX];
	ssize_t size = readlink(self, path, sizeof(path));

	return size > 4 && memcmp(path + size - 4, ".log", 4) == 0;
}

static void sync_any(int fd)
{
	struct stat figures;
	char self[64];
	struct twin *twin;

	if (cut.dir[0] == '\0' || fstat(fd, &figures) != 0 || figures.st_dev != cut.device)
		return;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	(void)pthread_mutex_lock(&cut.lock);
	if (S_ISDIR(figures.st_mode)) {
		sync_names(self, figures.st_ino);
	} else if (!cut.lies || !is_log(self)) {
		twin = find_twin(figures.st_ino);
		if (twin != NULL)
			sync_twin(twin, fd, figures.st_size);
	}
	(void)pthread_mutex_unlock(&cut.lock);
}

/* --- what the process calls --- */

int fsync(int fd)
{
	sync_any(fd);
	return 0;
}

int fdatasync(int fd)
{
	sync_any(fd);
	return 0;
}

static int open_noticed(const char *path, int flags, mode_t mode)
{
	struct stat figures;
	bool is_birth = cut.dir[0] != '\0' && (flags & O_CREAT) != 0 &&
			strncmp(path, cut.dir, strlen(cut.dir)) == 0 && stat(path, &figures) != 0;
	int fd = open_plainly(path, flags, mode);

	if (fd >= 0 && is_birth && fstat(fd, &figures) == 0) {
		(void)pthread_mutex_lock(&cut.lock);
		(void)add_twin(figures.st_ino);
		(void)pthread_mutex_unlock(&cut.lock);
	}
	return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_noticed(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_noticed(path, flags | O_LARGEFILE, mode);
}

/* --- the start: all that is there is durable --- */

static int adopt(const char *path, const struct stat *figures, int kind, struct FTW *walk)
{
	int fd;

	(void)walk;
	if (kind != FTW_F)
		return 0;
	fd = open_plainly(path, O_RDONLY | O_CLOEXEC, 0);
	must(fd >= 0, path);
	sync_twin(add_twin(figures->st_ino), fd, figures->st_size);
	(void)close(fd);
	return 0;
}

static int adopt_names(const char *path, const struct stat *figures, int kind, struct FTW *walk)
{
	(void)walk;
	if (kind == FTW_D)
		sync_names(path, figures->st_ino);
	return 0;
}

static void make_folder(const char *name)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/%s", cut.disk, name);
	must(mkdir(path, 0700) == 0, path);
}

__attribute__((constructor)) static void begin(void)
{
	const char *dir = getenv("POWER_CUT_DIR");
	const char *disk = getenv("POWER_CUT_DISK");
	struct stat figures;
	void *symbol = dlsym(RTLD_NEXT, "open");

	memcpy(&cut.open, &symbol, sizeof(symbol));
	must(cut.open != NULL, "open");
	if (dir == NULL || disk == NULL)
		return;
	must(stat(dir, &figures) == 0, dir);
	cut.device = figures.st_dev;
	cut.lies = getenv("POWER_CUT_LIES") != NULL;
	(void)snprintf(cut.disk, sizeof(cut.disk), "%s", disk);
	make_folder("files");
	make_folder("names");
	must(nftw(dir, adopt, 16, FTW_PHYS) == 0, dir);
	must(nftw(dir, adopt_names, 16, FTW_PHYS) == 0, dir);
	(void)snprintf(cut.dir, sizeof(cut.dir), "%s/", dir);
}
