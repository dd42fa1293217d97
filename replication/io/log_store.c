#include "replication/io/log_store.h"

#include <stdlib.h>

#include "proto/base/check.h"

enum { RING_CAPACITY_MIN = 16, HEADER_SIZE_MAX = 11 };

void log_store_key(uint8_t key_out[LOG_STORE_KEY_SIZE], uint64_t group_id, uint64_t index)
{
	put_u64_be(key_out, group_id);
	put_u64_be(key_out + 8, index);
}

void log_store_init(struct log_store *store, struct log_commit *commit, uint64_t group_id,
		    uint64_t first_index)
{
	*store = (struct log_store){
		.commit = commit,
		.group_id = group_id,
		.first_index = first_index,
		.last_index = first_index - 1,
		.cached_first = first_index,
	};
}

static struct log_entry *slot_of(const struct log_store *store, uint64_t index)
{
	return &store->ring[index & (store->ring_capacity - 1)];
}

static void drop_cached(struct log_store *store, uint64_t index)
{
	struct log_entry *entry = slot_of(store, index);

	store->cached_bytes -= entry->body->size_bytes;
	log_body_release(entry->body);
	entry->body = NULL;
}

static void drop_all_cached(struct log_store *store)
{
	for (uint64_t index = store->cached_first; index <= store->last_index; index++)
		drop_cached(store, index);
	store->cached_first = store->last_index + 1;
}

void log_store_close(struct log_store *store)
{
	if (store->ring != NULL)
		drop_all_cached(store);
	free(store->ring);
	store->ring = NULL;
	store->ring_capacity = 0;
}

static void reserve(struct log_store *store, uint64_t count)
{
	uint32_t capacity = store->ring_capacity == 0 ? RING_CAPACITY_MIN : store->ring_capacity;
	struct log_entry *ring;

	while (capacity < count)
		capacity *= 2;
	if (capacity == store->ring_capacity)
		return;
	ring = calloc(capacity, sizeof(*ring));
	CHECK(ring != NULL);
	for (uint64_t index = store->cached_first; index <= store->last_index; index++)
		ring[index & (capacity - 1)] = *slot_of(store, index);
	free(store->ring);
	store->ring = ring;
	store->ring_capacity = capacity;
}

static void cache_entry(struct log_store *store, uint64_t index, const struct log_entry *entry)
{
	reserve(store, index - store->cached_first + 1);
	*slot_of(store, index) = (struct log_entry){ entry->term, entry->type, log_body_retain(entry->body) };
	store->cached_bytes += entry->body->size_bytes;
}

static void put_entry(struct log_store *store, struct engine_batch *batch, uint64_t index,
		      const struct log_entry *entry)
{
	uint8_t key[LOG_STORE_KEY_SIZE];
	uint8_t header[HEADER_SIZE_MAX];
	size_t header_size = 0;
	uint64_t term = entry->term;
	struct slice parts[2];

	log_store_key(key, store->group_id, index);
	for (; term >= 0x80; term >>= 7)
		header[header_size++] = (uint8_t)(term | 0x80);
	header[header_size++] = (uint8_t)term;
	header[header_size++] = (uint8_t)entry->type;
	parts[0] = slice_of(header, header_size);
	parts[1] = log_entry_slice(entry);
	engine_batch_put_parts(store->commit->engine, batch, FAMILY_RAFT_LOG, slice_of(key, sizeof(key)),
			       parts, 2);
}

/* Forget the tail from index on, in memory and in the store. */
static void truncate_from(struct log_store *store, struct engine_batch *batch, uint64_t index)
{
	CHECK(index >= store->first_index);
	for (uint64_t old = index; old <= store->last_index; old++) {
		uint8_t key[LOG_STORE_KEY_SIZE];

		log_store_key(key, store->group_id, old);
		engine_batch_delete(store->commit->engine, batch, FAMILY_RAFT_LOG,
				    slice_of(key, sizeof(key)));
		if (old >= store->cached_first)
			drop_cached(store, old);
	}
	store->last_index = index - 1;
	if (store->cached_first > index)
		store->cached_first = index;
}

void log_store_append(struct log_store *store, uint64_t first_index, const struct log_entry *entries,
		      uint32_t entry_count)
{
	struct engine_batch *batch = log_commit_batch(store->commit);

	CHECK(first_index <= store->last_index + 1);
	if (first_index <= store->last_index)
		truncate_from(store, batch, first_index);
	for (uint32_t i = 0; i < entry_count; i++) {
		cache_entry(store, first_index + i, &entries[i]);
		store->last_index = first_index + i;
		put_entry(store, batch, first_index + i, &entries[i]);
	}
}

const struct log_entry *log_store_entry(const struct log_store *store, uint64_t index)
{
	if (index < store->cached_first || index > store->last_index)
		return NULL;
	return slot_of(store, index);
}

void log_store_trim(struct log_store *store, uint64_t applied_index)
{
	while (store->cached_first <= applied_index && store->cached_first <= store->last_index) {
		uint64_t cached_count = store->last_index - store->cached_first + 1;

		if (store->cached_bytes <= LOG_STORE_CACHE_BYTES && cached_count <= LOG_STORE_CACHE_ENTRIES)
			break;
		drop_cached(store, store->cached_first);
		store->cached_first++;
	}
}

/* From the group's beginning, which is an engine's stream: its name alone comes before all rows. */
static void delete_before(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			  uint64_t index)
{
	uint8_t end[LOG_STORE_KEY_SIZE];

	log_store_key(end, group_id, index);
	engine_batch_delete_range(engine, batch, FAMILY_RAFT_LOG, slice_of(end, sizeof(group_id)),
				  slice_of(end, sizeof(end)));
}

