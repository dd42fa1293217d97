#include "storage/engine/engine_rocksdb_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/bytes.h"
#include "proto/base/digest.h"
#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

/* The note: magic, sequence, MANIFEST's number, size and CRC-32, hash of all that. */
enum {
	MAGIC_SIZE = 8,
	SEQUENCE_AT = 8,
	NUMBER_AT = 16,
	SIZE_AT = 24,
	CRC_AT = 32,
	HASH_AT = 40,
	NOTE_SIZE = 48,
	CHUNK_SIZE = 64 * 1024,
	CURRENT_SIZE_MAX = 64,
};

#define MAGIC "CLVSYNC1"

static void path_of(const struct engine_rocksdb_mark *mark, const char *name, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/%s", mark->dir, name);
}

static int open_file(const struct engine_rocksdb_mark *mark, const char *name, int flags)
{
	char path[PATH_MAX];

	path_of(mark, name, path);
	return open(path, flags | O_CLOEXEC, 0600);
}

static enum status damaged(const struct engine_rocksdb_mark *mark, const char *what)
{
	log_error("engine", "damaged", "dir=%s reason=\"%s\" synced_sequence=%" PRIu64, mark->dir, what,
		  mark->sequence);
	return ST_CORRUPT;
}

/* --- the MANIFEST --- */

/* The number in CURRENT; 0 if there is no such file or none in it. */
static uint64_t current_number(const struct engine_rocksdb_mark *mark)
{
	char text[CURRENT_SIZE_MAX] = "";
	int fd = open_file(mark, "CURRENT", O_RDONLY);
	uint64_t number = 0;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0 || sscanf(text, "MANIFEST-%" SCNu64, &number) != 1)
		number = 0;
	(void)close(fd);
	return number;
}

static int open_manifest(const struct engine_rocksdb_mark *mark, uint64_t number)
{
	char name[CURRENT_SIZE_MAX];

	(void)snprintf(name, sizeof(name), "MANIFEST-%06" PRIu64, number);
	return open_file(mark, name, O_RDWR);
}

/* Extend a CRC over the bytes [from, to) of a file; false if they cannot be had. */
static bool extend_crc(int fd, uint64_t from, uint64_t to, uint32_t *crc32)
{
	uint8_t chunk[CHUNK_SIZE];

	while (from < to) {
		size_t wanted = to - from < CHUNK_SIZE ? (size_t)(to - from) : CHUNK_SIZE;
		ssize_t size = pread(fd, chunk, wanted, (off_t)from);

		if (size <= 0)
			return false;
		*crc32 = digest_crc32_extend(*crc32, slice_of(chunk, (size_t)size));
		from += (uint64_t)size;
	}
	return true;
}

/* Is what was synced of it still there? */
static enum status check_manifest(const struct engine_rocksdb_mark *mark)
{
	uint64_t number = current_number(mark);
	uint32_t crc32 = 0;
	bool is_whole;
	int fd;

	if (mark->manifest_number == 0 || number > mark->manifest_number)
		return ST_OK; /* a newer one, of which nothing was noted before the end */
	if (number < mark->manifest_number)
		return damaged(mark, "CURRENT does not name the newest MANIFEST");
	fd = open_manifest(mark, number);
	is_whole = fd >= 0 && extend_crc(fd, 0, mark->manifest_size_bytes, &crc32) &&
		   crc32 == mark->manifest_crc32;
	if (fd >= 0)
		(void)close(fd);
	return is_whole ? ST_OK : damaged(mark, "the MANIFEST is not what was synced");
}

static enum status follow_manifest(struct engine_rocksdb_mark *mark)
{
	if (mark->manifest_fd >= 0)
		(void)close(mark->manifest_fd);
	mark->manifest_number = current_number(mark);
	mark->manifest_size_bytes = 0;
	mark->manifest_crc32 = 0;
	mark->manifest_fd = open_manifest(mark, mark->manifest_number);
	return mark->manifest_fd < 0 ? engine_rocksdb_os_error("open the MANIFEST of", mark->dir) : ST_OK;
}

/* Take note of what RocksDB appended, once it is durable. */
static enum status note_manifest(struct engine_rocksdb_mark *mark)
{
	struct stat figures;
	uint64_t size_bytes;

