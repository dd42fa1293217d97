/* Bytes to read and write units, as DynamoDB charges them.
 *
 * Threads  pure functions.
 * Units    half units: an eventually consistent read of 4 KB costs one half unit.  Sizes
 *          are item_size_bytes().
 * Source   "Read and write operations", AWS's documentation.
 */
#ifndef PROTO_MODEL_CAPACITY_H
#define PROTO_MODEL_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capacity_read {
	CAPACITY_READ_EVENTUAL,
	CAPACITY_READ_STRONG,
	CAPACITY_READ_TRANSACTIONAL,
};

/* "-", digits, ".5", NUL. */
enum { CAPACITY_TEXT_SIZE_MAX = 24 };

/* size_bytes of one item, or the sum of a Query or Scan page; 0 (nothing found) is charged
 * as the smallest read. */
uint64_t capacity_read_half_units(uint64_t size_bytes, enum capacity_read read);
/* The larger of both images counts; 0 where there is none.  At least one unit. */
uint64_t capacity_write_half_units(uint64_t before_size_bytes, uint64_t after_size_bytes,
				   bool is_transactional);
/* As ConsumedCapacity has it: "1.0", "0.5".  NUL-terminated; the size without it. */
size_t capacity_print(uint64_t half_units, char out[CAPACITY_TEXT_SIZE_MAX]);

#endif
