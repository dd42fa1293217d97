/* A request's head from arbitrary bytes: what passes has one reading.
 *
 * The verdict must not change with what follows the head, and of what passes we take the lines
 * apart again in the simplest way: no line may hold a bare CR or LF, and a name comes at once. */
#include "coordinator/http/http_head.h"

enum { INPUT_SIZE_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t head_size(struct slice input)
{
	const uint8_t *end = memmem(input.data + 2, input.size - 2, "\r\n\r\n", 4);

	CHECK(end != NULL); /* what passed has an end */
	return (size_t)(end - input.data) + 4;
}

static void check_lines(struct slice head)
{
	for (size_t i = 0; i < head.size; i++) {
		CHECK(head.data[i] != '\0');
		CHECK(head.data[i] != '\r' || head.data[i + 1] == '\n');
		CHECK(head.data[i] != '\n' || head.data[i - 1] == '\r');
		CHECK(i < 4 || head.data[i - 1] != '\n' || (head.data[i] != ' ' && head.data[i] != '\t'));
	}
}

static void check_same(const struct http_head *a, const struct http_head *b)
{
	CHECK(slice_equal(a->content_length, b->content_length));
	CHECK(slice_equal(a->transfer_encoding, b->transfer_encoding));
	CHECK(a->content_length.data == NULL || a->transfer_encoding.data == NULL);
	for (size_t i = 0; i < a->content_length.size; i++)
		CHECK(a->content_length.data[i] >= '0' && a->content_length.data[i] <= '9');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);
	struct http_head head;
	struct http_head alone;

	if (size > INPUT_SIZE_MAX)
		return 0;
	(void)http_head_is_complete(input);
	(void)http_head_method_is_valid(input);
	(void)http_head_target_is_valid(input, slice_of_string("OPTIONS"));
	(void)http_head_host_is_valid(input);
	(void)http_head_value_is_valid(input);
	if (http_head_check(input, &head) != ST_OK)
		return 0;
	CHECK(http_head_is_complete(input));
	input.size = head_size(input);
	CHECK(http_head_check(input, &alone) == ST_OK);
	check_same(&head, &alone);
	check_lines(input);
	input.size--;
	CHECK(http_head_check(input, &alone) == ST_INVALID);
	return 0;
}
