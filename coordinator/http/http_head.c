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

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return text.size > 0;
}

static bool take_header(struct slice line, struct http_head *head, struct slice *host)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	struct slice name;
	struct slice value;

	if (colon == NULL || line.data[0] == ' ' || line.data[0] == '\t')
		return false; /* a folded line */
	name = slice_of(line.data, (size_t)(colon - line.data));
	value = trim(slice_of(colon + 1, line.size - name.size - 1));
	if (is_word(name, "content-length"))
		return is_number(value) && set_once(&head->content_length, value);
	if (is_word(name, "transfer-encoding"))
		return is_word(value, "chunked") && set_once(&head->transfer_encoding, value);
	if (is_word(name, "host"))
		return set_once(host, value);
	return true;
}

enum status http_head_check(struct slice input, struct http_head *head_out)
{
	struct http_head head = { .content_length = { NULL, 0 } };
	struct slice rest = input;
	struct slice host = { NULL, 0 };
	struct slice line;

	/* The parser skips one empty line before a request. */
	if (rest.size >= 2 && rest.data[0] == '\r' && rest.data[1] == '\n')
		rest = slice_of(rest.data + 2, rest.size - 2);
	if (!take_line(&rest, &line) || line.size == 0)
		return ST_INVALID;
	for (;;) {
		if (!take_line(&rest, &line))
			return ST_INVALID;
		if (line.size == 0)
			break;
		if (!take_header(line, &head, &host))
			return ST_INVALID;
	}
	if (head.content_length.data != NULL && head.transfer_encoding.data != NULL)
		return ST_INVALID;
	*head_out = head;
	return ST_OK;
}

bool http_head_is_complete(struct slice input)
{
	return input.size > 0 && memmem(input.data, input.size, "\r\n\r\n", 4) != NULL;
}
