/* The leader's results that are not in the store yet: what a write sees of the writes before it.
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
#include "proto/base/queue.h"

enum { PARTITION_OVERLAY_KEYS_MAX = 64 * 1024 };

struct partition_overlay {
	struct hash_map by_hash; /* key hash -> chain of entries */
	struct queue by_sequence;
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
/* The row's newest pending image, written by command `sequence`; those come in ascending order. */
enum status partition_overlay_put(struct partition_overlay *overlay, struct slice row_key, uint64_t sequence,
				  const struct partition_overlay_image *image) MUST_CHECK;
/* Commands up to this one are in the store: drop their images, but where a later command wrote the row. */
void partition_overlay_applied(struct partition_overlay *overlay, uint64_t sequence);
/* The newest command will not be proposed: drop its images.  Those that they replaced are gone. */
void partition_overlay_refused(struct partition_overlay *overlay, uint64_t sequence);

#endif
