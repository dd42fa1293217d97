/* Time stamps of ISO 8601's basic form, "20130609T100759Z", the only one signatures use.
 *
 * Threads  pure functions.
 * Units    seconds since 1970.
 */
#ifndef COORDINATOR_AUTH_SIGV4_TIME_H
#define COORDINATOR_AUTH_SIGV4_TIME_H

#include "proto/base/bytes.h"

enum { SIGV4_TIME_SIZE = 16 };

/* ST_OK or ST_INVALID; the years 1970 to 9999. */
enum status sigv4_time_parse(struct slice text, uint64_t *epoch_s_out) MUST_CHECK;
/* Writes SIGV4_TIME_SIZE characters and a NUL. */
void sigv4_time_format(uint64_t epoch_s, char out[SIGV4_TIME_SIZE + 1]);

#endif
