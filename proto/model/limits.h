/* Every limit of the API, and the internal bounds that follow from it.
 *
 * Threads  constants only.
 * Units    the name says it: _SIZE_BYTES, _COUNT, _DEPTH, ...  All limits are inclusive.
 * Source   "Quotas in Amazon DynamoDB", AWS's documentation.
 */
#ifndef PROTO_MODEL_LIMITS_H
#define PROTO_MODEL_LIMITS_H

#include <assert.h>

/* Requests. */
#define LIMIT_REQUEST_BODY_SIZE_BYTES  (16 * 1024 * 1024)
#define LIMIT_JSON_DEPTH               110 /* braces and brackets; 32 nested attribute lists need 69 */
#define LIMIT_ERROR_MESSAGE_SIZE_BYTES 4096

/* Items. */
#define LIMIT_ITEM_SIZE_BYTES           409600
#define LIMIT_PARTITION_KEY_SIZE_BYTES  2048
#define LIMIT_SORT_KEY_SIZE_BYTES       1024
#define LIMIT_KEY_NAME_SIZE_BYTES       255
#define LIMIT_ATTRIBUTE_NAME_SIZE_BYTES 65535
#define LIMIT_NESTING_DEPTH             32

/* In our encoding an attribute of one byte (a name of one byte, an empty string) takes
 * four, and that is the worst ratio; so no legal item is longer than this. */
#define LIMIT_ITEM_ENCODED_SIZE_BYTES (4 * LIMIT_ITEM_SIZE_BYTES + 64)

/* Numbers: 38 digits; the exponent is that of the first digit, as in 9.99E+125. */
#define LIMIT_NUMBER_DIGIT_COUNT  38
#define LIMIT_NUMBER_EXPONENT_MIN (-130)
#define LIMIT_NUMBER_EXPONENT_MAX 125

/* The key of a global index; any other key has one attribute of each kind. */
#define LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT 4
#define LIMIT_SORT_KEY_ATTRIBUTE_COUNT      4
#define LIMIT_KEY_ATTRIBUTE_COUNT           (LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT + LIMIT_SORT_KEY_ATTRIBUTE_COUNT)

/* Row keys: table id, token, then both keys with every byte escaped and a terminator each. */
#define LIMIT_ROW_KEY_HEAD_SIZE_BYTES       12
#define LIMIT_PARTITION_KEY_PART_SIZE_BYTES (2 * LIMIT_PARTITION_KEY_SIZE_BYTES + 2)
#define LIMIT_SORT_KEY_PART_SIZE_BYTES      (2 * LIMIT_SORT_KEY_SIZE_BYTES + 2)
#define LIMIT_ROW_KEY_SIZE_BYTES                                                                             \
	(LIMIT_ROW_KEY_HEAD_SIZE_BYTES + LIMIT_PARTITION_KEY_PART_SIZE_BYTES + LIMIT_SORT_KEY_PART_SIZE_BYTES)
/* Rows of indexes: the index key, of which each attribute may be as long as a table's, and the item's.
 * (A local index adds its number, and has less.) */
#define LIMIT_INDEX_ROW_KEY_SIZE_BYTES                                                                       \
	(LIMIT_ROW_KEY_SIZE_BYTES +                                                                          \
	 LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT * LIMIT_PARTITION_KEY_PART_SIZE_BYTES +                         \
	 LIMIT_SORT_KEY_ATTRIBUTE_COUNT * LIMIT_SORT_KEY_PART_SIZE_BYTES)

/* Tables. */
#define LIMIT_TABLE_NAME_SIZE_BYTES_MIN 3
#define LIMIT_TABLE_NAME_SIZE_BYTES_MAX 255
#define LIMIT_TABLE_COUNT               2500
#define LIMIT_LIST_TABLES_COUNT         100
#define LIMIT_LOCAL_INDEX_COUNT         5
#define LIMIT_GLOBAL_INDEX_COUNT        20
#define LIMIT_PROJECTED_ATTRIBUTE_COUNT 100
#define LIMIT_COLLECTION_SIZE_BYTES     (10ull * 1024 * 1024 * 1024) /* of a table with local indexes */
#define LIMIT_TABLE_CAPACITY_UNITS      40000
#define LIMIT_PARTITION_READ_UNITS      3000
#define LIMIT_PARTITION_WRITE_UNITS     1000
#define LIMIT_BURST_S                   300
#define LIMIT_DECREASES_PER_DAY_COUNT   27
#define LIMIT_TAG_COUNT                 50
#define LIMIT_TAG_KEY_SIZE              128 /* units of UTF-16 */
#define LIMIT_TAG_VALUE_SIZE            256

