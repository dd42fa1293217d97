#include "proto/net/endpoint.h"

enum { PORT_MAX = 65535 };

static enum status parse_number(struct slice text, uint64_t max, uint64_t *number_out)
{
	uint64_t number = 0;

	if (text.size == 0)
		return ST_INVALID;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return ST_INVALID;
		number = 10 * number + (uint64_t)(text.data[i] - '0');
		if (number > max)
			return ST_INVALID;
	}
	*number_out = number;
	return ST_OK;
}

static struct slice slice_part(struct slice text, size_t start, size_t end)
{
	return slice_of(text.data + start, end - start);
}

enum status endpoint_parse(struct slice text, struct endpoint *endpoint_out)
{
	struct endpoint endpoint = { .port = 0 };
	struct slice host;
	uint64_t port;
	size_t colon = text.size;

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon == 0 || parse_number(slice_part(text, colon, text.size), PORT_MAX, &port) != ST_OK)
		return ST_INVALID;
	host = slice_part(text, 0, colon - 1);
	if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
		host = slice_part(host, 1, host.size - 1);
	if (host.size == 0 || host.size > ENDPOINT_HOST_SIZE_MAX ||
	    memchr(host.data, '\0', host.size) != NULL)
		return ST_INVALID;
	memcpy(endpoint.host, host.data, host.size);
	endpoint.port = (uint16_t)port;
	*endpoint_out = endpoint;
	return ST_OK;
}

static enum status parse_seed(struct slice text, struct endpoint_seed *seed_out)
{
	const uint8_t *at = text.size == 0 ? NULL : memchr(text.data, '@', text.size);
	size_t at_index;
	enum status status;

	if (at == NULL)
		return ST_INVALID;
	at_index = (size_t)(at - text.data);
	status = parse_number(slice_part(text, 0, at_index), UINT32_MAX, &seed_out->node_id);
	if (status == ST_OK && seed_out->node_id == 0)
		status = ST_INVALID;
	if (status == ST_OK)
		status = endpoint_parse(slice_part(text, at_index + 1, text.size), &seed_out->place);
	return status;
}

static bool has_node(const struct endpoint_seeds *seeds, uint64_t node_id)
{
	for (uint32_t i = 0; i < seeds->count; i++) {
		if (seeds->items[i].node_id == node_id)
			return true;
	}
	return false;
}

enum status endpoint_parse_seeds(struct slice text, struct endpoint_seeds *seeds_out)
{
	struct endpoint_seeds seeds = { .count = 0 };
	size_t start = 0;

	while (start <= text.size) {
		struct endpoint_seed seed;
		size_t end = start;

		while (end < text.size && text.data[end] != ',')
			end++;
		if (seeds.count == ENDPOINT_SEEDS_MAX ||
		    parse_seed(slice_part(text, start, end), &seed) != ST_OK ||
		    has_node(&seeds, seed.node_id))
			return ST_INVALID;
		seeds.items[seeds.count++] = seed;
		start = end + 1;
	}
	*seeds_out = seeds;
	return ST_OK;
}
