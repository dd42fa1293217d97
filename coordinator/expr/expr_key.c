#include "coordinator/expr/expr_key.h"

#include <stdio.h>

#include "coordinator/expr/expr_message.h"
#include "proto/wire/expr_code.h"

/* BETWEEN has three. */
enum {
	OPERAND_COUNT_MAX = 3,
	TERM_COUNT_MAX = LIMIT_EXPRESSION_OPERATOR_COUNT,
	/* Names of key attributes, with what is between them. */
	UNEQUAL_SIZE_MAX = LIMIT_KEY_ATTRIBUTE_COUNT * (LIMIT_KEY_NAME_SIZE_BYTES + 2),
};

/* A part of the code that gives a truth value. */
struct part {
	uint32_t start;
	uint32_t end;
};

struct operand {
	struct slice path;  /* of a path */
	struct slice value; /* of a value */
	bool is_call;       /* size(...) */
};

struct leaf {
	enum expr_op op;
	uint32_t count;
	struct operand operands[OPERAND_COUNT_MAX];
};

struct reading {
	const Cleave__ExprCondition *condition;
	struct expr_key_terms *terms;
	struct expr_error *error;
	/* Parts not looked at yet, the next on top; there is an operator for each but the first. */
	struct part stack[LIMIT_EXPRESSION_OPERATOR_COUNT + 1];
	uint32_t depth;
	struct slice names[TERM_COUNT_MAX];
	uint32_t name_count;
};

static struct slice slice_of_data(ProtobufCBinaryData data)
{
	return slice_of(data.data, data.len);
}

static uint32_t number_at(const struct reading *r, uint32_t at)
{
	return get_u16_be(r->condition->code.data + at);
}

/* Bytes of the operation, without a span. */
static uint32_t operation_size(enum expr_op op)
{
	return op == EXPR_OP_PATH || op == EXPR_OP_VALUE || op == EXPR_OP_IN || op == EXPR_OP_AND ||
			       op == EXPR_OP_OR
		       ? 3
		       : 1;
}

/* Where the operation begins that the others of the part serve: the last one outside of spans. */
static uint32_t find_root(const struct reading *r, struct part part)
{
	uint32_t root = part.start;
	uint32_t at = part.start;

	while (at < part.end) {
		enum expr_op op = r->condition->code.data[at];

		root = at;
		at += operation_size(op);
		if (op == EXPR_OP_AND || op == EXPR_OP_OR)
			at += number_at(r, root + 1);
	}
	return root;
}

static const char *forbidden_name(enum expr_op op)
{
	switch (op) {
	case EXPR_OP_OR:
		return "OR";
	case EXPR_OP_NOT:
		return "NOT";
	case EXPR_OP_IN:
		return "IN";
	case EXPR_OP_NE:
		return "<>";
	case EXPR_OP_EXISTS:
		return "attribute_exists";
	case EXPR_OP_NOT_EXISTS:
		return "attribute_not_exists";
	case EXPR_OP_TYPE:
		return "attribute_type";
	case EXPR_OP_CONTAINS:
		return "contains";
	default:
		return NULL;
	}
}

static struct leaf read_leaf(const struct reading *r, struct part part, uint32_t root)
{
	struct leaf leaf = { .op = r->condition->code.data[root] };
	uint32_t at = part.start;

	while (at < root) {
		enum expr_op op = r->condition->code.data[at];

		if (op == EXPR_OP_SIZE) {
			leaf.operands[leaf.count - 1].is_call = true;
		} else {
			struct operand *operand = &leaf.operands[leaf.count++];
			uint32_t index = number_at(r, at + 1);

			if (op == EXPR_OP_PATH)
				operand->path = slice_of_data(r->condition->paths[index]);
			else
				operand->value = slice_of_data(r->condition->values[index]);
		}
		at += operation_size(op);
	}
	return leaf;
}

static bool is_path(const struct operand *operand)
{
	return operand->path.data != NULL && !operand->is_call;
}

