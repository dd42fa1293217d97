#include "node/partition/partition_overlay.h"

#include <stdlib.h>

#include "proto/base/digest.h"

struct overlay_entry {
	struct overlay_entry *next; /* same hash, another key */
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
}

void partition_overlay_clear(struct partition_overlay *overlay)
{
	struct overlay_entry *entry;
	size_t cursor = 0;

	while ((entry = hash_map_next(&overlay->by_hash, &cursor)) != NULL) {
		while (entry != NULL) {
			struct overlay_entry *next = entry->next;

			free(entry);
			entry = next;
		}
	}
	hash_map_close(&overlay->by_hash);
	hash_map_init(&overlay->by_hash, PARTITION_OVERLAY_KEYS_MAX);
	overlay->count = 0;
}

void partition_overlay_close(struct partition_overlay *overlay)
{
	partition_overlay_clear(overlay);
	hash_map_close(&overlay->by_hash);
}

static const struct overlay_entry *find_entry(const struct partition_overlay *overlay, uint64_t hash,
					      struct slice row_key)
{
	const struct overlay_entry *entry = hash_map_get(&overlay->by_hash, hash);

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

static void unlink_entry(struct partition_overlay *overlay, uint64_t hash, const struct overlay_entry *entry)
{
	struct overlay_entry *head = hash_map_get(&overlay->by_hash, hash);

	if (head != entry) {
		while (head->next != entry)
			head = head->next;
		head->next = entry->next;
	} else if (entry->next != NULL) {
		CHECK(hash_map_put(&overlay->by_hash, hash, entry->next) == ST_OK);
	} else {
		(void)hash_map_remove(&overlay->by_hash, hash);
	}
	overlay->count--;
}

enum status partition_overlay_put(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence,
				  const struct partition_overlay_image *image)
{
	uint64_t hash = digest_hash64(row_key, overlay->seed);
	const struct overlay_entry *old = find_entry(overlay, hash, row_key);
	struct overlay_entry *entry = malloc(sizeof(*entry) + row_key.size + image->item.size);
	enum status status;

	if (entry == NULL)
		return ST_NO_MEMORY;
	entry->sequence = sequence;
	entry->is_delete = image->is_delete;
	entry->size_bytes = image->size_bytes;
	entry->key_size = row_key.size;
	entry->item_size = image->item.size;
	memcpy(entry->bytes, row_key.data, row_key.size);
	if (image->item.size > 0)
		memcpy(entry->bytes + row_key.size, image->item.data, image->item.size);
	if (old != NULL) {
		unlink_entry(overlay, hash, old);
		free((void *)(uintptr_t)old);
	}
	entry->next = hash_map_get(&overlay->by_hash, hash);
	status = hash_map_put(&overlay->by_hash, hash, entry);
	if (status != ST_OK) {
		free(entry);
		return status == ST_TOO_BIG ? ST_OVERLOADED : status;
	}
	overlay->count++;
	return ST_OK;
}

void partition_overlay_applied(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence)
{
	uint64_t hash = digest_hash64(row_key, overlay->seed);
	const struct overlay_entry *entry = find_entry(overlay, hash, row_key);

	if (entry == NULL || entry->sequence != sequence)
		return;
	unlink_entry(overlay, hash, entry);
	free((void *)(uintptr_t)entry);
}
