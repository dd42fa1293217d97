/* Base64 (RFC 4648, with padding) and lower-case hex.
 *
 * Threads  pure functions.
 * Errors   decoding is strict: ST_INVALID on a bad length, a foreign character,
 *          wrong padding or non-zero trailing bits.
 */
#ifndef PROTO_BASE_BASE64_H
#define PROTO_BASE_BASE64_H

#include "proto/base/bytes.h"

void base64_encode(struct buf *out, struct slice data);
enum status base64_decode(struct buf *out, struct slice text) MUST_CHECK;
void hex_encode(struct buf *out, struct slice data);
/* Writes 2 * size_bytes characters and a NUL. */
void hex_encode_to(char *out, const uint8_t *data, size_t size_bytes);
enum status hex_decode(struct buf *out, struct slice text) MUST_CHECK;

#endif
