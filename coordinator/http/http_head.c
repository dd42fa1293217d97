#include "coordinator/http/http_head.h"

#include <strings.h>

/* Take one line without its CRLF; false for a bare LF or a line that does not end. */
static bool take_line(struct slice *rest, struct slice *line_out)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;

	if (end == NULL || end == rest->data || end[-1] != '\r')
		return false;
	*line_out = slice_of(rest->data, (size_t)(end - 1 - rest->data));
	*rest = slice_of(end + 1, rest->size - line_out->size - 2);
	return true;
}

static bool is_word(struct slice text, const char *word)
{
	return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

static struct slice trim(struct slice text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
		text.size--;
	return text;
}

/* False if it was there already. */
static bool set_once(struct slice *field, struct slice value)
{
	if (field->data != NULL)
		return false;
	*field = value;
	return true;
}

static bool is_letter_or_digit(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/* Letters, digits and those. */
static bool has_only(struct slice text, const char *others)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!is_letter_or_digit(text.data[i]) &&
		    (text.data[i] == '\0' || strchr(others, text.data[i]) == NULL))
			return false;
	}
	return text.size > 0;
}

static bool is_token(struct slice text)
{
	return has_only(text, "!#$%&'*+-.^_`|~");
}

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return text.size > 0;
}

bool http_head_method_is_valid(struct slice method)
{
	return is_token(method);
}

bool http_head_target_is_valid(struct slice target, struct slice method)
{
	if (slice_equal(target, slice_of_string("*")))
		return slice_equal(method, slice_of_string("OPTIONS"));
	for (size_t i = 0; i < target.size; i++) {
		if (target.data[i] <= ' ' || target.data[i] == 0x7f || target.data[i] == '#')
			return false;
	}
	return target.size > 0 && target.data[0] == '/';
}

bool http_head_host_is_valid(struct slice host)
{
	return has_only(host, "-._~%!$&'()*+;=:[]");
}

bool http_head_value_is_valid(struct slice value)
{
	for (size_t i = 0; i < value.size; i++) {
		if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
			return false;
	}
	return true;
}

/* "POST / HTTP/1.1", with one space each. */
static bool take_request_line(struct slice line, bool *needs_host_out)
{
	static const char version[] = " HTTP/1.";
	size_t tail_size = sizeof(version); /* with one digit, without the NUL */
	const uint8_t *space = line.size == 0 ? NULL : memchr(line.data, ' ', line.size);
	struct slice method;
	struct slice target;
	uint8_t minor;

	if (space == NULL)
		return false;
	method = slice_of(line.data, (size_t)(space - line.data));
	if (line.size < method.size + 1 + tail_size ||
	    memcmp(line.data + line.size - tail_size, version, tail_size - 1) != 0)
		return false;
	target = slice_of(space + 1, line.size - method.size - 1 - tail_size);
	minor = line.data[line.size - 1];
	*needs_host_out = minor == '1';
	return (minor == '0' || minor == '1') && http_head_method_is_valid(method) &&
	       http_head_target_is_valid(target, method);
}

static bool take_header(struct slice line, struct http_head *head, struct slice *host)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	struct slice name;
	struct slice value;

	if (colon == NULL)
		return false;
	name = slice_of(line.data, (size_t)(colon - line.data));
	value = trim(slice_of(colon + 1, line.size - name.size - 1));
	if (!is_token(name) || !http_head_value_is_valid(value)) /* a folded line has no name */
		return false;
	if (is_word(name, "content-length"))
		return is_number(value) && set_once(&head->content_length, value);
	if (is_word(name, "transfer-encoding"))
		return is_word(value, "chunked") && set_once(&head->transfer_encoding, value);
	if (is_word(name, "host"))
		return http_head_host_is_valid(value) && set_once(host, value);
	return true;
}

enum status http_head_check(struct slice input, struct http_head *head_out)
{
	struct http_head head = { .content_length = { NULL, 0 } };
	struct slice rest = input;
	struct slice host = { NULL, 0 };
	struct slice line;
	bool needs_host;

	/* The parser skips one empty line before a request. */
	if (rest.size >= 2 && rest.data[0] == '\r' && rest.data[1] == '\n')
		rest = slice_of(rest.data + 2, rest.size - 2);
	if (!take_line(&rest, &line) || !take_request_line(line, &needs_host))
		return ST_INVALID;
	for (;;) {
		if (!take_line(&rest, &line))
			return ST_INVALID;
		if (line.size == 0)
			break;
		if (!take_header(line, &head, &host))
			return ST_INVALID;
	}
	if (head.transfer_encoding.data != NULL && (head.content_length.data != NULL || !needs_host))
		return ST_INVALID;
	if (needs_host && host.data == NULL)
		return ST_INVALID;
	*head_out = head;
	return ST_OK;
}

bool http_head_is_complete(struct slice input)
{
	return input.size > 0 && memmem(input.data, input.size, "\r\n\r\n", 4) != NULL;
}
