#include "coordinator/auth/sigv4_canonical.h"

#include <stdlib.h>

#include "proto/base/base64.h"
#include "proto/base/digest.h"

struct parameter {
	struct slice name; /* both escaped */
	struct slice value;
};

static bool is_unreserved(uint8_t character)
{
	return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
	       (character >= '0' && character <= '9') || character == '-' || character == '_' ||
	       character == '.' || character == '~';
}

static size_t escape_byte(uint8_t *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	if (is_unreserved(byte)) {
		out[0] = byte;
		return 1;
	}
	out[0] = '%';
	out[1] = (uint8_t)digits[byte >> 4];
	out[2] = (uint8_t)digits[byte & 0x0f];
	return 3;
}

static void append_escaped(struct buf *out, struct slice text)
{
	uint8_t *start = buf_extend(out, 3 * text.size);
	size_t size = 0;

	if (start == NULL)
		return;
	for (size_t i = 0; i < text.size; i++)
		size += escape_byte(start + size, text.data[i]);
	out->size -= 3 * text.size - size;
}

/* Drop the last segment that was appended after start_size. */
static void drop_segment(struct buf *out, size_t start_size)
{
	while (out->size > start_size && out->data[out->size - 1] != '/')
		out->size--;
	if (out->size > start_size)
		out->size--;
}

static void append_path(struct buf *out, struct slice path)
{
	struct slice rest = path;
	struct slice segment;
	size_t start_size = out->size;
	bool is_absolute = path.size == 0 || path.data[0] == '/';
	bool ends_in_slash = path.size > 0 && path.data[path.size - 1] == '/';

	while (sigv4_split(&rest, '/', &segment) && out->status == ST_OK) {
		if (segment.size == 0 || (segment.size == 1 && segment.data[0] == '.'))
			continue;
		if (segment.size == 2 && segment.data[0] == '.' && segment.data[1] == '.') {
			drop_segment(out, start_size);
			continue;
		}
		if (is_absolute || out->size > start_size)
			buf_put_u8(out, '/');
		append_escaped(out, segment);
	}
	if (ends_in_slash || (is_absolute && out->size == start_size))
		buf_put_u8(out, '/');
}

/* Unescape and escape again, so that each text has one spelling. */
static bool respell(struct arena *arena, struct slice text, struct slice *out)
{
	uint8_t *copy = arena_alloc(arena, 3 * text.size + 1);
	size_t size = 0;

	if (copy == NULL)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		int byte = sigv4_unescape(text, i);

		size += escape_byte(copy + size, byte >= 0 ? (uint8_t)byte : text.data[i]);
		if (byte >= 0)
			i += 2;
	}
	*out = slice_of(copy, size);
	return true;
}

static int compare_parameters(const void *left, const void *right)
{
	const struct parameter *a = left;
	const struct parameter *b = right;
	int order = slice_compare(a->name, b->name);

	return order != 0 ? order : slice_compare(a->value, b->value);
}

static enum status read_parameters(struct slice query, bool leave_out_signature, struct arena *arena,
				   struct parameter *parameters, size_t *count_out)
{
	static const char signature[] = "X-Amz-Signature";
	struct slice rest = query;
	struct slice pair;
	size_t count = 0;

	while (sigv4_split(&rest, '&', &pair)) {
		struct slice value = pair;
		struct slice name;

		if (!sigv4_split(&value, '=', &name))
			continue;
		if (leave_out_signature && slice_equal(name, slice_of_string(signature)))
			continue;
		if (count == SIGV4_QUERY_PARAMETERS_MAX)
			return ST_TOO_BIG;
		if (!respell(arena, name, &parameters[count].name) ||
		    !respell(arena, value, &parameters[count].value))
			return ST_NO_MEMORY;
		count++;
	}
	*count_out = count;
	return ST_OK;
}

static enum status append_query(struct buf *out, const struct sigv4_request *request, bool is_presigned,
				struct arena *arena)
{
	struct parameter *parameters;
	size_t count;
	enum status status;