/* Finds the one operand that is a key attribute. */
static bool find_name(struct reading *r, const struct leaf *leaf, uint32_t *index_out, struct slice *name_out)
{
	struct expr_path_element element;
	struct slice path;
	bool is_found = false;

	for (uint32_t i = 0; i < leaf->count; i++) {
		const struct operand *operand = &leaf->operands[i];

		if (operand->is_call) {
			expr_error_set(r->error, EXPR_MESSAGE_KEY_NESTED);
			return false;
		}
		if (!is_path(operand))
			continue;
		path = operand->path;
		if (is_found) {
			expr_error_set(r->error, EXPR_MESSAGE_KEY_TWO_NAMES);
			return false;
		}
		if (!expr_path_next(&path, &element) || path.size > 0) {
			expr_error_set(r->error, EXPR_MESSAGE_KEY_NESTED_ATTRIBUTE);
			return false;
		}
		is_found = true;
		*index_out = i;
		*name_out = element.name;
	}
	if (!is_found)
		expr_error_set(r->error, EXPR_MESSAGE_KEY_NO_NAME);
	return is_found;
}

/* is_turned: the value stood first. */
static enum expr_key_op key_op(enum expr_op op, bool is_turned)
{
	switch (op) {
	case EXPR_OP_LT:
		return is_turned ? EXPR_KEY_GT : EXPR_KEY_LT;
	case EXPR_OP_LE:
		return is_turned ? EXPR_KEY_GE : EXPR_KEY_LE;
	case EXPR_OP_GT:
		return is_turned ? EXPR_KEY_LT : EXPR_KEY_GT;
	case EXPR_OP_GE:
		return is_turned ? EXPR_KEY_LE : EXPR_KEY_GE;
	case EXPR_OP_BETWEEN:
		return EXPR_KEY_BETWEEN;
	case EXPR_OP_BEGINS_WITH:
		return EXPR_KEY_BEGINS_WITH;
	default:
		return EXPR_KEY_EQ;
	}
}

static void add_term(struct reading *r, const struct leaf *leaf, uint32_t name_index, struct slice name)
{
	struct expr_key_term term = { .name = name, .op = key_op(leaf->op, name_index != 0) };

	for (uint32_t i = 0; i < r->name_count; i++) {
		if (slice_equal(r->names[i], name)) {
			expr_error_set(r->error, EXPR_MESSAGE_KEY_TWICE);
			return;
		}
	}
	for (uint32_t i = 0; i < leaf->count; i++) {
		if (i != name_index)
			term.values[term.value_count++] = leaf->operands[i].value;
	}
	if (r->name_count < ARRAY_COUNT(r->terms->terms))
		r->terms->terms[r->name_count] = term;
	r->names[r->name_count++] = name;
}

static void take_leaf(struct reading *r, struct part part, uint32_t root)
{
	struct leaf leaf = read_leaf(r, part, root);
	const char *name_of_op = leaf.op == EXPR_OP_BETWEEN ? "BETWEEN" : "begins_with";
	uint32_t name_index;
	struct slice name;

	if ((leaf.op == EXPR_OP_BETWEEN || leaf.op == EXPR_OP_BEGINS_WITH) && !is_path(&leaf.operands[0]))
		expr_error_set(r->error, EXPR_MESSAGE_KEY_FIRST_OPERAND, name_of_op);
	else if (find_name(r, &leaf, &name_index, &name))
		add_term(r, &leaf, name_index, name);
}

static void push(struct reading *r, uint32_t start, uint32_t end)
{
	CHECK(r->depth < ARRAY_COUNT(r->stack));
	r->stack[r->depth++] = (struct part){ start, end };
}

/* An operator is looked at before what it joins. */
static void take_part(struct reading *r)
{
	struct part part = r->stack[--r->depth];
	uint32_t root = find_root(r, part);
	enum expr_op op = r->condition->code.data[root];

	if (forbidden_name(op) != NULL) {
		expr_error_set(r->error, EXPR_MESSAGE_KEY_OPERATOR, forbidden_name(op));
	} else if (op == EXPR_OP_AND) {
		push(r, root + 3, part.end);
		push(r, part.start, root);
	} else {
		take_leaf(r, part, root);
	}
}

