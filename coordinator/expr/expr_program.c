#include "coordinator/expr/expr_program.h"

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"
#include "proto/wire/proto_borrow.h"

enum { CAPACITY_MIN = 16 };

void expr_program_init(struct expr_program *program, struct arena *arena)
{
	*program = (struct expr_program){ .arena = arena };
}

/* Room for one more element, wherever it may come to lie. */
static void *grow(struct expr_program *program, void *array, uint32_t count, uint32_t *capacity,
		  size_t element_size)
{
	uint32_t wanted = count < CAPACITY_MIN ? CAPACITY_MIN : 2 * count;
	void *larger;

	if (count < *capacity || program->status != ST_OK)
		return array;
	larger = arena_alloc(program->arena, wanted * element_size);
	if (larger == NULL) {
		program->status = ST_NO_MEMORY;
		return array;
	}
	if (count > 0)
		memcpy(larger, array, count * element_size);
	*capacity = wanted;
	return larger;
}

static uint32_t add(struct expr_program *program, ProtobufCBinaryData **array, uint32_t *count,
		    uint32_t *capacity, ProtobufCBinaryData data)
{
	if (*count > UINT16_MAX)
		program->status = ST_TOO_BIG;
	*array = grow(program, *array, *count, capacity, sizeof(**array));
	if (program->status != ST_OK)
		return 0;
	(*array)[*count] = data;
	return (*count)++;
}

uint32_t expr_program_name(struct expr_program *program, struct slice name)
{
	ProtobufCBinaryData path = { 0, NULL };
	enum status status = expr_parse_path_of_name(program->arena, name, &path);

	if (program->status == ST_OK)
		program->status = status;
	return add(program, &program->paths, &program->path_count, &program->path_capacity, path);
}

uint32_t expr_program_value(struct expr_program *program, struct slice value)
{
	return add(program, &program->values, &program->value_count, &program->value_capacity,
		   proto_borrow_bytes(value));
}

static void put_byte(struct expr_program *program, uint8_t byte)
{
	if (program->code_size == LIMIT_EXPRESSION_CODE_SIZE_BYTES)
		program->status = ST_TOO_BIG;
	program->code = grow(program, program->code, program->code_size, &program->code_capacity, 1);
	if (program->status == ST_OK)
		program->code[program->code_size++] = byte;
}

void expr_program_put(struct expr_program *program, enum expr_op op)
{
	put_byte(program, (uint8_t)op);
}

void expr_program_put_number(struct expr_program *program, uint32_t number)
{
	put_byte(program, (uint8_t)(number >> 8));
	put_byte(program, (uint8_t)number);
}

void expr_program_put_index(struct expr_program *program, enum expr_op op, uint32_t index)
{
	expr_program_put(program, op);
	expr_program_put_number(program, index);
}

size_t expr_program_begin_span(struct expr_program *program, enum expr_op op)
{
	expr_program_put_index(program, op, 0);
	return program->code_size - 2;
}

void expr_program_end_span(struct expr_program *program, size_t place)
{
	if (program->status == ST_OK)
		put_u16_be(program->code + place, (uint16_t)(program->code_size - place - 2));
}

static enum status finish(const struct expr_program *program, struct expr_error *error)
{
	if (program->status == ST_INVALID)
		expr_error_set(error, EXPR_MESSAGE_NAME_SIZE);
	else if (program->status == ST_TOO_BIG)
		expr_error_set(error, EXPR_MESSAGE_COMPILED_SIZE);
	return program->status == ST_TOO_BIG ? ST_INVALID : program->status;
}

enum status expr_program_condition(struct expr_program *program, Cleave__ExprCondition **condition_out,
				   struct expr_error *error)
{
	Cleave__ExprCondition *condition = arena_alloc(program->arena, sizeof(*condition));

	if (program->status != ST_OK)
		return finish(program, error);
	if (condition == NULL)
		return ST_NO_MEMORY;
	cleave__expr_condition__init(condition);
	condition->n_paths = program->path_count;
	condition->paths = program->paths;
	condition->n_values = program->value_count;
	condition->values = program->values;
	condition->code = (ProtobufCBinaryData){ program->code_size, program->code };
	*condition_out = condition;
	return ST_OK;
}

enum status expr_program_update(struct expr_program *program, Cleave__ExprUpdate **update_out,
				struct expr_error *error)
{
	Cleave__ExprUpdate *update = arena_alloc(program->arena, sizeof(*update));

	if (program->status != ST_OK)
		return finish(program, error);
	if (update == NULL)
		return ST_NO_MEMORY;
	cleave__expr_update__init(update);
	update->n_paths = program->path_count;
	update->paths = program->paths;
	update->n_values = program->value_count;
	update->values = program->values;
	update->code = (ProtobufCBinaryData){ program->code_size, program->code };
	*update_out = update;
	return ST_OK;
}