	if (request->query.size == 0)
		return ST_OK;
	parameters = arena_alloc(arena, SIGV4_QUERY_PARAMETERS_MAX * sizeof(*parameters));
	if (parameters == NULL)
		return ST_NO_MEMORY;
	status = read_parameters(request->query, is_presigned, arena, parameters, &count);
	if (status != ST_OK)
		return status;
	qsort(parameters, count, sizeof(*parameters), compare_parameters);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_put_u8(out, '&');
		buf_append_slice(out, parameters[i].name);
		buf_put_u8(out, '=');
		buf_append_slice(out, parameters[i].value);
	}
	return ST_OK;
}

static void append_lower(struct buf *out, struct slice text)
{
	uint8_t *start = buf_extend(out, text.size);

	for (size_t i = 0; start != NULL && i < text.size; i++) {
		uint8_t character = text.data[i];

		start[i] = character >= 'A' && character <= 'Z' ? character | 0x20 : character;
	}
}

/* Trimmed, with each inner run of blanks as one space. */
static void append_header_value(struct buf *out, struct slice value)
{
	uint8_t *start;
	size_t size = 0;
	bool was_blank = false;

	value = sigv4_trim(value);
	start = buf_extend(out, value.size);
	if (start == NULL || value.size == 0)
		return;
	for (size_t i = 0; i < value.size; i++) {
		bool is_blank = value.data[i] == ' ' || value.data[i] == '\t';

		if (!is_blank)
			start[size++] = value.data[i];
		else if (!was_blank)
			start[size++] = ' ';
		was_blank = is_blank;
	}
	out->size -= value.size - size;
}

/* "name:value,value\n" with the values of all headers of that name; nothing if there is
 * none, so that a signed header that got lost is noticed. */
static void append_header(struct buf *out, const struct sigv4_request *request, struct slice name)
{
	size_t start_size = out->size;
	size_t name_end;
	bool is_first = true;

	append_lower(out, name);
	name_end = out->size;
	if (out->status != ST_OK)
		return;
	for (size_t i = 0; i < request->header_count; i++) {
		struct slice lower = { out->data + start_size, name_end - start_size };

		if (!slice_equal(request->headers[i].name, lower))
			continue;
		buf_put_u8(out, is_first ? ':' : ',');
		append_header_value(out, request->headers[i].value);
		is_first = false;
		if (out->status != ST_OK)
			return;
	}
	if (is_first)
		out->size = start_size;
	else
		buf_put_u8(out, '\n');
}

static enum status append_headers(struct buf *out, const struct sigv4_request *request,
				  const struct sigv4_claim *claim)
{
	struct slice rest = claim->signed_headers;
	struct slice name;
	size_t count = 0;

	while (sigv4_split(&rest, ';', &name)) {
		if (count++ == SIGV4_SIGNED_HEADERS_MAX)
			return ST_TOO_BIG;
		if (name.size > 0)
			append_header(out, request, name);
	}
	return ST_OK;
}

static void append_hash(struct buf *out, struct slice data)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(data, hash);
	hex_encode(out, slice_of(hash, sizeof(hash)));
}

enum status sigv4_canonical_request(const struct sigv4_request *request, const struct sigv4_claim *claim,
				    struct arena *arena, struct buf *out)
{
	enum status status;

	buf_append_slice(out, request->method);
	buf_put_u8(out, '\n');
	append_path(out, request->path);
	buf_put_u8(out, '\n');
	status = append_query(out, request, claim->is_presigned, arena);
	if (status != ST_OK)
		return status;
	buf_put_u8(out, '\n');
	status = append_headers(out, request, claim);
	if (status != ST_OK)
		return status;
	buf_put_u8(out, '\n');
	append_lower(out, claim->signed_headers);
	buf_put_u8(out, '\n');
	append_hash(out, request->body);
	return out->status;
}

enum status sigv4_canonical_string_to_sign(const struct sigv4_claim *claim, struct slice canonical_request,
					   struct buf *out)
{
	buf_append_slice(out, claim->algorithm);
	buf_put_u8(out, '\n');
	buf_append_slice(out, claim->date);
	buf_put_u8(out, '\n');
	buf_append_slice(out, claim->scope);
	buf_put_u8(out, '\n');
	append_hash(out, canonical_request);
	return out->status;
}