enum status expr_key_read(const Cleave__ExprCondition *condition, struct expr_key_terms *terms_out,
			  struct expr_error *error)
{
	struct expr_key_terms terms = { .count = 0 };
	struct reading r;

	expr_error_init(error);
	r.condition = condition;
	r.terms = &terms;
	r.error = error;
	r.depth = 0;
	r.name_count = 0;
	push(&r, 0, (uint32_t)condition->code.len);
	while (r.depth > 0 && !expr_error_is_set(error))
		take_part(&r);
	if (r.name_count > ARRAY_COUNT(terms.terms))
		expr_error_set(error, EXPR_MESSAGE_KEY_TERM_COUNT);
	if (expr_error_is_set(error))
		return ST_INVALID;
	terms.count = r.name_count;
	*terms_out = terms;
	return ST_OK;
}

static const struct expr_key_term *find_term(const struct expr_key_terms *terms, struct slice name)
{
	for (uint32_t i = 0; i < terms->count; i++) {
		if (slice_equal(terms->terms[i].name, name))
			return &terms->terms[i];
	}
	return NULL;
}

static struct item_value value_of(struct slice encoded)
{
	struct item_iter iter = { .count_left = 1 };
	struct item_value value = { 0 };

	reader_init(&iter.reader, encoded);
	(void)item_next_value(&iter, &value); /* the bind's values are sound */
	return value;
}

static void check_values(const struct expr_key_term *term, const struct expr_key_attribute *key,
			 struct item_value *values_out, struct expr_error *error)
{
	for (uint32_t i = 0; i < term->value_count; i++) {
		values_out[i] = value_of(term->values[i]);
		if (values_out[i].type != key->type)
			expr_error_set(error, EXPR_MESSAGE_KEY_TYPE);
		else if (values_out[i].payload.size == 0)
			expr_error_set(error, EXPR_MESSAGE_KEY_EMPTY,
				       key->type == ITEM_S ? "string" : "binary", (int)key->name.size,
				       (const char *)key->name.data);
	}
}

static bool is_simple(const struct expr_key *key)
{
	return key->partition_count == 1 && key->sort_count <= 1;
}

static bool is_equality(const struct expr_key_term *term)
{
	return term != NULL && term->op == EXPR_KEY_EQ;
}

/* The attribute's term, checked, with its values; NULL if there is none. */
static const struct expr_key_term *match(const struct expr_key_terms *terms,
					 const struct expr_key_attribute *key, struct item_value *values_out,
					 struct expr_error *error)
{
	const struct expr_key_term *term = find_term(terms, key->name);

	if (term == NULL)
		return NULL;
	if (term->op == EXPR_KEY_UNUSABLE)
		expr_error_set(error, EXPR_MESSAGE_KEY_NOT_INDEXABLE);
	else
		check_values(term, key, values_out, error);
	return term;
}

static void refuse_missed(const struct expr_key_attribute *key, struct expr_error *error)
{
	expr_error_set(error, EXPR_MESSAGE_KEY_MISSED, (int)key->name.size, (const char *)key->name.data);
}

enum status expr_key_check_simple(const struct expr_key_terms *terms, struct expr_error *error)
{
	if (terms->count <= 2)
		return ST_OK;
	expr_error_set(error, EXPR_MESSAGE_KEY_TERM_COUNT);
	return ST_INVALID;
}

/* Those of the attributes that have no equality: "a, b"; empty if all have one. */
static void print_without_equality(const struct expr_key_terms *terms, const struct expr_key_attribute *keys,
				   uint32_t count, char out[UNEQUAL_SIZE_MAX])
{
	size_t size = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++) {
		struct slice name = keys[i].name;

		if (!is_equality(find_term(terms, name)))
			size += (size_t)snprintf(out + size, UNEQUAL_SIZE_MAX - size, "%s%.*s",
						 size == 0 ? "" : ", ", (int)name.size,
						 (const char *)name.data); /* there is room for all */
	}
}

/* --- the partition key --- */

