#include "storage/engine/engine.h"

static const char *const names[FAMILY_COUNT] = {
	[FAMILY_ITEMS] = "items",           [FAMILY_LOCAL_INDEXES] = "local_indexes",
	[FAMILY_CHANGES] = "changes",       [FAMILY_META] = "meta",
	[FAMILY_TOMBSTONES] = "tombstones", [FAMILY_RAFT_LOG] = "raft_log",
	[FAMILY_RAFT_STATE] = "raft_state",
};

/* An id of eight bytes, in meta also a letter for what the rows are, and the highest byte of the number
 * behind it, which hardly ever changes.  (Ranges deleted from a stream lie inside one another, and what they
 * cost to sort out grows with their number squared: so none of changes, which are deleted by the page.) */
static const size_t stream_name_sizes[FAMILY_COUNT] = {
	[FAMILY_META] = 10,
	[FAMILY_RAFT_LOG] = 9,
};

const char *engine_family_name(enum engine_family family)
{
	CHECK((unsigned)family < FAMILY_COUNT);
	return names[family];
}

size_t engine_stream_name_size(enum engine_family family)
{
	CHECK((unsigned)family < FAMILY_COUNT);
	return stream_name_sizes[family];
}
