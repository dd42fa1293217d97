#include "storage/engine/engine_rocksdb_checksum.h"

#include <isa-l/crc.h>

enum { PIECE_SIZE = 1 << 30 }; /* the library counts in int */

uint32_t engine_rocksdb_checksum_extend(uint32_t crc, const char *data, size_t size_bytes)
{
	/* Neither written to; its register is the complement of what RFC 3720 calls the CRC. */
	unsigned char *bytes = (unsigned char *)(uintptr_t)data;
	uint32_t state = ~crc;

	while (size_bytes > 0) {
		int piece = size_bytes < PIECE_SIZE ? (int)size_bytes : PIECE_SIZE;

		state = crc32_iscsi(bytes, piece, state);
		bytes += piece;
		size_bytes -= (size_t)piece;
	}
	return ~state;
}
