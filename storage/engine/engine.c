#include "storage/engine/engine.h"

static const char *const names[FAMILY_COUNT] = {
	[FAMILY_ITEMS] = "items",           [FAMILY_LOCAL_INDEXES] = "local_indexes",
	[FAMILY_CHANGES] = "changes",       [FAMILY_META] = "meta",
	[FAMILY_TOMBSTONES] = "tombstones", [FAMILY_RAFT_LOG] = "raft_log",
	[FAMILY_RAFT_STATE] = "raft_state",
};

const char *engine_family_name(enum engine_family family)
{
	CHECK((unsigned)family < FAMILY_COUNT);
	return names[family];
}
