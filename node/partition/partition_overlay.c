#include "node/partition/partition_overlay.h"

#include <stdlib.h>

#include "proto/base/digest.h"

struct overlay_entry {
	struct overlay_entry *next; /* same hash, another key */
	struct queue link;
	uint64_t hash;
	uint64_t sequence;
	bool is_delete;
	uint32_t size_bytes;
	size_t key_size;
	size_t item_size;
	uint8_t bytes[]; /* key, item */
};

static struct slice key_of(const struct overlay_entry *entry)
{
	return slice_of(entry->bytes, entry->key_size);
}

void partition_overlay_init(struct partition_overlay *overlay, uint64_t seed)
{
	*overlay = (struct partition_overlay){ .seed = seed };
	hash_map_init(&overlay->by_hash, PARTITION_OVERLAY_KEYS_MAX);
	queue_init(&overlay->by_sequence);
}

static struct overlay_entry *entry_of(struct queue *link)
{
	return CONTAINER_OF(link, struct overlay_entry, link);
}

void partition_overlay_clear(struct partition_overlay *overlay)
{
	struct queue *link;

	while ((link = queue_pop_head(&overlay->by_sequence)) != NULL)
		free(entry_of(link));
	hash_map_close(&overlay->by_hash);
	hash_map_init(&overlay->by_hash, PARTITION_OVERLAY_KEYS_MAX);
	overlay->count = 0;
}

void partition_overlay_close(struct partition_overlay *overlay)
{
	partition_overlay_clear(overlay);
	hash_map_close(&overlay->by_hash);
}

static struct overlay_entry *find_entry(const struct partition_overlay *overlay, uint64_t hash,
					struct slice row_key)
{
	struct overlay_entry *entry = hash_map_get(&overlay->by_hash, hash);

	while (entry != NULL && !slice_equal(key_of(entry), row_key))
		entry = entry->next;
	return entry;
}

bool partition_overlay_find(const struct partition_overlay *overlay, struct slice row_key,
			    struct partition_overlay_image *image_out)
{
	const struct overlay_entry *entry;

	if (overlay->count == 0)
		return false;
	entry = find_entry(overlay, digest_hash64(row_key, overlay->seed), row_key);
	if (entry == NULL)
		return false;
	image_out->is_delete = entry->is_delete;
	image_out->size_bytes = entry->size_bytes;
	image_out->item = slice_of(entry->bytes + entry->key_size, entry->item_size);
	return true;
}

static void drop_entry(struct partition_overlay *overlay, struct overlay_entry *entry)
{
	struct overlay_entry *head = hash_map_get(&overlay->by_hash, entry->hash);

	if (head != entry) {
		while (head->next != entry)
			head = head->next;
		head->next = entry->next;
	} else if (entry->next != NULL) {
		CHECK(hash_map_put(&overlay->by_hash, entry->hash, entry->next) == ST_OK);
	} else {
		(void)hash_map_remove(&overlay->by_hash, entry->hash);
	}
	overlay->count--;
	queue_remove(&entry->link);
	free(entry);
}

enum status partition_overlay_put(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence,
				  const struct partition_overlay_image *image)
{
	uint64_t hash = digest_hash64(row_key, overlay->seed);
	struct overlay_entry *old = find_entry(overlay, hash, row_key);
	struct overlay_entry *entry = malloc(sizeof(*entry) + row_key.size + image->item.size);
	enum status status;

	if (entry == NULL)
		return ST_NO_MEMORY;
	CHECK(queue_is_empty(&overlay->by_sequence) ||
	      entry_of(overlay->by_sequence.prev)->sequence <= sequence);
	entry->hash = hash;
	entry->sequence = sequence;
	entry->is_delete = image->is_delete;
	entry->size_bytes = image->size_bytes;
	entry->key_size = row_key.size;
	entry->item_size = image->item.size;
	memcpy(entry->bytes, row_key.data, row_key.size);
	if (image->item.size > 0)
		memcpy(entry->bytes + row_key.size, image->item.data, image->item.size);
	if (old != NULL)
		drop_entry(overlay, old);
	entry->next = hash_map_get(&overlay->by_hash, hash);
	status = hash_map_put(&overlay->by_hash, hash, entry);
	if (status != ST_OK) {
		free(entry);
		return status == ST_TOO_BIG ? ST_OVERLOADED : status;
	}
	queue_init(&entry->link);
	queue_push_tail(&overlay->by_sequence, &entry->link);
	overlay->count++;
	return ST_OK;
}

void partition_overlay_applied(struct partition_overlay *overlay, uint64_t sequence)
{
	while (!queue_is_empty(&overlay->by_sequence)) {
		struct overlay_entry *oldest = entry_of(overlay->by_sequence.next);

		if (oldest->sequence > sequence)
			return;
		drop_entry(overlay, oldest);
	}
}

void partition_overlay_refused(struct partition_overlay *overlay, uint64_t sequence)
{
	while (!queue_is_empty(&overlay->by_sequence)) {
		struct overlay_entry *newest = entry_of(overlay->by_sequence.prev);

		if (newest->sequence != sequence)
			return;
		drop_entry(overlay, newest);
	}
}
