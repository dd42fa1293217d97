/* The texts that clients see, in one place.
 *
 * Clients and their tests compare them, so spacing and spelling are AWS's, mistakes included.
 *
 * Threads  constants only.
 * Source   answers of the service as public test suites have captured them; those that say
 *          "not supported yet" are our own.
 */
#ifndef COORDINATOR_API_API_MESSAGE_H
#define COORDINATOR_API_API_MESSAGE_H

#define API_INVALID_VALUES "One or more parameter values were invalid: "

/* Everywhere. */
#define API_MESSAGE_INTERNAL                                                                                 \
	"The request processing has failed because of an unknown error, exception or failure."
#define API_MESSAGE_UNKNOWN_OUTCOME "The request may or may not have taken effect"
#define API_MESSAGE_NO_SPACE                                                                                 \
	"The storage nodes of this item are out of disk space; writes are refused until there is room"
#define API_MESSAGE_NO_REPLICA        "No replica of the item's partition could be reached in time"
#define API_MESSAGE_NO_CATALOG        "The cluster's catalog could not be reached in time"
#define API_MESSAGE_NOT_SUPPORTED     API_INVALID_VALUES "%s is not supported yet"
#define API_MESSAGE_ARN_RESOURCE      "1 validation error detected: Invalid resource type in '%.*s'"
#define API_MESSAGE_ARN_REGION        "1 validation error detected: Invalid AWS region in '%.*s'"
#define API_MESSAGE_PARAMETER_MISSING "The parameter '%s' is required but was not present in the request"

/* Tables. */
#define API_MESSAGE_NOT_FOUND       "Requested resource not found"
#define API_MESSAGE_TABLE_NOT_FOUND "Requested resource not found: Table: %.*s not found"
#define API_MESSAGE_TABLE_EXISTS    "Table already exists: %.*s"
#define API_MESSAGE_TABLE_IN_USE    "Attempt to change a resource which is still in use: Table is being %s: %.*s"
#define API_MESSAGE_TABLE_PROTECTED                                                                          \
	"Resource cannot be deleted as it is currently protected against deletion. Disable deletion "        \
	"protection first."
#define API_MESSAGE_TABLE_LIMIT "Subscriber limit exceeded: There is a limit of %d tables per subscriber"
#define API_MESSAGE_TABLE_NAME_SIZE                                                                          \
	"TableName must be at least 3 characters long and at most 255 characters long"

/* CreateTable and UpdateTable: keys. */
#define API_MESSAGE_KEY_UNDEFINED "Invalid KeySchema: Some index key attribute have no definition"
#define API_MESSAGE_KEYS_UNDEFINED                                                                           \
	API_INVALID_VALUES "Some index key attributes are not defined in AttributeDefinitions. Keys: "       \
			   "%s, AttributeDefinitions: %s"
#define API_MESSAGE_DEFINITIONS_UNUSED                                                                       \
	API_INVALID_VALUES "Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s"
#define API_MESSAGE_DEFINITION_TWICE  "Attribute Name is duplicated: %.*s"
#define API_MESSAGE_FIRST_KEY_NO_HASH "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
#define API_MESSAGE_SECOND_KEY_NO_RANGE                                                                      \
	"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
#define API_MESSAGE_KEYS_EQUAL                                                                               \
	"Both the Hash Key and the Range Key element in the KeySchema have the same name"
#define API_MESSAGE_KEYS_SAME "The KeySchema contains multiple key attributes with the same name"
#define API_MESSAGE_KEYS_ORDER                                                                               \
	API_INVALID_VALUES "All HASH key attributes must precede RANGE key attributes in the KeySchema"
#define API_MESSAGE_KEYS_COUNT                                                                               \
	API_INVALID_VALUES "The KeySchema exceeds the maximum allowed number of %s key attributes"
#define API_MESSAGE_KEY_NAME API_INVALID_VALUES "A key attribute's name contains characters that it may not"
#define API_MESSAGE_DEFINITIONS_DIFFER                                                                       \
	API_INVALID_VALUES "Number of attributes in KeySchema does not exactly match number of attributes "  \
			   "defined in AttributeDefinitions"

/* CreateTable and UpdateTable: units and settings. */
#define API_MESSAGE_UNITS_WITH_ON_DEMAND                                                                     \
	API_INVALID_VALUES "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "         \
			   "BillingMode is PAY_PER_REQUEST"
#define API_MESSAGE_UNITS_MISSING                                                                            \
	API_INVALID_VALUES "ReadCapacityUnits and WriteCapacityUnits must both be specified when "           \
			   "BillingMode is PROVISIONED"
#define API_MESSAGE_UNITS_MISSING_UPDATE                                                                     \
	API_INVALID_VALUES "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
