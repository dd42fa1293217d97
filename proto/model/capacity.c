#include "proto/model/capacity.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/base/check.h"
#include "proto/model/limits.h"

/* Steps of step_bytes begun, at least one. */
static uint64_t steps(uint64_t size_bytes, uint64_t step_bytes)
{
	return size_bytes == 0 ? 1 : (size_bytes - 1) / step_bytes + 1;
}

uint64_t capacity_read_half_units(uint64_t size_bytes, enum capacity_read read)
{
	uint64_t count = steps(size_bytes, LIMIT_READ_UNIT_SIZE_BYTES);

	switch (read) {
	case CAPACITY_READ_EVENTUAL:
		return count;
	case CAPACITY_READ_STRONG:
		return 2 * count;
	case CAPACITY_READ_TRANSACTIONAL:
		return 4 * count;
	}
	UNREACHABLE();
}

uint64_t capacity_write_half_units(uint64_t before_size_bytes, uint64_t after_size_bytes,
				   bool is_transactional)
{
	uint64_t larger = before_size_bytes > after_size_bytes ? before_size_bytes : after_size_bytes;

	return steps(larger, LIMIT_WRITE_UNIT_SIZE_BYTES) * (is_transactional ? 4 : 2);
}

size_t capacity_print(uint64_t half_units, char out[CAPACITY_TEXT_SIZE_MAX])
{
	int size = snprintf(out, CAPACITY_TEXT_SIZE_MAX, "%" PRIu64 ".%c", half_units / 2,
			    half_units % 2 == 0 ? '0' : '5');

	CHECK(size > 0 && size < CAPACITY_TEXT_SIZE_MAX);
	return (size_t)size;
}
