/* Unpack protobuf messages into an arena: no malloc and no free per field.
 *
 *   ProtobufCAllocator allocator = proto_arena_allocator(&arena);
 *   message = cleave__hello__unpack(&allocator, size, data);
 *
 * Threads  those of the arena.
 * Memory   the message lives until the arena is reset; never call ..__free_unpacked().
 * Errors   unpack gives NULL for malformed bytes and when the arena's limit is reached.
 *          A message can need some 60 times its packed size: the limit guards that.
 */
#ifndef PROTO_WIRE_PROTO_ARENA_H
#define PROTO_WIRE_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include "proto/base/arena.h"

ProtobufCAllocator proto_arena_allocator(struct arena *arena);

#endif
