/* Strong reads at the leader: ReadIndex rounds shared by all reads of a turn, or leases.
 *
 * A read notes the commit index, then the voters are asked "is your term still ours?"; when a
 * majority said yes, self included, and the apply has reached the noted index, the leader's
 * applied state may answer.  A later round's majority confirms all earlier rounds.  With leases,
 * the answer may come at once (docs in replication/README.md).
 *
 * Threads  loop thread.
 * Memory   a read is embedded in the caller's operation.
 * Source   Ongaro's thesis, section 6.4.
 */
#ifndef REPLICATION_GROUP_GROUP_READ_H
#define REPLICATION_GROUP_GROUP_READ_H

#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/queue.h"
#include "proto/base/status.h"

struct group;
struct group_read;

/* ST_OK: read now.  ST_NOT_LEADER: leadership was lost while waiting. */
typedef void (*group_read_cb)(struct group_read *read, enum status status);

struct group_read {
	struct queue link;
	uint64_t read_index;
	group_read_cb cb;
};

/*   ST_OK           the applied state may answer now; cb will not be called
 *   ST_WOULD_BLOCK  cb will be called, once, unless group_read_cancel() comes first
 *   ST_NOT_LEADER   this replica does not lead or is not ready */
enum status group_read_start(struct group *group, struct group_read *read) MUST_CHECK;
void group_read_cancel(struct group_read *read);

#endif