#define API_MESSAGE_UNITS_OUT_OF_BOUNDS       "Given value %lld for %s is out of bounds"
#define API_MESSAGE_UNITS_OUT_OF_BOUNDS_INDEX "Given value %lld for %s is out of bounds for index %.*s"
#define API_MESSAGE_UNITS_LIMIT                                                                              \
	"Subscriber limit exceeded: Provisioned throughput is limited to %d units of each kind per table"
#define API_MESSAGE_UNITS_UNCHANGED                                                                          \
	"The provisioned throughput for the %s%s will not change. The requested value equals the current "   \
	"value. Current ReadCapacityUnits provisioned for the %s: %lld. Requested ReadCapacityUnits: "       \
	"%lld. Current WriteCapacityUnits provisioned for the %s: %lld. Requested WriteCapacityUnits: "      \
	"%lld. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher "   \
	"limits."
#define API_MESSAGE_ON_DEMAND_WITH_UNITS                                                                     \
	API_INVALID_VALUES "%s for OnDemandThroughput cannot be specified when the table BillingMode is "    \
			   "PROVISIONED"
#define API_MESSAGE_ON_DEMAND_RANGE                                                                          \
	API_INVALID_VALUES "Requested %s for OnDemandThroughput for table is outside of valid range"
#define API_MESSAGE_UPDATE_EMPTY                                                                             \
	"At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "                          \
	"GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
#define API_MESSAGE_UPDATE_ALONE                                                                             \
	API_INVALID_VALUES "%s modification must be the only operation in the request"
#define API_MESSAGE_UPDATE_ON_DEMAND                                                                         \
	API_INVALID_VALUES                                                                                   \
	"OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
#define API_MESSAGE_CLASS                                                                                    \
	"Invalid table-class parameter provided. Please try again with a valid table-class value: "          \
	"[STANDARD, STANDARD_INFREQUENT_ACCESS]."
#define API_MESSAGE_STREAM_OFF_VIEW                                                                          \
	API_INVALID_VALUES "Table is being created with a stream disabled, UpdateViewType should not be "    \
			   "specified"
#define API_MESSAGE_STREAM_ON_VIEW                                                                           \
	API_INVALID_VALUES "Table is being created with a stream enabled, UpdateViewType is required"
#define API_MESSAGE_STREAM_NONE          "Table has no stream to disable: TableName: %s"
#define API_MESSAGE_ENCRYPTION_OFF       API_INVALID_VALUES "%s can not be specified if Enabled is false"
#define API_MESSAGE_ENCRYPTION_AES256    API_INVALID_VALUES "SSEType AES256 is not supported"
#define API_MESSAGE_ENCRYPTION_KEY       API_INVALID_VALUES "SSEType KMS is required if KMSMasterKeyId is specified"
#define API_MESSAGE_ENCRYPTION_SIZE      API_INVALID_VALUES "KMSMasterKeyId is not the name of a key"
#define API_MESSAGE_ENCRYPTED_BY_DEFAULT API_INVALID_VALUES "Table is already encrypted by default"
#define API_MESSAGE_ENCRYPTED_BY_KEY                                                                         \
	API_INVALID_VALUES "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId "       \
			   "parameter if you want to change Master Key"

/* Indexes. */
#define API_MESSAGE_INDEXES_EMPTY API_INVALID_VALUES "List of %s is empty"
#define API_MESSAGE_INDEX_TABLE_KEY                                                                          \
	API_INVALID_VALUES "Table KeySchema does not have a range key, which is required when specifying a " \
			   "LocalSecondaryIndex"
#define API_MESSAGE_INDEX_SORT_KEY                                                                           \
	API_INVALID_VALUES "Index KeySchema does not have a range key for index: %.*s"
#define API_MESSAGE_INDEX_PARTITION_KEY                                                                      \
	API_INVALID_VALUES "Index KeySchema does not have the same leading hash key as table KeySchema for " \
			   "index: %.*s. index hash key: %.*s, table hash key: %.*s"
#define API_MESSAGE_PROJECTION_UNKNOWN API_INVALID_VALUES "Unknown ProjectionType: null"
#define API_MESSAGE_PROJECTION_NAMES                                                                         \
	API_INVALID_VALUES "ProjectionType is %.*s, but NonKeyAttributes is specified"
#define API_MESSAGE_PROJECTION_NO_NAMES                                                                      \
	API_INVALID_VALUES "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
#define API_MESSAGE_PROJECTION_TWICE API_INVALID_VALUES "Duplicate element in NonKeyAttributes: %.*s"
#define API_MESSAGE_PROJECTION_LIMIT                                                                         \
	API_INVALID_VALUES "Number of NonKeyAttributes in all indexes exceeds the per-table limit of %d"
