/* The texts that clients see when an expression or a legacy parameter is wrong, in one place.
 *
 * Clients and their tests compare them, so spacing and spelling are AWS's, mistakes included.
 * Texts of expressions follow "Invalid <parameter>: ", which expr_parse.c adds.
 *
 * Threads  constants only.
 * Source   answers of the service as public test suites and bug reports have captured them.
 */
#ifndef COORDINATOR_EXPR_EXPR_MESSAGE_H
#define COORDINATOR_EXPR_EXPR_MESSAGE_H

#define EXPR_INVALID_VALUES "One or more parameter values were invalid: "

/* The first pass. */
#define EXPR_MESSAGE_EMPTY       "The expression can not be empty;"
#define EXPR_MESSAGE_SIZE        "Expression size has exceeded the maximum allowed size; expression size: %zu"
#define EXPR_MESSAGE_SYNTAX      "Syntax error; token: \"%.*s\", near: \"%.*s\""
#define EXPR_MESSAGE_END         "<EOF>"
#define EXPR_MESSAGE_PARENTHESES "The expression has redundant parentheses;"
#define EXPR_MESSAGE_RESERVED    "Attribute name is a reserved keyword; reserved keyword: %.*s"
#define EXPR_MESSAGE_LIST_INDEX  "List index is not within the allowable range; index: [%.*s]"
#define EXPR_MESSAGE_FUNCTION    "Invalid function name; function: %.*s"
#define EXPR_MESSAGE_FUNCTION_PLACE                                                                          \
	"The function is not allowed to be used this way in an expression; function: %.*s"
#define EXPR_MESSAGE_FUNCTION_IN_CONDITION                                                                   \
	"The function is not allowed in a condition expression; function: %.*s"
#define EXPR_MESSAGE_FUNCTION_IN_UPDATE "The function is not allowed in an update expression; function: %.*s"
#define EXPR_MESSAGE_SECTION            "The \"%s\" section can only be used once in an update expression;"
#define EXPR_MESSAGE_OPERATORS          "The expression contains too many operators; operator count: %u"

/* The later passes. */
#define EXPR_MESSAGE_NAME                                                                                    \
	"An expression attribute name used in the document path is not defined; attribute name: %.*s"
#define EXPR_MESSAGE_VALUE                                                                                   \
	"An expression attribute value used in expression is not defined; attribute value: %.*s"
#define EXPR_MESSAGE_DEPTH "The document path has too many nesting levels; nesting levels: %u"
#define EXPR_MESSAGE_OVERLAP                                                                                 \
	"Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "  \
	"%s, path two: %s"
#define EXPR_MESSAGE_CONFLICT                                                                                \
	"Two document paths conflict with each other; must remove or rewrite one of these paths; path one: " \
	"%s, path two: %s"
#define EXPR_MESSAGE_OPERAND_COUNT                                                                           \
	"Incorrect number of operands for operator or function; operator or function: %s, number of "        \
	"operands: %u"
#define EXPR_MESSAGE_DISTINCT                                                                                \
	"The first operand must be distinct from the remaining operands for this operator or function; "     \
	"operator: %s, first operand: %s"
#define EXPR_MESSAGE_NEEDS_PATH "Operator or function requires a document path; operator or function: %s"
#define EXPR_MESSAGE_OPERAND_TYPE                                                                            \
	"Incorrect operand type for operator or function; operator or function: %s, operand type: %s"
#define EXPR_MESSAGE_ACTION_TYPE                                                                             \
	"Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: "         \
	"ALLOWED_FOR_%s_OPERAND"
#define EXPR_MESSAGE_ANY_TYPE "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
#define EXPR_MESSAGE_TYPE_NAME                                                                               \
	"Invalid attribute type name found; type: %.*s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
#define EXPR_MESSAGE_BETWEEN_TYPES                                                                           \
	"The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: "     \
	"AttributeValue: {%s}, upper bound operand: AttributeValue: {%s}"
#define EXPR_MESSAGE_BETWEEN_ORDER                                                                           \
	"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound " \
	"operand: AttributeValue: {%s}, upper bound operand: AttributeValue: {%s}"