	if (fstat(mark->manifest_fd, &figures) != 0)
		return engine_rocksdb_os_error("fstat the MANIFEST of", mark->dir);
	if (figures.st_nlink == 0) {
		enum status status = follow_manifest(mark);

		if (status != ST_OK || fstat(mark->manifest_fd, &figures) != 0)
			return ST_IO;
	}
	size_bytes = (uint64_t)figures.st_size;
	if (size_bytes == mark->manifest_size_bytes)
		return ST_OK;
	if (fdatasync(mark->manifest_fd) != 0 ||
	    !extend_crc(mark->manifest_fd, mark->manifest_size_bytes, size_bytes, &mark->manifest_crc32))
		return engine_rocksdb_os_error("sync the MANIFEST of", mark->dir);
	mark->manifest_size_bytes = size_bytes;
	return ST_OK;
}

/* --- the note --- */

static uint64_t note_hash(const uint8_t note[NOTE_SIZE])
{
	return digest_hash64(slice_of(note, HASH_AT), 0);
}

/* One that is torn or rotten is none. */
static void read_note(struct engine_rocksdb_mark *mark)
{
	uint8_t note[NOTE_SIZE];

	if (pread(mark->fd, note, sizeof(note), 0) != sizeof(note))
		return;
	if (memcmp(note, MAGIC, MAGIC_SIZE) != 0 || get_u64_be(note + HASH_AT) != note_hash(note)) {
		log_warn("engine", "unreadable", "dir=%s file=SYNCED", mark->dir);
		return;
	}
	mark->sequence = get_u64_be(note + SEQUENCE_AT);
	mark->manifest_number = get_u64_be(note + NUMBER_AT);
	mark->manifest_size_bytes = get_u64_be(note + SIZE_AT);
	mark->manifest_crc32 = (uint32_t)get_u64_be(note + CRC_AT);
}

static enum status write_note(const struct engine_rocksdb_mark *mark)
{
	uint8_t note[NOTE_SIZE];

	memcpy(note, MAGIC, MAGIC_SIZE);
	put_u64_be(note + SEQUENCE_AT, mark->sequence);
	put_u64_be(note + NUMBER_AT, mark->manifest_number);
	put_u64_be(note + SIZE_AT, mark->manifest_size_bytes);
	put_u64_be(note + CRC_AT, mark->manifest_crc32);
	put_u64_be(note + HASH_AT, note_hash(note));
	if (pwrite(mark->fd, note, sizeof(note), 0) != sizeof(note))
		return engine_rocksdb_os_error("write SYNCED in", mark->dir);
	return ST_OK;
}

/* --- life --- */

enum status engine_rocksdb_mark_open(struct engine_rocksdb_mark *mark, const char *dir)
{
	*mark = (struct engine_rocksdb_mark){ .dir = dir, .fd = -1, .manifest_fd = -1 };
	(void)pthread_mutex_init(&mark->lock, NULL);
	if (dir == NULL)
		return ST_OK;
	mark->fd = open_file(mark, "SYNCED", O_RDWR | O_CREAT);
	if (mark->fd < 0)
		return engine_rocksdb_os_error("open SYNCED in", dir);
	read_note(mark);
	return check_manifest(mark);
}

enum status engine_rocksdb_mark_check(struct engine_rocksdb_mark *mark, uint64_t sequence)
{
	enum status status;

	if (mark->dir == NULL)
		return ST_OK;
	if (sequence < mark->sequence) {
		log_error("engine", "log-ends-early", "dir=%s sequence=%" PRIu64, mark->dir, sequence);
		return damaged(mark, "the log ends before what was synced");
	}
	status = follow_manifest(mark);
	if (status == ST_OK)
		status = note_manifest(mark);
	return status == ST_OK ? write_note(mark) : status;
}

enum status engine_rocksdb_mark_note(struct engine_rocksdb_mark *mark, uint64_t sequence)
{
	enum status status = ST_OK;

	if (mark->dir == NULL)
		return ST_OK;
	(void)pthread_mutex_lock(&mark->lock);
	if (sequence > mark->sequence) {
		mark->sequence = sequence;
		status = note_manifest(mark);
		if (status == ST_OK)
			status = write_note(mark);
	}
	(void)pthread_mutex_unlock(&mark->lock);
	return status;
}

void engine_rocksdb_mark_close(struct engine_rocksdb_mark *mark)
{
	if (mark->fd >= 0)
		(void)close(mark->fd);
	if (mark->manifest_fd >= 0)
		(void)close(mark->manifest_fd);
	(void)pthread_mutex_destroy(&mark->lock);
}
