/* Replicas of one partition on three simulated nodes, or a single one: real partitions on the
 * nodes and the network of group_fixture.h.
 *
 * Threads  one.
 * Memory   the fixture owns everything but the watched operations, which are the test's.
 */
#ifndef TESTS_SUPPORT_PARTITION_FIXTURE_H
#define TESTS_SUPPORT_PARTITION_FIXTURE_H

#include "node/partition/partition_read.h"
#include "node/partition/partition_write.h"
#include "tests/support/group_fixture.h"

enum { PARTITION_FIXTURE_ID = 1001, PARTITION_FIXTURE_TABLE = 1, PARTITION_FIXTURE_KEY_SIZE_MAX = 64 };

struct partition_fixture {
	struct group_fixture *net;
	struct partition_env env[GROUP_FIXTURE_NODES_MAX + 1];
	struct partition *partition[GROUP_FIXTURE_NODES_MAX + 1]; /* by node id */
};

struct partition_fixture *partition_fixture_create(uint32_t voter_count);
void partition_fixture_destroy(struct partition_fixture *f);
void partition_fixture_run_ms(struct partition_fixture *f, uint64_t duration_ms);
/* Let the node's replica stand for election and win; returns it. */
struct partition *partition_fixture_elect(struct partition_fixture *f, uint64_t node_id);
/* The replica that leads, run for until there is one; NULL if none comes soon. */
struct partition *partition_fixture_leader(struct partition_fixture *f);
void partition_fixture_crash(struct partition_fixture *f, uint64_t node_id, uint64_t keep_count);
enum status partition_fixture_restart(struct partition_fixture *f, uint64_t node_id) MUST_CHECK;

/* The partition covers every key made here. */
struct slice partition_fixture_key(uint8_t out[PARTITION_FIXTURE_KEY_SIZE_MAX], const char *name);
/* An item { "v": text }; the caller closes the buf. */
void partition_fixture_item(struct buf *out, const char *text);
/* Does the item say so? */
bool partition_fixture_item_is(struct slice item, const char *text);

/* A write that notes how it ended. */
struct watched_write {
	struct partition_write base;
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE];
	struct buf item;
	uint32_t done_count;
	enum status status; /* of done() or of the start */
	struct buf old_item;
};

/* request makes the request id; text NULL deletes. */
void watched_write_init(struct watched_write *write, const char *name, const char *text, uint64_t request);
/* Start it; ST_WOULD_BLOCK if done() will tell. */
enum status watched_write_start(struct watched_write *write, struct partition *partition);
/* Start, and run until it is answered. */
enum status watched_write_run(struct partition_fixture *f, struct watched_write *write,
			      struct partition *partition);
void watched_write_close(struct watched_write *write);

/* Init, run and close: put text (or delete, NULL) under name. */
enum status partition_fixture_put(struct partition_fixture *f, struct partition *partition, const char *name,
				  const char *text, uint64_t request);

/* Read; *matches_out says whether the item was found and is text. */
enum status partition_fixture_get(struct partition_fixture *f, struct partition *partition, const char *name,
				  bool is_consistent, const char *text, bool *matches_out);

#endif