#define EXPR_MESSAGE_IN_COUNT "The IN operator is provided with too many operands; number of operands: %u"

/* Placeholders: %s is ExpressionAttributeNames or ExpressionAttributeValues. */
#define EXPR_MESSAGE_MAP_EMPTY "%s must not be empty"
#define EXPR_MESSAGE_MAP_KEY   "%s contains invalid key: Syntax error; key: \"%.*s\""
#define EXPR_MESSAGE_MAP_KEY_SIZE                                                                            \
	"%s contains invalid key: The expression attribute map contains a key that is too long;"
#define EXPR_MESSAGE_MAP_NAME                                                                                \
	"ExpressionAttributeNames contains invalid value: Empty attribute name for key %.*s"
#define EXPR_MESSAGE_NAME_SIZE "Attribute name is too large, must be less than 65536 bytes"
#define EXPR_MESSAGE_MAP_NAME_SIZE                                                                           \
	"ExpressionAttributeNames contains invalid value: " EXPR_MESSAGE_NAME_SIZE " for key %.*s"
#define EXPR_MESSAGE_MAPS_SIZE                                                                               \
	"Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size"
#define EXPR_MESSAGE_MAP_SIZE      "%s exceeds max size"
#define EXPR_MESSAGE_UNUSED        "Value provided in %s unused in expressions: keys: {%s}"
#define EXPR_MESSAGE_COMPILED_SIZE "Expression size has exceeded the maximum allowed size;"

/* Key conditions. */
#define EXPR_MESSAGE_KEY_OPERATOR "Invalid operator used in KeyConditionExpression: %s"
#define EXPR_MESSAGE_KEY_NESTED   "KeyConditionExpressions cannot contain nested operations"
#define EXPR_MESSAGE_KEY_FIRST_OPERAND                                                                       \
	"Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first " \
	"operand"
#define EXPR_MESSAGE_KEY_TWO_NAMES                                                                           \
	"Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
#define EXPR_MESSAGE_KEY_NESTED_ATTRIBUTE                                                                    \
	"KeyConditionExpressions cannot have conditions on nested attributes"
#define EXPR_MESSAGE_KEY_NO_NAME     "Invalid condition in KeyConditionExpression: No key attribute specified"
#define EXPR_MESSAGE_KEY_TWICE       "KeyConditionExpressions must only contain one condition per key"
#define EXPR_MESSAGE_KEY_TERM_COUNT  "Conditions can be of length 1 or 2 only"
#define EXPR_MESSAGE_KEY_UNSUPPORTED "Query key condition not supported"
#define EXPR_MESSAGE_KEY_MISSED      "Query condition missed key schema element: %.*s"
#define EXPR_MESSAGE_KEY_HASH_EQUALITY                                                                       \
	"HASH key attributes %s must have equality conditions specified in the query"
#define EXPR_MESSAGE_KEY_RANGE_EQUALITY                                                                      \
	"RANGE key attributes %s must have equality conditions specified in the query because a condition "  \
	"is present on key attribute %.*s"
#define EXPR_MESSAGE_KEY_NOT_INDEXABLE "Attempted conditional constraint is not an indexable operation"
#define EXPR_MESSAGE_KEY_TYPE          EXPR_INVALID_VALUES "Condition parameter type does not match schema type"
#define EXPR_MESSAGE_KEY_EMPTY                                                                               \
	"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain " \
	"an empty %s value. Key: %.*s"

/* Key attributes in other expressions. */
#define EXPR_MESSAGE_KEY_UPDATE                                                                              \
	EXPR_INVALID_VALUES "Cannot update attribute %.*s. This attribute is part of the key"
#define EXPR_MESSAGE_KEY_SCALAR                                                                              \
	"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: "   \
	"%.*s"
#define EXPR_MESSAGE_FILTER_KEY "%s can only contain non-primary key attributes: Primary key attribute: %.*s"
#define EXPR_MESSAGE_INDEX_KEY_TYPE                                                                          \
	EXPR_INVALID_VALUES                                                                                  \
	"Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: %.*s"