#define API_MESSAGE_INDEX_TWICE API_INVALID_VALUES "Duplicate index name: %.*s"
#define API_MESSAGE_INDEX_LOCAL_LIMIT                                                                        \
	API_INVALID_VALUES "Number of LocalSecondaryIndexes exceeds per-table limit of %d"
#define API_MESSAGE_INDEX_GLOBAL_LIMIT                                                                       \
	API_INVALID_VALUES "GlobalSecondaryIndex count exceeds the per-table limit of %d"
#define API_MESSAGE_INDEX_UNITS_MISSING                                                                      \
	API_INVALID_VALUES "ProvisionedThroughput is not specified for index: %.*s"
#define API_MESSAGE_INDEX_UNITS_ON_DEMAND                                                                    \
	API_INVALID_VALUES "ProvisionedThroughput should not be specified for index: %.*s when BillingMode " \
			   "is PAY_PER_REQUEST"
#define API_MESSAGE_INDEX_UNITS_UPDATE                                                                       \
	API_INVALID_VALUES "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: "   \
			   "%.*s when BillingMode is PAY_PER_REQUEST"
#define API_MESSAGE_INDEX_UNITS_NEEDED                                                                       \
	API_INVALID_VALUES "ProvisionedThroughput must be specified for index: %s"
#define API_MESSAGE_INDEX_UPDATE_EMPTY                                                                       \
	API_INVALID_VALUES "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "   \
			   "GlobalSecondaryIndexUpdate.Delete must not be null"
#define API_MESSAGE_INDEX_UPDATE_MANY                                                                        \
	API_INVALID_VALUES "Only one global secondary index action is allowed per "                          \
			   "GlobalSecondaryIndexUpdate object"
#define API_MESSAGE_INDEX_UPDATE_TWICE                                                                       \
	API_INVALID_VALUES "Only one global secondary index update per index is allowed simultaneously. "    \
			   "Index: %.*s"
#define API_MESSAGE_INDEX_UPDATE_UNITS                                                                       \
	"This operation cannot be performed with given input values. Please contact DynamoDB service team "  \
	"for more info: Action Blocked: IndexUpdate"
#define API_MESSAGE_INDEX_UPDATE_IOPS                                                                        \
	API_INVALID_VALUES "You cannot create or delete index while updating table IOPS"
#define API_MESSAGE_INDEX_ONE_ONLINE                                                                         \
	"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
#define API_MESSAGE_INDEX_EXISTS     "Attempting to create an index which already exists"
#define API_MESSAGE_INDEX_NOT_GLOBAL "Cannot %s an index that is not a GlobalSecondaryIndex: %.*s"
#define API_MESSAGE_INDEX_UNDEFINED  API_INVALID_VALUES "AttributeDefinitions is not specified for index: %.*s"
#define API_MESSAGE_INDEX_REDEFINED                                                                          \
	API_INVALID_VALUES "Attributes cannot be redefined. Please check that your attribute has the same "  \
			   "type as previously defined. Attribute: %.*s"

/* Tags. */
#define API_MESSAGE_ARN_MISSING "Invalid TableArn"
#define API_MESSAGE_ARN_INVALID "Invalid TableArn: Invalid ResourceArn provided as input %.*s"
#define API_MESSAGE_ARN_NO_TABLE                                                                             \
	API_INVALID_VALUES "Invalid resource arn provided, only table or stream is accepted. Provided "      \
			   "resource arn: %.*s"
#define API_MESSAGE_ARN_DENIED                                                                               \
	"User: arn:aws:iam::%s:root is not authorized to perform: dynamodb:%s on resource: %.*s"
#define API_MESSAGE_ARN_NOT_FOUND    "Requested resource not found: ResourcArn: %.*s not found"
#define API_MESSAGE_TAGS_MISSING     "Atleast one Tag needs to be provided as Input."
#define API_MESSAGE_TAG_KEYS_MISSING "Atleast one Tag Key needs to be provided as Input."
#define API_MESSAGE_TAGS_LIMIT       "Number of Tags exceed the current limit for the provided ResourceArn"
#define API_MESSAGE_TAG_RESERVED     "Tag Key cannot be prefixed with aws:, Key: %.*s"
#define API_MESSAGE_TAG_TWICE        "Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s"
#define API_MESSAGE_TAG_KEY          "The Tag Key provided is invalid, Key: %.*s"
#define API_MESSAGE_TAG_VALUE        "The Tag Value provided is invalid, Value: %.*s"
#define API_MESSAGE_NEXT_TOKEN       "The provided NextToken is invalid"

