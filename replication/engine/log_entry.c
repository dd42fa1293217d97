#include "replication/engine/log_entry.h"

#include <stdlib.h>

struct log_body *log_body_create(size_t size_bytes)
{
	struct log_body *body;

	if (size_bytes > UINT32_MAX)
		return NULL;
	body = malloc(sizeof(*body) + size_bytes);
	if (body == NULL)
		return NULL;
	body->reference_count = 1;
	body->size_bytes = (uint32_t)size_bytes;
	return body;
}

struct log_body *log_body_retain(struct log_body *body)
{
	CHECK(body->reference_count > 0 && body->reference_count < UINT32_MAX);
	body->reference_count++;
	return body;
}

void log_body_release(struct log_body *body)
{
	if (body == NULL)
		return;
	CHECK(body->reference_count > 0);
	body->reference_count--;
	if (body->reference_count == 0)
		free(body);
}
