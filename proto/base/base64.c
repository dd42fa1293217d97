#include "proto/base/base64.h"

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_alphabet[] = "0123456789abcdef";

enum { SEXTET_BAD = 255, SEXTET_FIRST = '+' };

/* From '+' to 'z'. */
static const uint8_t sextets[] = {
	62,  255, 255, 255, 63, 52, 53, 54, 55,  56,  57,  58,  59,  60,  61, 255, 255, 255, 255, 255,
	255, 255, 0,   1,   2,  3,  4,  5,  6,   7,   8,   9,   10,  11,  12, 13,  14,  15,  16,  17,
	18,  19,  20,  21,  22, 23, 24, 25, 255, 255, 255, 255, 255, 255, 26, 27,  28,  29,  30,  31,
	32,  33,  34,  35,  36, 37, 38, 39, 40,  41,  42,  43,  44,  45,  46, 47,  48,  49,  50,  51,
};

static uint8_t sextet(uint8_t character)
{
	unsigned index = (unsigned)character - SEXTET_FIRST;

	return index < sizeof(sextets) ? sextets[index] : SEXTET_BAD;
}

static void encode_group(uint8_t *out, uint32_t bits)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)base64_alphabet[(bits >> (18 - 6 * i)) & 0x3f];
}

void base64_encode(struct buf *out, struct slice data)
{
	size_t tail_size = data.size % 3;
	size_t whole_size = data.size - tail_size;
	uint8_t *text;

	if (data.size == 0)
		return;
	if (data.size > SIZE_MAX / 2) {
		out->status = ST_TOO_BIG;
		return;
	}
	text = buf_extend(out, (data.size + 2) / 3 * 4);
	if (text == NULL)
		return;
	for (size_t i = 0; i < whole_size; i += 3, text += 4)
		encode_group(text, (uint32_t)data.data[i] << 16 | (uint32_t)data.data[i + 1] << 8 |
					   data.data[i + 2]);
	if (tail_size == 0)
		return;
	encode_group(text, (uint32_t)data.data[whole_size] << 16 |
				   (tail_size == 2 ? (uint32_t)data.data[whole_size + 1] << 8 : 0));
	text[3] = '=';
	if (tail_size == 1)
		text[2] = '=';
}

/* Decode four characters, of which the last pad_count are padding. */
static bool decode_group(uint8_t *out, const uint8_t *text, size_t pad_count)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		uint8_t value = i < 4 - pad_count ? sextet(text[i]) : 0;

		if (value == SEXTET_BAD)
			return false;
		bits = bits << 6 | value;
	}
	/* Bits that padding cuts off must be zero: each value has one spelling. */
	if (pad_count > 0 && (bits & ((1u << (8 * pad_count)) - 1)) != 0)
		return false;
	for (size_t i = 0; i < 3 - pad_count; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return true;
}

static size_t pad_count_of(struct slice text)
{
	if (text.data[text.size - 1] != '=')
		return 0;
	return text.data[text.size - 2] == '=' ? 2 : 1;
}

enum status base64_decode(struct buf *out, struct slice text)
{
	size_t pad_count;
	size_t start_size = out->size;
	uint8_t *data;

	if (text.size % 4 != 0)
		return ST_INVALID;
	if (text.size == 0)
		return out->status;
	pad_count = pad_count_of(text);
	data = buf_extend(out, text.size / 4 * 3 - pad_count);
	if (out->status != ST_OK)
		return out->status;
	for (size_t i = 0; i < text.size; i += 4, data += 3) {
		if (!decode_group(data, text.data + i, i + 4 == text.size ? pad_count : 0)) {
			out->size = start_size;
			return ST_INVALID;
		}
	}
	return ST_OK;
}

static void hex_write(uint8_t *out, const uint8_t *data, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++) {
		out[2 * i] = (uint8_t)hex_alphabet[data[i] >> 4];
		out[2 * i + 1] = (uint8_t)hex_alphabet[data[i] & 0x0f];
	}
}

void hex_encode(struct buf *out, struct slice data)
{
	uint8_t *text;

	if (data.size == 0)
		return;
	if (data.size > SIZE_MAX / 2) {
		out->status = ST_TOO_BIG;
		return;
	}
	text = buf_extend(out, 2 * data.size);
	if (text != NULL)
		hex_write(text, data.data, data.size);
}

void hex_encode_to(char *out, const uint8_t *data, size_t size_bytes)
{
	hex_write((uint8_t *)out, data, size_bytes);
	out[2 * size_bytes] = '\0';
}

static int nibble(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

enum status hex_decode(struct buf *out, struct slice text)
{
	size_t start_size = out->size;
	uint8_t *data;

	if (text.size % 2 != 0)
		return ST_INVALID;
	if (text.size == 0)
		return out->status;
	data = buf_extend(out, text.size / 2);
	if (out->status != ST_OK)
		return out->status;
	for (size_t i = 0; i < text.size; i += 2) {
		int high = nibble(text.data[i]);
		int low = nibble(text.data[i + 1]);

		if (high < 0 || low < 0) {
			out->size = start_size;
			return ST_INVALID;
		}
		data[i / 2] = (uint8_t)(high << 4 | low);
	}
	return ST_OK;
}
