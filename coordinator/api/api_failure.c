#include "coordinator/api/api_failure.h"

#include "coordinator/api/api_message.h"

static const char *message_of(enum status status)
{
	switch (status) {
	case ST_NO_SPACE:
		return API_MESSAGE_NO_SPACE;
	case ST_UNKNOWN_OUTCOME:
	case ST_FORGOTTEN:
	case ST_CANCELED:
		return API_MESSAGE_UNKNOWN_OUTCOME;
	case ST_UNREACHABLE:
	case ST_NOT_LEADER:
	case ST_UNAVAILABLE:
	case ST_TIMEOUT:
		return API_MESSAGE_NO_REPLICA;
	default:
		return API_MESSAGE_INTERNAL;
	}
}

void api_failure_answer(struct api_request *request, enum status status)
{
	if (status == ST_NOT_FOUND) {
		api_error_set(&request->error, API_ERROR_RESOURCE_NOT_FOUND, "%s", API_MESSAGE_NOT_FOUND);
		api_request_fail(request);
	} else {
		api_request_fail_internal(request, message_of(status));
	}
}
