/* The layout of compiled expressions (expr.proto): document paths and postfix code.
 *
 *   path   elements, the first of them a name; each delimits itself, so paths sorted by bytes
 *          have those with a common beginning next to each other, lists by ascending index
 *            name   01, size u16 be, bytes
 *            index  02, u32 be
 *   code   operations: one byte, then what it says below; all numbers u16 be
 *
 * Operands lie on a stack; there is one truth value.  AND, OR and IF_EXISTS jump forward over
 * what need not be run: their span, the code of the right side, is length bytes long, and spans
 * are nested.  A condition ends with a truth value and an empty stack; an update with neither.
 *
 * Threads  pure functions.
 * Memory   views borrow from the path.
 * Errors   expr_path_next() gives false at the end and on bad bytes: expr_path_is_valid() tells.
 */
#ifndef PROTO_WIRE_EXPR_CODE_H
#define PROTO_WIRE_EXPR_CODE_H

#include "proto/base/bytes.h"
#include "proto/model/limits.h"

/* These values are sent: never renumber. */
enum expr_op {
	/* Operands.  A path that leads nowhere pushes "missing". */
	EXPR_OP_PATH = 1,  /* path: push what lies there */
	EXPR_OP_VALUE = 2, /* value: push it */
	EXPR_OP_SIZE = 3,  /* replace an operand by its size */

	/* Conditions: pop operands, give the truth value. */
	EXPR_OP_EQ = 16,
	EXPR_OP_NE = 17,
	EXPR_OP_LT = 18,
	EXPR_OP_LE = 19,
	EXPR_OP_GT = 20,
	EXPR_OP_GE = 21,
	EXPR_OP_BETWEEN = 22, /* pop three */
	EXPR_OP_IN = 23,      /* count: pop that many candidates and one more */
	EXPR_OP_EXISTS = 24,
	EXPR_OP_NOT_EXISTS = 25,
	EXPR_OP_TYPE = 26, /* pop an operand and a type's name */
	EXPR_OP_BEGINS_WITH = 27,
	EXPR_OP_CONTAINS = 28,

	/* Truth values. */
	EXPR_OP_NOT = 40,
	EXPR_OP_AND = 41, /* length: if true, the span decides; else jump */
	EXPR_OP_OR = 42,  /* length: if false, the span decides; else jump */

	/* Operands of SET. */
	EXPR_OP_IF_EXISTS = 60, /* path, length: if there push it and jump; else the span pushes */
	EXPR_OP_PLUS = 61,
	EXPR_OP_MINUS = 62,
	EXPR_OP_LIST_APPEND = 63,

	/* Actions. */
	EXPR_OP_SET = 80,    /* path: pop an operand */
	EXPR_OP_REMOVE = 81, /* path */
	EXPR_OP_ADD = 82,    /* path, value */
	EXPR_OP_DELETE = 83, /* path, value */
};

/* EXPR_UPDATE_ERROR(INVALID_PATH) is a value of Cleave__ExprUpdateError (expr.pb-c.h). */
#define EXPR_UPDATE_ERROR(name) CLEAVE__EXPR_UPDATE_ERROR__EXPR_UPDATE_##name

enum {
	EXPR_PATH_NAME = 1,
	EXPR_PATH_INDEX = 2,
	EXPR_PATH_NAME_HEAD_SIZE = 3,
	EXPR_PATH_INDEX_SIZE = 5,
};

struct expr_path_element {
	struct slice name; /* of a name; an index has .data == NULL */
	uint32_t index;
};

/* Cut the first element off path. */
static inline bool expr_path_next(struct slice *path, struct expr_path_element *element_out)
{
	size_t size;

	if (path->size >= EXPR_PATH_NAME_HEAD_SIZE && path->data[0] == EXPR_PATH_NAME) {
		size = EXPR_PATH_NAME_HEAD_SIZE + (size_t)get_u16_be(path->data + 1);
		if (size > path->size)
			return false;
		element_out->name = slice_of(path->data + EXPR_PATH_NAME_HEAD_SIZE,
					     size - EXPR_PATH_NAME_HEAD_SIZE);
		element_out->index = 0;
	} else if (path->size >= EXPR_PATH_INDEX_SIZE && path->data[0] == EXPR_PATH_INDEX) {
		size = EXPR_PATH_INDEX_SIZE;
		element_out->name = slice_of(NULL, 0);
		element_out->index = get_u32_be(path->data + 1);
	} else {
		return false;
	}
	*path = slice_of(path->data + size, path->size - size);
	return true;
}

static inline bool expr_path_is_valid(struct slice path)
{
	struct expr_path_element element;
	uint32_t depth = 0;

	if (path.size == 0 || path.data[0] != EXPR_PATH_NAME)
		return false;
	while (expr_path_next(&path, &element)) {
		if (++depth > LIMIT_NESTING_DEPTH)
			return false;
	}
	return path.size == 0;
}

#endif
