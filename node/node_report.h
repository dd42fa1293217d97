/* What a node tells the catalog's leader: that it lives, where, and how its replicas stand.
 *
 * Threads  loop thread.
 */
#ifndef NODE_NODE_REPORT_H
#define NODE_NODE_REPORT_H

#include "node/partition/partition_table.h"
#include "proto/catalog/catalog_call.h"

enum {
	NODE_REPORT_INTERVAL_MS = 1000,
	NODE_REPORT_SOON_MS = 5, /* after a change of leadership */
	NODE_REPORT_TIMEOUT_MS = 3000,
};

struct node_report {
	struct runtime *runtime;
	struct catalog_seeds *seeds;
	struct partition_table *partitions;
	const struct catalog_view *view;
	struct node_info self;
	struct catalog_call call;
	struct runtime_timer timer;
	bool is_calling;
	bool has_changed; /* while a call was under way */
	bool is_stopped;
	uint64_t dropped_count; /* in the report that is on its way */
};

void node_report_start(struct node_report *report, struct runtime *runtime, struct catalog_view *view,
		       struct partition_table *partitions, const struct node_info *self);
/* Something changed that a waiting CreateTable or DeleteTable depends on. */
void node_report_soon(struct node_report *report);
void node_report_stop(struct node_report *report);

#endif
