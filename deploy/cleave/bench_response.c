#include "deploy/cleave/bench_response.h"

#include <strings.h>

enum { STATUS_LINE_SIZE_MIN = 12, NAME_SIZE_MAX = 64 };

static const char line_end[] = "\r\n";
static const char head_end[] = "\r\n\r\n";

struct head {
	bool has_length;
	bool is_last;
	size_t body_size;
};

static const uint8_t *find(struct slice in, const char *text)
{
	return in.size == 0 ? NULL : memmem(in.data, in.size, text, strlen(text));
}

static struct slice after(struct slice in, const uint8_t *at)
{
	return slice_of(at, (size_t)(in.data + in.size - at));
}

/* --- the head --- */

/* "HTTP/1.1 200 OK" */
static enum status read_status_line(struct slice line, uint32_t *http_status_out)
{
	uint32_t value = 0;

	if (line.size < STATUS_LINE_SIZE_MIN || memcmp(line.data, "HTTP/1.", 7) != 0 || line.data[8] != ' ')
		return ST_CORRUPT;
	for (size_t i = 9; i < STATUS_LINE_SIZE_MIN; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return ST_CORRUPT;
		value = 10 * value + (uint32_t)(line.data[i] - '0');
	}
	*http_status_out = value;
	return ST_OK;
}

static enum status read_length(struct slice value, size_t size_bytes_max, size_t *size_out)
{
	size_t size = 0;

	if (value.size == 0)
		return ST_CORRUPT;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return ST_CORRUPT;
		size = 10 * size + (size_t)(value.data[i] - '0');
		if (size > size_bytes_max)
			return ST_TOO_BIG;
	}
	*size_out = size;
	return ST_OK;
}

static bool is_text(struct slice slice, const char *text)
{
	return slice.size == strlen(text) && strncasecmp((const char *)slice.data, text, slice.size) == 0;
}

static struct slice trim(struct slice value)
{
	while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
		value = slice_of(value.data + 1, value.size - 1);
	while (value.size > 0 && (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t'))
		value.size--;
	return value;
}

static enum status read_header(struct slice line, size_t size_bytes_max, struct head *head)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	struct slice name;
	struct slice value;

	if (colon == NULL)
		return ST_CORRUPT;
	name = slice_of(line.data, (size_t)(colon - line.data));
	value = trim(after(line, colon + 1));
	if (is_text(name, "transfer-encoding"))
		return ST_CORRUPT;
	if (is_text(name, "connection"))
		head->is_last = is_text(value, "close");
	if (!is_text(name, "content-length"))
		return ST_OK;
	head->has_length = true;
	return read_length(value, size_bytes_max, &head->body_size);
}

/* text ends with the end of its last line. */
static enum status read_headers(struct slice text, size_t size_bytes_max, struct head *head)
{
	enum status status = ST_OK;

	while (text.size > 0 && status == ST_OK) {
		const uint8_t *end = find(text, line_end);

		CHECK(end != NULL);
		status = read_header(slice_of(text.data, (size_t)(end - text.data)), size_bytes_max, head);
		text = after(text, end + 2);
	}
	return status;
}

enum status bench_response_read(struct slice bytes, size_t size_bytes_max,
				struct bench_response *response_out)
{
	const uint8_t *end = find(bytes, head_end);
	const uint8_t *first_end;
	struct bench_response response = { .is_last = false };
	struct head head = { .has_length = false };
	size_t head_size;
	enum status status;

	if (end == NULL)
		return bytes.size < size_bytes_max ? ST_BUSY : ST_TOO_BIG;
	head_size = (size_t)(end - bytes.data) + 4;
	first_end = find(bytes, line_end);
	status = read_status_line(slice_of(bytes.data, (size_t)(first_end - bytes.data)),
				  &response.http_status);
	if (status == ST_OK)
		status = read_headers(slice_of(first_end + 2, (size_t)(end - first_end)), size_bytes_max,
				      &head);
	if (status != ST_OK)
		return status;
	if (!head.has_length)
		return ST_CORRUPT;
	if (head.body_size > size_bytes_max - head_size)
		return ST_TOO_BIG;
	if (head.body_size > bytes.size - head_size)
		return ST_BUSY;
	response.is_last = head.is_last;
	response.body = slice_of(bytes.data + head_size, head.body_size);
	response.size_bytes = head_size + head.body_size;
	*response_out = response;
	return ST_OK;
}

/* --- the body --- */

static struct slice skip_blanks(struct slice text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\n'))
		text = slice_of(text.data + 1, text.size - 1);
	return text;
}

/* The string that follows quoted_name and a colon; without escapes, which these texts never need. */
static struct slice member(struct slice body, const char *quoted_name)
{
	const uint8_t *at = find(body, quoted_name);
	const struct slice none = slice_of("", 0);
	struct slice rest;
	const uint8_t *end;

	if (at == NULL)
		return none;
	rest = skip_blanks(after(body, at + strlen(quoted_name)));
	if (rest.size == 0 || rest.data[0] != ':')
		return none;
	rest = skip_blanks(after(rest, rest.data + 1));
	if (rest.size == 0 || rest.data[0] != '"')
		return none;
	rest = after(rest, rest.data + 1);
	end = rest.size == 0 ? NULL : memchr(rest.data, '"', rest.size);
	return end == NULL ? none : slice_of(rest.data, (size_t)(end - rest.data));
}

struct slice bench_response_error_type(struct slice body)
{
	struct slice type = member(body, "\"__type\"");
	const uint8_t *hash = type.size == 0 ? NULL : memchr(type.data, '#', type.size);

	return hash == NULL ? type : after(type, hash + 1);
}

bool bench_response_member_is(struct slice body, const char *name, const char *text)
{
	struct buf quoted;
	bool is_same;

	buf_init(&quoted, NAME_SIZE_MAX);
	buf_append_format(&quoted, "\"%s\"", name);
	buf_put_u8(&quoted, 0);
	is_same = quoted.status == ST_OK &&
		  slice_equal(member(body, (const char *)quoted.data), slice_of_string(text));
	buf_close(&quoted);
	return is_same;
}