/* Of the one attribute of a simple key the values are looked at before the operator. */
static void match_simple_partition(const struct expr_key_terms *terms, const struct expr_key_attribute *key,
				   struct item_value *value_out, struct expr_error *error)
{
	struct item_value values[2] = { 0 };
	const struct expr_key_term *term = match(terms, key, values, error);

	if (term == NULL)
		refuse_missed(key, error);
	else if (term->op != EXPR_KEY_EQ)
		expr_error_set(error, EXPR_MESSAGE_KEY_UNSUPPORTED);
	*value_out = values[0];
}

static void match_partition(const struct expr_key_terms *terms, const struct expr_key *key,
			    struct item_value *values_out, struct expr_error *error)
{
	char unequal[UNEQUAL_SIZE_MAX];

	print_without_equality(terms, key->attributes, key->partition_count, unequal);
	if (unequal[0] != '\0')
		expr_error_set(error, EXPR_MESSAGE_KEY_HASH_EQUALITY, unequal);
	for (uint32_t i = 0; !expr_error_is_set(error) && i < key->partition_count; i++)
		(void)match(terms, &key->attributes[i], &values_out[i],
			    error); /* there is one: an equality */
}

enum status expr_key_match_partition(const struct expr_key_terms *terms, const struct expr_key *key,
				     struct expr_key_query *query_out, struct expr_error *error)
{
	expr_error_init(error);
	query_out->equal_count = 0;
	query_out->sort_op = EXPR_KEY_NONE;
	query_out->sort_count = 0;
	if (is_simple(key) && expr_key_check_simple(terms, error) != ST_OK)
		return ST_INVALID;
	if (key->sort_count == 0 && terms->count > key->partition_count)
		expr_error_set(error, EXPR_MESSAGE_KEY_UNSUPPORTED);
	else if (is_simple(key))
		match_simple_partition(terms, &key->attributes[0], &query_out->partition[0], error);
	else
		match_partition(terms, key, query_out->partition, error);
	return expr_error_is_set(error) ? ST_INVALID : ST_OK;
}

/* --- the sort key --- */

/* How many sort attributes are given, from the first on; all but the last have an equality. */
static uint32_t count_given(const struct expr_key_terms *terms, const struct expr_key_attribute *sort,
			    uint32_t sort_count, struct expr_error *error)
{
	char unequal[UNEQUAL_SIZE_MAX];
	uint32_t given = 0;

	for (uint32_t i = 0; i < sort_count; i++) {
		struct slice name = sort[i].name;

		if (find_term(terms, name) == NULL)
			continue;
		print_without_equality(terms, sort, i, unequal);
		if (unequal[0] != '\0')
			expr_error_set(error, EXPR_MESSAGE_KEY_RANGE_EQUALITY, unequal, (int)name.size,
				       (const char *)name.data);
		given = i + 1;
	}
	return given;
}

enum status expr_key_match_sort(const struct expr_key_terms *terms, const struct expr_key *key,
				struct expr_key_query *query, struct expr_error *error)
{
	const struct expr_key_attribute *sort = key->attributes + key->partition_count;
	const struct expr_key_term *last = NULL;
	uint32_t given;

	expr_error_init(error);
	given = count_given(terms, sort, key->sort_count, error);
	if (!expr_error_is_set(error) && terms->count > key->partition_count + given) {
		/* There is a term on no key attribute. */
		if (given < key->sort_count)
			refuse_missed(&sort[given], error);
		else
			expr_error_set(error, EXPR_MESSAGE_KEY_UNSUPPORTED);
	}
	for (uint32_t i = 0; !expr_error_is_set(error) && i + 1 < given; i++)
		(void)match(terms, &sort[i], &query->equal[i], error); /* there is one: an equality */
	if (!expr_error_is_set(error) && given > 0)
		last = match(terms, &sort[given - 1], query->sort, error);
	if (expr_error_is_set(error))
		return ST_INVALID;
	if (last != NULL) {
		query->equal_count = given - 1;
		query->sort_op = last->op;
		query->sort_count = last->value_count;
	}
	return ST_OK;
}
