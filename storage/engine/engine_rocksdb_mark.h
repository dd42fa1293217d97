/* How far the store on disk has been synced, kept beside it, so that rot is told from a torn end.
 *
 * After a crash RocksDB reads its log up to the first record that does not check, and takes that
 * for the end: right where the tail was never synced, wrong where a synced record rotted, since
 * everything behind it is then silently gone.  The same holds for the MANIFEST, whose lost tail
 * makes RocksDB delete the files that it named.  So after each sync the file SYNCED notes the
 * last sequence number that it covered, and size and checksum of the MANIFEST.  A store that
 * is opened with less than it had synced is damaged and must not be used: it has forgotten what
 * others count on.
 *
 * The note is written without a sync of its own and says only what is durable already: one that
 * a power cut makes old or tears accuses nobody wrongly, it only notices less.
 *
 * Threads  engine_rocksdb_mark_note() from any thread; the others while the store is opened and closed.
 * Errors   ST_IO as for a failed sync.
 */
#ifndef STORAGE_ENGINE_ENGINE_ROCKSDB_MARK_H
#define STORAGE_ENGINE_ENGINE_ROCKSDB_MARK_H

#include <pthread.h>
#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/status.h"

struct engine_rocksdb_mark {
	const char *dir; /* borrowed; NULL: in memory, nothing to note */
	pthread_mutex_t lock;
	int fd;
	int manifest_fd;
	uint64_t sequence; /* every batch up to here is durable */
	uint64_t manifest_number;
	uint64_t manifest_size_bytes;
	uint32_t manifest_crc32;
};

/* Before the store is opened: read the note and hold the MANIFEST to it.  ST_CORRUPT if that was damaged. */
enum status engine_rocksdb_mark_open(struct engine_rocksdb_mark *mark, const char *dir) MUST_CHECK;
/* Once it is open: does it reach as far as it was synced?  ST_CORRUPT if not. */
enum status engine_rocksdb_mark_check(struct engine_rocksdb_mark *mark, uint64_t sequence) MUST_CHECK;
/* After a sync: every batch up to sequence is durable. */
enum status engine_rocksdb_mark_note(struct engine_rocksdb_mark *mark, uint64_t sequence) MUST_CHECK;
void engine_rocksdb_mark_close(struct engine_rocksdb_mark *mark);

#endif