/* Items. */
#define API_MESSAGE_RETURN_VALUES "ReturnValues can only be ALL_OLD or NONE"
#define API_MESSAGE_ITEM_SIZE     "Item size has exceeded the maximum allowed size"
#define API_MESSAGE_CONDITION     "The conditional request failed"

/* Expressions. */
#define API_MESSAGE_VALUES_INVALID "ExpressionAttributeValues contains invalid value: %s for key %s"

/* BatchGetItem. */
#define API_MESSAGE_BATCH_DUPLICATES "Provided list of item keys contains duplicates"
#define API_MESSAGE_BATCH_TOO_MANY   "Too many items requested for the BatchGetItem call"

/* BatchWriteItem. */
#define API_MESSAGE_BATCH_WRITE_ONE                                                                          \
	"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "          \
	"supported datatypes"
#define API_MESSAGE_BATCH_WRITE_TOO_MANY "Too many items requested for the BatchWriteItem call"

/* Keys of indexes in what is written. */
#define API_MESSAGE_INDEX_KEY_TYPE                                                                           \
	API_INVALID_VALUES "Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s"
#define API_MESSAGE_INDEX_KEY_EMPTY                                                                          \
	"One or more parameter values are not valid. A value specified for a secondary index key is not "    \
	"supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: "    \
	"%s, "                                                                                               \
	"IndexKey: %s"
#define API_MESSAGE_INDEX_KEY_UPDATE_EMPTY                                                                   \
	"One or more parameter values are not valid. The update expression attempted to update a secondary " \
	"index key to a value that is not supported. The AttributeValue for a key attribute cannot contain " \
	"an empty %s value."
#define API_MESSAGE_INDEX_KEY_SIZE                                                                           \
	API_INVALID_VALUES "Size limit exceeded for Index Key %s Actual Size: %u bytes Max Size: %d bytes "  \
			   "IndexName: %s"
#define API_MESSAGE_COLLECTION_SIZE "Collection size exceeded."

/* Query and Scan. */
#define API_MESSAGE_KEY_CONDITION_MISSING                                                                    \
	"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
#define API_MESSAGE_TOTAL_SEGMENTS_MISSING                                                                   \
	"The TotalSegments parameter is required but was not present in the request when Segment parameter " \
	"is present"
#define API_MESSAGE_SEGMENT_MISSING                                                                          \
	"The Segment parameter is required but was not present in the request when parameter TotalSegments " \
	"is present"
#define API_MESSAGE_SEGMENT_TOO_HIGH                                                                         \
	"The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: "       \
	"%" PRId64 " is not less than TotalSegments: %" PRId64
#define API_MESSAGE_SELECT_NEEDS_ATTRIBUTES                                                                  \
	"Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
#define API_MESSAGE_SELECT_NEEDS_ATTRIBUTES_QUERY                                                            \
	"1 validation error detected: " API_MESSAGE_SELECT_NEEDS_ATTRIBUTES
#define API_MESSAGE_SELECT_WITH_ATTRIBUTES "Cannot specify the %s when choosing to get %s"
#define API_MESSAGE_SELECT_NEEDS_INDEX                                                                       \
	"ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
#define API_MESSAGE_INDEX_UNKNOWN     "The table does not have the specified index: %.*s"
#define API_MESSAGE_INDEX_BACKFILLING "Cannot read from backfilling global secondary index: %.*s"
#define API_MESSAGE_INDEX_CONSISTENT  "Consistent reads are not supported on global secondary indexes"
#define API_MESSAGE_INDEX_SELECT                                                                             \
	API_INVALID_VALUES "Select type ALL_ATTRIBUTES is not supported for global secondary index %s "      \
			   "because its projection type is not ALL"
#define API_MESSAGE_INDEX_ATTRIBUTES API_INVALID_VALUES "Global secondary index %s does not project [%s]"
#define API_MESSAGE_INDEX_FILTER                                                                             \
	API_INVALID_VALUES "Secondary index %s does not project one or more filter attributes: [%s]"
#define API_MESSAGE_START_KEY_INVALID "The provided starting key is invalid"
#define API_MESSAGE_START_KEY_OUTSIDE                                                                        \
	"The provided starting key is outside query boundaries based on provided conditions"
#define API_MESSAGE_START_KEY_PREDICATE "The provided starting key does not match the range key predicate"
#define API_MESSAGE_START_KEY_RESTART   "The query can return at most one row and cannot be restarted"
#define API_MESSAGE_START_KEY_SEGMENT                                                                        \
	API_MESSAGE_START_KEY_INVALID                                                                        \
	": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: "    \
	"%u Segment: %u"

#endif
