/* The one error enumeration of the project.
 *
 * Threads  pure functions.
 * Errors   0 is success, all others are negative, so that `status != ST_OK` and
 *          `status < 0` mean the same.  Values cross the wire: append, never renumber.
 */
#ifndef PROTO_BASE_STATUS_H
#define PROTO_BASE_STATUS_H

#include <stdbool.h>

enum status {
	ST_OK = 0,
	ST_NO_MEMORY = -1,
	ST_IO = -2,      /* disk or socket failed */
	ST_CORRUPT = -3, /* stored or sent bytes that do not decode */
	ST_TOO_BIG = -4, /* a named limit was exceeded */
	ST_INVALID = -5, /* the caller's input breaks a rule */
	ST_NOT_FOUND = -6,
	ST_EXISTS = -7,
	ST_BUSY = -8,    /* try again later: something else is under way */
	ST_TIMEOUT = -9, /* the deadline passed; the outcome may be unknown */
	ST_CANCELED = -10,
	ST_CLOSED = -11,          /* the connection or the part was closed */
	ST_UNREACHABLE = -12,     /* could not connect: nothing was sent */
	ST_NOT_LEADER = -13,      /* this replica does not lead; a hint may follow */
	ST_MOVED = -14,           /* range, epoch or members changed: refresh and retry */
	ST_UNKNOWN_OUTCOME = -15, /* a write may or may not take effect */
	ST_CONDITION_FAILED = -16,
	ST_NO_SPACE = -17,    /* a disk's watermark refuses the write: nothing was done */
	ST_OVERLOADED = -18,  /* an in-flight or queue limit shed this */
	ST_UNAVAILABLE = -19, /* no quorum or not ready yet */
	ST_WRONG_CLUSTER = -20,
	ST_VERSION = -21,     /* a format or protocol version we do not speak */
	ST_FORGOTTEN = -22,   /* a node whose directory was emptied under its old name */
	ST_DENIED = -23,      /* certificate or identity refused */
	ST_WOULD_BLOCK = -24, /* the answer needs the disk: ask off the loop thread */
	ST_UNSUPPORTED = -25, /* no such method */
	ST_STALE = -26,       /* this replica has not heard a leader for too long */
	ST_REFUSED = -27,     /* the item's state does not allow the update; details follow */
};

/* "ST_OK", "ST_IO", ...; "ST_?" for an unknown value.  Never NULL. */
const char *status_name(enum status status);

/* True if the same request may be sent again to the same or another replica,
 * given that every write carries a request id. */
bool status_is_retryable(enum status status);

#endif
