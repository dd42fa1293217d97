#include "node/server/reply_failure.h"

#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/wire/item.pb-c.h"

enum { HINT_SIZE_MAX = 64 };

static void send_hint(const struct partition_table *partitions, struct rpc_request *request,
		      enum status status, uint64_t partition_id)
{
	const struct partition *partition = partition_table_find(partitions, partition_id);
	Cleave__RoutingHint hint = CLEAVE__ROUTING_HINT__INIT;
	uint8_t packed[HINT_SIZE_MAX];

	hint.catalog_version = partition_table_catalog_version(partitions);
	if (partition != NULL) {
		hint.leader_node_id = group_leader_node_id(partition->group);
		hint.epoch = partition->epoch;
	}
	CHECK(cleave__routing_hint__get_packed_size(&hint) <= sizeof(packed));
	rpc_request_reply(request, status, slice_of(packed, cleave__routing_hint__pack(&hint, packed)));
}

static bool wants_hint(enum status status)
{
	return status == ST_NOT_LEADER || status == ST_MOVED || status == ST_UNAVAILABLE ||
	       status == ST_STALE;
}

void reply_failure_send(const struct partition_table *partitions, struct rpc_request *request,
			enum status status, uint64_t partition_id, const char *what)
{
	CHECK(status != ST_OK);
	if (wants_hint(status)) {
		send_hint(partitions, request, status, partition_id);
		return;
	}
	if (!status_is_retryable(status) && status != ST_INVALID)
		log_warn("item", what, "partition=%" PRIu64 " status=%s", partition_id, status_name(status));
	rpc_request_reply_status(request, status);
}
