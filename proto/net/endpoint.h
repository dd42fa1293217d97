/* Places as people type them: HOST:PORT, [::1]:PORT, and lists of seeds 1@HOST:PORT,2@HOST:PORT.
 *
 * Threads  pure functions.
 * Errors   ST_INVALID; outputs are written on ST_OK only.
 */
#ifndef PROTO_NET_ENDPOINT_H
#define PROTO_NET_ENDPOINT_H

#include <stdint.h>

#include "proto/base/bytes.h"

enum { ENDPOINT_HOST_SIZE_MAX = 255, ENDPOINT_SEEDS_MAX = 9 };

struct endpoint {
	char host[ENDPOINT_HOST_SIZE_MAX + 1];
	uint16_t port; /* 0: any */
};

struct endpoint_seed {
	uint64_t node_id;
	struct endpoint place;
};

struct endpoint_seeds {
	struct endpoint_seed items[ENDPOINT_SEEDS_MAX];
	uint32_t count;
};

enum status endpoint_parse(struct slice text, struct endpoint *endpoint_out) MUST_CHECK;
/* At least one; node ids are distinct and not 0. */
enum status endpoint_parse_seeds(struct slice text, struct endpoint_seeds *seeds_out) MUST_CHECK;

#endif
