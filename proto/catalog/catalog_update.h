/* What changed in a catalog since a version, as the body of a watch's reply, and back.
 *
 * Threads  pure functions over their arguments.
 * Errors   catalog_update_apply(): ST_CORRUPT for bytes that do not unpack, and nothing changed.
 *          After an error half-way the state holds a part of the update, and its version is 0:
 *          the next update that is asked for from there is a full one.
 */
#ifndef PROTO_CATALOG_CATALOG_UPDATE_H
#define PROTO_CATALOG_CATALOG_UPDATE_H

#include "proto/catalog/catalog_state.h"

/* A record that is gone.  Sent: never renumber (RemovedRecord.Kind). */
enum catalog_removed_kind {
	CATALOG_REMOVED_NODE = 0,
	CATALOG_REMOVED_TABLE = 1,
	CATALOG_REMOVED_PARTITION = 2
};

struct catalog_removed {
	enum catalog_removed_kind kind;
	uint64_t id;
	uint64_t version;
};

/* Append the packed update.  is_full: everything, whatever from_version says; else removed
 * holds all removals after from_version (older ones are left out here). */
enum status catalog_update_pack(const struct catalog_state *state, uint64_t from_version, bool is_full,
				const struct catalog_removed *removed, size_t removed_count,
				struct buf *out) MUST_CHECK;
/* Bring the state forward.  *changed_out: there was something newer.  An update that is older
 * than the state changes nothing. */
enum status catalog_update_apply(struct catalog_state *state, struct slice body,
				 bool *changed_out) MUST_CHECK;

#endif