void log_store_delete(struct engine *engine, struct engine_batch *batch, uint64_t group_id)
{
	delete_before(engine, batch, group_id, UINT64_MAX);
}

void log_store_compact(struct log_store *store, uint64_t index)
{
	CHECK(index <= store->last_index);
	if (index < store->first_index)
		return;
	delete_before(store->commit->engine, log_commit_batch(store->commit), store->group_id, index + 1);
	while (store->cached_first <= index) {
		drop_cached(store, store->cached_first);
		store->cached_first++;
	}
	store->first_index = index + 1;
}

void log_store_reset(struct log_store *store, struct engine_batch *batch, uint64_t first_index)
{
	log_store_delete(store->commit->engine, batch, store->group_id);
	if (store->ring != NULL)
		drop_all_cached(store);
	store->first_index = first_index;
	store->last_index = first_index - 1;
	store->cached_first = first_index;
}

static enum status decode_entry(struct slice value, struct log_entry *entry_out)
{
	struct reader reader;
	uint64_t term;
	uint8_t type;

	reader_init(&reader, value);
	term = reader_varint(&reader);
	type = reader_u8(&reader);
	if (reader.status != ST_OK || term == 0 || type < LOG_ENTRY_COMMAND || type > LOG_ENTRY_CHANGE)
		return ST_CORRUPT;
	entry_out->body = log_body_create(reader.size);
	if (entry_out->body == NULL)
		return ST_NO_MEMORY;
	entry_out->term = term;
	entry_out->type = (enum log_entry_type)type;
	memcpy(entry_out->body->data, reader.data, reader.size);
	return ST_OK;
}

static struct engine_iter *open_range(struct engine *engine, uint64_t group_id, uint64_t first_index)
{
	uint8_t start[LOG_STORE_KEY_SIZE];
	uint8_t end[LOG_STORE_KEY_SIZE];
	struct engine_iter *iter;

	log_store_key(start, group_id, first_index);
	log_store_key(end, group_id, UINT64_MAX);
	iter = engine_iter_create(engine, FAMILY_RAFT_LOG, slice_of(start, sizeof(start)),
				  slice_of(end, sizeof(end)), NULL, ENGINE_READ_MAY_BLOCK);
	if (iter != NULL)
		engine->ops->iter_seek_first(iter);
	return iter;
}

/* The entry under the iterator, which must have the index given. */
static enum status read_entry(struct engine *engine, struct engine_iter *iter, uint64_t index,
			      struct log_entry *entry_out)
{
	struct slice key = engine->ops->iter_key(iter);

	if (key.size != LOG_STORE_KEY_SIZE || get_u64_be(key.data + 8) != index)
		return ST_CORRUPT;
	return decode_entry(engine->ops->iter_value(iter), entry_out);
}

enum status log_store_load(struct log_store *store)
{
	struct engine *engine = store->commit->engine;
	struct engine_iter *iter = open_range(engine, store->group_id, 0);
	enum status status = ST_OK;
	bool is_first = true;

	if (iter == NULL)
		return ST_NO_MEMORY;
	while (status == ST_OK && engine->ops->iter_valid(iter)) {
		struct log_entry entry = { 0 };

		if (is_first) {
			struct slice key = engine->ops->iter_key(iter);

			store->first_index = key.size == LOG_STORE_KEY_SIZE ? get_u64_be(key.data + 8) : 0;
			if (store->first_index == 0) { /* a log begins with 1 */
				store->first_index = store->last_index + 1;
				status = ST_CORRUPT;
				break;
			}
			store->last_index = store->first_index - 1;
			store->cached_first = store->first_index;
			is_first = false;
		}
		status = read_entry(engine, iter, store->last_index + 1, &entry);
		if (status != ST_OK)
			break;
		cache_entry(store, store->last_index + 1, &entry);
		store->last_index++;
		log_body_release(entry.body);
		engine->ops->iter_next(iter);
	}
	if (status == ST_OK)
		status = engine->ops->iter_status(iter);
	engine->ops->iter_destroy(iter);
	return status;
}

enum status log_store_read(struct engine *engine, uint64_t group_id, uint64_t first_index, uint32_t count,
			   size_t size_bytes_max, struct log_entry *entries_out, uint32_t *count_out)
{
	struct engine_iter *iter = open_range(engine, group_id, first_index);
	enum status status = ST_OK;
	size_t size_bytes = 0;
	uint32_t read_count = 0;

	if (iter == NULL)
		return ST_NO_MEMORY;
	while (read_count < count && engine->ops->iter_valid(iter)) {
		status = read_entry(engine, iter, first_index + read_count, &entries_out[read_count]);
		if (status != ST_OK)
			break;
		size_bytes += entries_out[read_count].body->size_bytes;
		read_count++;
		if (size_bytes > size_bytes_max)
			break;
		engine->ops->iter_next(iter);
	}
	if (status == ST_OK)
		status = engine->ops->iter_status(iter);
	if (status == ST_OK && read_count == 0)
		status = ST_NOT_FOUND; /* compacted meanwhile */
	if (status != ST_OK) {
		for (uint32_t i = 0; i < read_count; i++)
			log_body_release(entries_out[i].body);
		read_count = 0;
	}
	engine->ops->iter_destroy(iter);
	*count_out = read_count;
	return status;
}
