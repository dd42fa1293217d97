/* The leader's path of a write: admit, evaluate, propose with the turn's others, answer.
 *
 * A write is evaluated once, against the applied rows plus the overlay of pending writes, in
 * the order of arrival; its result is what the log carries.  All writes of a loop turn form one
 * log entry.
 *
 * Threads  loop thread.
 * Memory   a write is embedded in the caller's operation; what its slices point to must stay
 *          until done().  returned_item is valid in done() only.
 */
#ifndef NODE_PARTITION_PARTITION_WRITE_H
#define NODE_PARTITION_PARTITION_WRITE_H

#include "node/partition/partition.h"
#include "proto/wire/item.pb-c.h"

enum partition_write_kind { PARTITION_PUT, PARTITION_DELETE, PARTITION_UPDATE };

struct partition_write {
	/* Set by the caller. */
	enum partition_write_kind kind;
	struct slice row_key;
	struct slice item; /* PARTITION_PUT: the item; PARTITION_UPDATE: the attributes of its key */
	const Cleave__ExprCondition *condition; /* checked; NULL: none */
	const Cleave__ExprUpdate *update;       /* PARTITION_UPDATE: checked */
	struct slice request_id;
	uint32_t age_ms;
	Cleave__WriteItemRequest__Returned returned;
	bool returns_old_on_failure; /* of the condition */
	/* A put: existed and old_size_bytes are wanted.  Else the old row is not read unless the table
	 * has indexes.  Any write: index_units are wanted. */
	bool needs_old;
	bool needs_collection_size; /* collection_size_bytes is wanted */
	void (*done)(struct partition_write *write);
	/* Valid in done(). */
	enum status status;
	bool existed; /* not of a plain put, which did not look */
	uint32_t old_size_bytes;
	uint32_t new_size_bytes;
	struct slice returned_item; /* empty: there is nothing to return */
	/* ST_REFUSED: one of these is why. */
	Cleave__ExprUpdateError update_error;
	Cleave__RefusedIndexKey *refused_index_key; /* NULL: it is not that */
	bool is_collection_full;
	Cleave__IndexWriteUnits **index_units; /* of each index that it touches */
	size_t index_unit_count;
	uint64_t collection_size_bytes; /* after the write, where there are local indexes */
	/* Own. */
	struct queue link;
	struct partition *partition;
	uint64_t partition_id;
	enum status verdict;
	bool changes;       /* the row will differ; else only the outcome is remembered */
	struct slice image; /* the row then; empty: it is deleted */
	struct buf new_item;
	struct buf old_copy; /* the row before, if changes are logged */
	struct buf returned_copy;
	struct arena index_arena; /* what follows from the table's indexes */
	Cleave__LocalIndexRow **local_rows;
	size_t local_row_count;
	size_t local_rows_size_bytes;
	struct slice collection_key;   /* of the row that says how large it is; empty: not looked at */
	struct slice collection_value; /* what that will say */
	bool changes_collection;
	struct runtime_job job;
	uint32_t read_count; /* times that the row had to come from disk */
};

/*   ST_WOULD_BLOCK      done() will be called, once, in a later turn
 *   any other           refused or answered at once; done() will not be called:
 *     ST_OK             a retry whose outcome is remembered: the results are filled in
 *     ST_NOT_LEADER, ST_MOVED, ST_NO_SPACE, ST_OVERLOADED, ST_INVALID
 *     ST_FORGOTTEN      a retry whose outcome can no longer be told
 * In done(): ST_OK, ST_CONDITION_FAILED, ST_REFUSED (see above), ST_NOT_LEADER (not
 * proposed), ST_UNKNOWN_OUTCOME (leadership lost after).  Verdicts against a write go through the
 * log like others: so they are as true as a strong read, and a retry gets the same. */
enum status partition_write_start(struct partition *partition, struct partition_write *write) MUST_CHECK;

/* How rows that it is decided on may be read now: the disk is left to another thread, a few times. */
enum engine_read_mode partition_write_read_mode(const struct partition_write *write);
/* Propose what has been evaluated in this turn, now. */
void partition_write_flush(struct partition *partition);
/* Changes through a sequence are in the global indexes: answer who waits for that. */
void partition_write_on_fed(struct partition *partition, uint64_t sequence);

/* For partition.c and partition_fsm.c. */
void partition_write_init(struct partition *partition);
void partition_write_on_applied(struct partition *partition, uint64_t index);
void partition_write_on_lost(struct partition *partition);

#endif
