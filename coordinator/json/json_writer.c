#include "coordinator/json/json_writer.h"

static const char escape_letters[] = {
	['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
};

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* Does a byte of the word need an escape?  Bytes of 0x80 and more do not. */
static bool has_special(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t high = ones * 0x80;
	uint64_t quote = word ^ (ones * '"');
	uint64_t backslash = word ^ (ones * '\\');
	uint64_t control = (word - ones * 0x20) & ~word;

	return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | control) & high;
}

/* The bytes from at on that can be copied as they are. */
static size_t plain_end(struct slice text, size_t at)
{
	uint64_t word;

	while (text.size - at >= sizeof(word)) {
		memcpy(&word, text.data + at, sizeof(word));
		if (has_special(word))
			break;
		at += sizeof(word);
	}
	while (at < text.size && is_plain(text.data[at]))
		at++;
	return at;
}

static void put_escape(struct buf *out, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	char letter = byte < sizeof(escape_letters) ? escape_letters[byte] : '\0';
	char escape[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 0xf] };

	if (letter == '\0') {
		buf_append(out, escape, sizeof(escape));
		return;
	}
	escape[1] = letter;
	buf_append(out, escape, 2);
}

void json_writer_quote(struct buf *out, struct slice text)
{
	size_t at = 0;

	buf_put_u8(out, '"');
	while (at < text.size) {
		size_t end = plain_end(text, at);

		buf_append(out, text.data + at, end - at);
		if (end < text.size)
			put_escape(out, text.data[end++]);
		at = end;
	}
	buf_put_u8(out, '"');
}

void json_writer_init(struct json_writer *writer, struct buf *out)
{
	*writer = (struct json_writer){ .out = out };
}

void json_writer_begin_value(struct json_writer *writer)
{
	if (writer->needs_comma)
		buf_put_u8(writer->out, ',');
	writer->needs_comma = true;
}

static void start(struct json_writer *writer, uint8_t bracket)
{
	json_writer_begin_value(writer);
	buf_put_u8(writer->out, bracket);
	writer->needs_comma = false;
}

static void end(struct json_writer *writer, uint8_t bracket)
{
	buf_put_u8(writer->out, bracket);
	writer->needs_comma = true;
}

void json_writer_object_start(struct json_writer *writer)
{
	start(writer, '{');
}

void json_writer_object_end(struct json_writer *writer)
{
	end(writer, '}');
}

void json_writer_list_start(struct json_writer *writer)
{
	start(writer, '[');
}

void json_writer_list_end(struct json_writer *writer)
{
	end(writer, ']');
}

void json_writer_name(struct json_writer *writer, struct slice name)
{
	json_writer_begin_value(writer);
	json_writer_quote(writer->out, name);
	buf_put_u8(writer->out, ':');
	writer->needs_comma = false;
}

void json_writer_string(struct json_writer *writer, struct slice text)
{
	json_writer_begin_value(writer);
	json_writer_quote(writer->out, text);
}

void json_writer_raw(struct json_writer *writer, struct slice json)
{
	json_writer_begin_value(writer);
	buf_append_slice(writer->out, json);
}

void json_writer_bool(struct json_writer *writer, bool is_true)
{
	json_writer_raw(writer, slice_of_string(is_true ? "true" : "false"));
}

void json_writer_null(struct json_writer *writer)
{
	json_writer_raw(writer, slice_of_string("null"));
}

void json_writer_int(struct json_writer *writer, int64_t value)
{
	json_writer_begin_value(writer);
	buf_append_format(writer->out, "%lld", (long long)value);
}

void json_writer_key(struct json_writer *writer, const char *name)
{
	json_writer_name(writer, slice_of_string(name));
}

void json_writer_member_string(struct json_writer *writer, const char *name, struct slice text)
{
	json_writer_key(writer, name);
	json_writer_string(writer, text);
}

void json_writer_member_text(struct json_writer *writer, const char *name, const char *text)
{
	json_writer_member_string(writer, name, slice_of_string(text));
}

void json_writer_member_bool(struct json_writer *writer, const char *name, bool is_true)
{
	json_writer_key(writer, name);
	json_writer_bool(writer, is_true);
}

void json_writer_member_int(struct json_writer *writer, const char *name, int64_t value)
{
	json_writer_key(writer, name);
	json_writer_int(writer, value);
}

void json_writer_member_raw(struct json_writer *writer, const char *name, struct slice json)
{
	json_writer_key(writer, name);
	json_writer_raw(writer, json);
}
