/* Paths that may not meet: in one update, or in one projection. */
#include <stdlib.h>

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"

/* Up to here each is compared with each, and the first in the text are named. */
enum { FEW_PATHS = 16 };

enum meeting { APART, OVERLAP, CONFLICT };

/* The same place, or one inside the other: overlap.  One place as a list and as a map: conflict. */
static enum meeting meet(ProtobufCBinaryData first, ProtobufCBinaryData second)
{
	struct slice a = expr_slice(first);
	struct slice b = expr_slice(second);
	struct expr_path_element x;
	struct expr_path_element y;

	if (a.size == 0 || b.size == 0)
		return APART; /* not defined: found already */
	while (expr_path_next(&a, &x) && expr_path_next(&b, &y)) {
		if ((x.name.data == NULL) != (y.name.data == NULL))
			return CONFLICT;
		if (x.index != y.index || !slice_equal(x.name, y.name))
			return APART;
	}
	return OVERLAP;
}

static void find_meeting(struct expr_parser *parser, enum meeting meeting, ProtobufCBinaryData first,
			 ProtobufCBinaryData second)
{
	const char *one = expr_parse_path_text(parser, first);
	const char *two = expr_parse_path_text(parser, second);

	if (meeting == OVERLAP)
		expr_parse_find(parser, EXPR_PASS_OVERLAP, 0, EXPR_MESSAGE_OVERLAP, one, two);
	else
		expr_parse_find(parser, EXPR_PASS_CONFLICT, 0, EXPR_MESSAGE_CONFLICT, one, two);
}

static void check_few(struct expr_parser *parser, const ProtobufCBinaryData *paths, uint32_t count)
{
	for (uint32_t j = 1; j < count; j++) {
		for (uint32_t i = 0; i < j; i++) {
			enum meeting meeting = meet(paths[i], paths[j]);

			if (meeting != APART)
				find_meeting(parser, meeting, paths[i], paths[j]);
			if (meeting == OVERLAP)
				return;
		}
	}
}

static int compare_paths(const void *left, const void *right)
{
	const ProtobufCBinaryData *const *a = left;
	const ProtobufCBinaryData *const *b = right;
	int order = slice_compare(expr_slice(**a), expr_slice(**b));

	return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* In the order of their bytes, paths that meet stand next to each other. */
static void check_many(struct expr_parser *parser, const ProtobufCBinaryData *paths, uint32_t count)
{
	const ProtobufCBinaryData **sorted = arena_alloc(parser->bind->arena, count * sizeof(*sorted));

	if (sorted == NULL) {
		parser->status = ST_NO_MEMORY;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = &paths[i];
	qsort(sorted, count, sizeof(*sorted), compare_paths);
	for (uint32_t i = 1; i < count; i++) {
		bool is_in_order = sorted[i - 1] < sorted[i];
		enum meeting meeting = meet(*sorted[i - 1], *sorted[i]);

		if (meeting != APART)
			find_meeting(parser, meeting, *sorted[i - is_in_order], *sorted[i - !is_in_order]);
		if (meeting == OVERLAP)
			return;
	}
}

void expr_paths_check(struct expr_parser *parser, const ProtobufCBinaryData *paths, uint32_t count)
{
	if (parser->status != ST_OK)
		return;
	if (count <= FEW_PATHS)
		check_few(parser, paths, count);
	else
		check_many(parser, paths, count);
}
