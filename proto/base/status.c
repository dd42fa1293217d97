#include "proto/base/status.h"

#include <stddef.h>

static const char *const names[] = {
	"ST_OK",
	"ST_NO_MEMORY",
	"ST_IO",
	"ST_CORRUPT",
	"ST_TOO_BIG",
	"ST_INVALID",
	"ST_NOT_FOUND",
	"ST_EXISTS",
	"ST_BUSY",
	"ST_TIMEOUT",
	"ST_CANCELED",
	"ST_CLOSED",
	"ST_UNREACHABLE",
	"ST_NOT_LEADER",
	"ST_MOVED",
	"ST_UNKNOWN_OUTCOME",
	"ST_CONDITION_FAILED",
	"ST_NO_SPACE",
	"ST_OVERLOADED",
	"ST_UNAVAILABLE",
	"ST_WRONG_CLUSTER",
	"ST_VERSION",
	"ST_FORGOTTEN",
	"ST_DENIED",
	"ST_WOULD_BLOCK",
	"ST_UNSUPPORTED",
	"ST_STALE",
	"ST_REFUSED",
};

const char *status_name(enum status status)
{
	int index = -(int)status;

	if (index < 0 || (size_t)index >= sizeof(names) / sizeof(names[0]))
		return "ST_?";
	return names[index];
}

bool status_is_retryable(enum status status)
{
	switch (status) {
	case ST_BUSY:
	case ST_TIMEOUT:
	case ST_CANCELED:
	case ST_CLOSED:
	case ST_UNREACHABLE:
	case ST_NOT_LEADER:
	case ST_MOVED:
	case ST_UNKNOWN_OUTCOME:
	case ST_NO_SPACE:
	case ST_OVERLOADED:
	case ST_UNAVAILABLE:
	case ST_STALE:
		return true;
	default:
		return false;
	}
}
