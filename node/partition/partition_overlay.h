/* The leader's pending, uncommitted results: what a write sees of the writes before it.
 *
 * Threads  loop thread.
 * Memory   the overlay owns copies of keys and images; a found image is valid until the next
 *          call that changes the overlay.
 */
#ifndef NODE_PARTITION_PARTITION_OVERLAY_H
#define NODE_PARTITION_PARTITION_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/hash_map.h"

enum { PARTITION_OVERLAY_KEYS_MAX = 64 * 1024 };

struct partition_overlay {
	struct hash_map by_hash; /* key hash -> chain of entries */
	uint64_t seed;
	size_t count;
};

struct partition_overlay_image {
	bool is_delete;
	uint32_t size_bytes; /* as DynamoDB counts */
	struct slice item;
};

void partition_overlay_init(struct partition_overlay *overlay, uint64_t seed);
void partition_overlay_close(struct partition_overlay *overlay);
/* Forget everything: leadership was lost. */
void partition_overlay_clear(struct partition_overlay *overlay);
/* False: no write to the row is pending. */
bool partition_overlay_find(const struct partition_overlay *overlay, struct slice row_key,
			    struct partition_overlay_image *image_out);
/* The row's newest pending image, written by command `sequence`. */
enum status partition_overlay_put(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence,
				  const struct partition_overlay_image *image) MUST_CHECK;
/* The command was applied: drop the row's image if no later command wrote it. */
void partition_overlay_applied(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence);

#endif
