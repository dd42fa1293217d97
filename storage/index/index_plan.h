/* What a write of an item does to one of its table's indexes.
 *
 *   old entry  new entry   row                                 units of 1 KB, of the entry's size
 *   none       none        -                                   0
 *   none       some        put                                 new
 *   some       none        delete                              old
 *   some       same key    put, nothing if nothing changed     the larger of both; nothing: 0
 *   some       other key   delete and put                      old + new
 *
 * An entry holds the attributes that the index projects.  Local and global indexes differ in
 * their row keys alone, which are table_index's business.
 *
 * Threads  pure functions; a plan belongs to one thread at a time.
 * Memory   a plan owns its buffers and reuses them: its slices are valid until the next
 *          index_plan_make() or index_plan_close().  With is_whole_item the new item is borrowed.
 * Errors   ST_CORRUPT (an item's bytes), ST_NO_MEMORY: the plan says nothing.
 * Units    write units as DynamoDB charges them; sizes are item_size_bytes().
 * Source   "Global secondary indexes: write capacity units", AWS's documentation.
 */
#ifndef STORAGE_INDEX_INDEX_PLAN_H
#define STORAGE_INDEX_INDEX_PLAN_H

#include "proto/model/table_index.h"

struct index_plan {
	/* Set by the caller after index_plan_init(): of the item before, only what index keys and projections
	 * name is there.  Whether an entry that holds all attributes is unchanged cannot be told then; it is
	 * put. */
	bool is_old_partial;
	/* Results. */
	bool has_delete;
	bool has_put;
	struct slice delete_key;
	struct slice put_key;
	struct slice item;  /* has_put: the entry */
	bool is_whole_item; /* has_put: the entry is the new item itself */
	uint32_t item_size_bytes;
	uint32_t old_size_bytes; /* of the entry that goes or is replaced; 0: none does */
	uint32_t write_units;
	/* Own. */
	struct buf old_key;
	struct buf new_key;
	struct buf old_item;
	struct buf new_item;
};

void index_plan_init(struct index_plan *plan);
void index_plan_close(struct index_plan *plan);
/* An empty slice: there is no such item. */
enum status index_plan_make(struct index_plan *plan, const struct index_owner *owner, struct slice old_item,
			    struct slice new_item) MUST_CHECK;
/* The entry of an item, appended to out as an item.  (With INDEX_PROJECTS_ALL it is the item.) */
enum status index_plan_project(const struct index_owner *owner, struct slice item,
			       struct buf *out) MUST_CHECK;

#endif
