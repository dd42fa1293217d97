/* Lend const bytes and texts to a message that is about to be packed: protobuf-c does not know
 * const, and packing writes through none of its pointers.
 *
 * Threads  pure functions.
 * Memory   borrowed: what is lent must stay until the message is packed.
 */
#ifndef PROTO_WIRE_PROTO_BORROW_H
#define PROTO_WIRE_PROTO_BORROW_H

#include <protobuf-c/protobuf-c.h>

#include "proto/base/bytes.h"

static inline ProtobufCBinaryData proto_borrow_bytes(struct slice bytes)
{
	return (ProtobufCBinaryData){ bytes.size, (uint8_t *)(uintptr_t)bytes.data };
}

static inline char *proto_borrow_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

#endif