/* Legacy parameters. */
#define EXPR_MESSAGE_MIXED                                                                                   \
	"Can not use both expression and non-expression parameters in the same request: Non-expression "     \
	"parameters: {%s} Expression parameters: {%s}"
#define EXPR_MESSAGE_NAMES_ALONE "ExpressionAttributeNames can only be specified when using expressions"
#define EXPR_MESSAGE_VALUES_ALONE                                                                            \
	"ExpressionAttributeValues can only be specified when using expressions: %s %s null"
#define EXPR_MESSAGE_OPERATOR_ALONE "ConditionalOperator cannot be used without Filter or Expected"
#define EXPR_MESSAGE_OPERATOR_FOR_ONE                                                                        \
	"ConditionalOperator can only be used when Filter or Expected has two or more elements"
#define EXPR_MESSAGE_BOTH_VALUES                                                                             \
	EXPR_INVALID_VALUES "Value and AttributeValueList cannot be used together for Attribute: %.*s"
#define EXPR_MESSAGE_BOTH_OPERATORS                                                                          \
	EXPR_INVALID_VALUES "Exists and ComparisonOperator cannot be used together for Attribute: %.*s"
#define EXPR_MESSAGE_NO_VALUES                                                                               \
	EXPR_INVALID_VALUES                                                                                  \
	"Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %.*s"
#define EXPR_MESSAGE_ARGUMENT_COUNT                                                                          \
	EXPR_INVALID_VALUES "Invalid number of argument(s) for the %s ComparisonOperator"
#define EXPR_MESSAGE_LIST_TYPES                                                                              \
	EXPR_INVALID_VALUES "AttributeValues inside AttributeValueList must be of same type"
#define EXPR_MESSAGE_LEGACY_TYPE                                                                             \
	EXPR_INVALID_VALUES "ComparisonOperator %s is not valid for %s AttributeValue type"
#define EXPR_MESSAGE_LEGACY_BETWEEN                                                                          \
	"The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
#define EXPR_MESSAGE_LIST_ALONE                                                                              \
	EXPR_INVALID_VALUES                                                                                  \
	"AttributeValueList can only be used with a ComparisonOperator for Attribute: %.*s"
#define EXPR_MESSAGE_EXISTS_NO_VALUE                                                                         \
	EXPR_INVALID_VALUES "Value must be provided when Exists is %s for Attribute: %.*s"
#define EXPR_MESSAGE_NOT_EXISTS_VALUE                                                                        \
	EXPR_INVALID_VALUES "Value cannot be used when Exists is false for Attribute: %.*s"
#define EXPR_MESSAGE_UPDATE_NO_VALUE                                                                         \
	EXPR_INVALID_VALUES "Only DELETE action is allowed when no attribute value is specified"
#define EXPR_MESSAGE_DELETE_TYPE                                                                             \
	EXPR_INVALID_VALUES "DELETE action with value is not supported for the type %s"
#define EXPR_MESSAGE_ADD_TYPE EXPR_INVALID_VALUES "ADD action is not supported for the type %s"
#define EXPR_MESSAGE_TWICE    EXPR_INVALID_VALUES "Duplicate value in attribute name: %.*s"

/* Updates that meet an item that they do not fit. */
#define EXPR_MESSAGE_MISSING_ATTRIBUTE                                                                       \
	"The provided expression refers to an attribute that does not exist in the item"
#define EXPR_MESSAGE_INVALID_PATH       "The document path provided in the update expression is invalid for update"
#define EXPR_MESSAGE_UPDATE_TYPE        "An operand in the update expression has an incorrect data type"
#define EXPR_MESSAGE_LEGACY_UPDATE_TYPE "Type mismatch for attribute to update"
#define EXPR_MESSAGE_ITEM_SIZE          "Item size to update has exceeded the maximum allowed size"
#define EXPR_MESSAGE_NESTING                                                                                 \
	"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "   \
	"supported limit"

#endif
