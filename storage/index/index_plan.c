#include "storage/index/index_plan.h"

#include "proto/model/capacity.h"
#include "proto/model/item_builder.h"
#include "proto/model/item_equal.h"

/* One item's entry. */
struct entry {
	bool exists;
	struct slice key;
	struct slice item;
};

void index_plan_init(struct index_plan *plan)
{
	*plan = (struct index_plan){ .is_old_partial = false };
	buf_init(&plan->old_key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_init(&plan->new_key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	buf_init(&plan->old_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&plan->new_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
}

void index_plan_close(struct index_plan *plan)
{
	buf_close(&plan->old_key);
	buf_close(&plan->new_key);
	buf_close(&plan->old_item);
	buf_close(&plan->new_item);
}

enum status index_plan_project(const struct index_owner *owner, struct slice item, struct buf *out)
{
	struct item_attribute attribute;
	struct item_builder builder;
	struct item_iter iter;

	if (owner->index->projection == INDEX_PROJECTS_ALL) {
		buf_append_slice(out, item);
		return out->status;
	}
	item_builder_init(&builder, out);
	item_iter_init(&iter, item);
	while (item_next_attribute(&iter, &attribute)) {
		if (table_index_projects(owner, attribute.name))
			item_builder_attribute(&builder, &attribute);
	}
	if (item_iter_status(&iter) != ST_OK)
		return ST_CORRUPT;
	return item_builder_finish(&builder);
}

/* ST_OK without an entry if the item has none. */
static enum status make_entry(const struct index_owner *owner, struct slice item, struct buf *key,
			      struct buf *projected, struct entry *entry)
{
	enum status status;

	*entry = (struct entry){ .exists = false };
	buf_reset(key);
	buf_reset(projected);
	if (item.size == 0)
		return ST_OK;
	status = table_index_row_key(key, owner, item);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	entry->item = item;
	if (owner->index->projection != INDEX_PROJECTS_ALL) {
		status = index_plan_project(owner, item, projected);
		entry->item = buf_slice(projected);
	}
	entry->exists = status == ST_OK;
	entry->key = buf_slice(key);
	return status;
}

/* Without order, as the attributes of a put come in any. */
static enum status compare(const struct entry *old, const struct entry *new, bool *is_equal_out)
{
	*is_equal_out = slice_equal(old->item, new->item);
	if (*is_equal_out || old->item.size != new->item.size)
		return ST_OK;
	return item_equal(old->item, new->item, is_equal_out);
}

static uint32_t units(uint64_t before_size_bytes, uint64_t after_size_bytes)
{
	return (uint32_t)(capacity_write_half_units(before_size_bytes, after_size_bytes, false) / 2);
}

static void plan_delete(struct index_plan *plan, const struct entry *old)
{
	plan->has_delete = true;
	plan->delete_key = old->key;
	plan->old_size_bytes = (uint32_t)item_size_bytes(old->item);
	plan->write_units += units(plan->old_size_bytes, 0);
}

static void plan_put(struct index_plan *plan, const struct index_owner *owner, const struct entry *new)
{
	plan->has_put = true;
	plan->put_key = new->key;
	plan->item = new->item;
	plan->is_whole_item = owner->index->projection == INDEX_PROJECTS_ALL;
	plan->item_size_bytes = (uint32_t)item_size_bytes(new->item);
	plan->write_units += units(0, plan->item_size_bytes);
}

/* The key stays. */
static enum status plan_change(struct index_plan *plan, const struct index_owner *owner,
			       const struct entry *old, const struct entry *new)
{
	bool can_tell = !plan->is_old_partial || owner->index->projection != INDEX_PROJECTS_ALL;
	bool is_equal = false;
	enum status status = can_tell ? compare(old, new, &is_equal) : ST_OK;

	if (status != ST_OK || is_equal)
		return status;
	plan_put(plan, owner, new);
	plan->old_size_bytes = (uint32_t)item_size_bytes(old->item);
	plan->write_units = units(plan->old_size_bytes, plan->item_size_bytes);
	return ST_OK;
}

enum status index_plan_make(struct index_plan *plan, const struct index_owner *owner, struct slice old_item,
			    struct slice new_item)
{
	struct entry old;
	struct entry new;
	enum status status = make_entry(owner, old_item, &plan->old_key, &plan->old_item, &old);

	plan->has_delete = false;
	plan->has_put = false;
	plan->is_whole_item = false;
	plan->item_size_bytes = 0;
	plan->old_size_bytes = 0;
	plan->write_units = 0;
	if (status == ST_OK)
		status = make_entry(owner, new_item, &plan->new_key, &plan->new_item, &new);
	if (status != ST_OK)
		return status;
	if (old.exists && new.exists && slice_equal(old.key, new.key))
		return plan_change(plan, owner, &old, &new);
	if (old.exists)
		plan_delete(plan, &old);
	if (new.exists)
		plan_put(plan, owner, &new);
	return ST_OK;
}
