/* The checksum of RocksDB's log and table blocks, by the processor's own instruction.
 *
 * Debian's RocksDB is built for any amd64 and computes CRC-32C from tables, which took a tenth of the
 * nodes' CPU time of a put.  Programs that carry RocksDB are linked so that its calls of
 * rocksdb::crc32c::Extend(unsigned, const char *, size_t) come here (CMakeLists.txt, decision
 * 0024); everywhere else this is not called.  The result is the same.
 *
 * Threads  any.
 */
#ifndef STORAGE_ENGINE_ENGINE_ROCKSDB_CHECKSUM_H
#define STORAGE_ENGINE_ENGINE_ROCKSDB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (RFC 3720, B.4) of A and then data, where crc is that of A; 0 is that of nothing. */
uint32_t engine_rocksdb_checksum_extend(uint32_t crc, const char *data,
					size_t size_bytes) __asm__("__wrap__ZN7rocksdb6crc32c6ExtendEjPKcm");

#endif
