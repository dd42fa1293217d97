/* A compiled form put together piece by piece, for what did not come as text.
 *
 * Threads  a program belongs to one thread.
 * Memory   everything lies in the arena; values are borrowed.
 * Errors   program.status sticks: ST_NO_MEMORY, ST_TOO_BIG; told at the end.
 */
#ifndef COORDINATOR_EXPR_EXPR_PROGRAM_H
#define COORDINATOR_EXPR_EXPR_PROGRAM_H

#include "coordinator/expr/expr_error.h"
#include "proto/base/arena.h"
#include "proto/wire/expr.pb-c.h"
#include "proto/wire/expr_code.h"

struct expr_program {
	struct arena *arena;
	enum status status;
	ProtobufCBinaryData *paths;
	ProtobufCBinaryData *values;
	uint8_t *code;
	uint32_t path_count;
	uint32_t value_count;
	uint32_t code_size;
	uint32_t path_capacity;
	uint32_t value_capacity;
	uint32_t code_capacity;
};

void expr_program_init(struct expr_program *program, struct arena *arena);
/* The index of a path that is a name, or of an encoded value. */
uint32_t expr_program_name(struct expr_program *program, struct slice name);
uint32_t expr_program_value(struct expr_program *program, struct slice value);
void expr_program_put(struct expr_program *program, enum expr_op op);
void expr_program_put_number(struct expr_program *program, uint32_t number);
void expr_program_put_index(struct expr_program *program, enum expr_op op, uint32_t index);
/* op: EXPR_OP_AND or EXPR_OP_OR; the place to end the span by. */
size_t expr_program_begin_span(struct expr_program *program, enum expr_op op);
void expr_program_end_span(struct expr_program *program, size_t place);
enum status expr_program_condition(struct expr_program *program, Cleave__ExprCondition **condition_out,
				   struct expr_error *error) MUST_CHECK;
enum status expr_program_update(struct expr_program *program, Cleave__ExprUpdate **update_out,
				struct expr_error *error) MUST_CHECK;

#endif