/* Many items at once. */
#define LIMIT_BATCH_GET_COUNT         100
#define LIMIT_BATCH_WRITE_COUNT       25
#define LIMIT_BATCH_SIZE_BYTES        (16 * 1024 * 1024)
#define LIMIT_TRANSACTION_COUNT       100
#define LIMIT_TRANSACTION_SIZE_BYTES  (4 * 1024 * 1024)
#define LIMIT_CLIENT_TOKEN_SIZE_BYTES 36
#define LIMIT_PAGE_SIZE_BYTES         (1024 * 1024)
#define LIMIT_SCAN_SEGMENT_COUNT      1000000
#define LIMIT_ATTRIBUTES_TO_GET_COUNT 255

/* Expressions. */
#define LIMIT_EXPRESSION_SIZE_BYTES     4096
#define LIMIT_PLACEHOLDER_SIZE_BYTES    255
#define LIMIT_SUBSTITUTIONS_SIZE_BYTES  (2 * 1024 * 1024)
#define LIMIT_EXPRESSION_OPERATOR_COUNT 300
#define LIMIT_IN_OPERAND_COUNT          100
#define LIMIT_LIST_INDEX                2147483647
/* Compiled, with all names and values in their places. */
#define LIMIT_EXPRESSION_COMPILED_SIZE_BYTES (4 * 1024 * 1024)
#define LIMIT_EXPRESSION_CODE_SIZE_BYTES     (4 * LIMIT_EXPRESSION_SIZE_BYTES)
/* Values that wait for an operator: each but the first is there for an operator of its own. */
#define LIMIT_EXPRESSION_STACK_COUNT (LIMIT_EXPRESSION_OPERATOR_COUNT + 2)

/* Capacity arithmetic. */
#define LIMIT_READ_UNIT_SIZE_BYTES  4096
#define LIMIT_WRITE_UNIT_SIZE_BYTES 1024

_Static_assert(LIMIT_ITEM_SIZE_BYTES == 400 * 1024, "an item is 400 KiB");
_Static_assert(LIMIT_ITEM_SIZE_BYTES % LIMIT_READ_UNIT_SIZE_BYTES == 0, "the largest read is whole units");
_Static_assert(LIMIT_ITEM_SIZE_BYTES % LIMIT_WRITE_UNIT_SIZE_BYTES == 0, "the largest write is whole units");
_Static_assert(LIMIT_PARTITION_KEY_SIZE_BYTES + LIMIT_SORT_KEY_SIZE_BYTES < LIMIT_ITEM_SIZE_BYTES,
	       "a key fits into an item");
_Static_assert(LIMIT_KEY_NAME_SIZE_BYTES < LIMIT_ATTRIBUTE_NAME_SIZE_BYTES, "key names are attribute names");
_Static_assert(LIMIT_ITEM_ENCODED_SIZE_BYTES < LIMIT_REQUEST_BODY_SIZE_BYTES, "a request can carry an item");
_Static_assert(LIMIT_NUMBER_EXPONENT_MAX - LIMIT_NUMBER_EXPONENT_MIN == 255, "the exponent is one byte");
_Static_assert(LIMIT_JSON_DEPTH > 2 * LIMIT_NESTING_DEPTH + 8,
	       "the API's depth error comes before the parser's");
_Static_assert(LIMIT_TABLE_NAME_SIZE_BYTES_MIN < LIMIT_TABLE_NAME_SIZE_BYTES_MAX, "table names");
_Static_assert(LIMIT_EXPRESSION_STACK_COUNT > LIMIT_IN_OPERAND_COUNT + 1,
	       "IN's operands lie on the stack at once");
_Static_assert(LIMIT_EXPRESSION_CODE_SIZE_BYTES < 65536, "a jump is 16 bits");
_Static_assert(LIMIT_BATCH_SIZE_BYTES <= LIMIT_REQUEST_BODY_SIZE_BYTES, "a batch is one request");

#endif
