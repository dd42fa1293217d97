#include "coordinator/auth/sigv4_claim.h"

#include <strings.h>

static const char *const error_types[] = {
	[SIGV4_OK] = "",
	[SIGV4_MISSING_TOKEN] = "com.amazon.coral.service#MissingAuthenticationTokenException",
	[SIGV4_INCOMPLETE] = "com.amazon.coral.service#IncompleteSignatureException",
	[SIGV4_INVALID] = "com.amazon.coral.service#InvalidSignatureException",
	[SIGV4_UNRECOGNIZED_CLIENT] = "com.amazon.coral.service#UnrecognizedClientException",
	[SIGV4_EXPIRED_TOKEN] = "com.amazon.coral.service#ExpiredTokenException",
	[SIGV4_INTERNAL] = "com.amazonaws.dynamodb.v20120810#InternalServerError",
};

const char *sigv4_error_type(enum sigv4_error error)
{
	CHECK(error <= SIGV4_INTERNAL);
	return error_types[error];
}

static bool is_space(uint8_t character)
{
	return character == ' ' || character == '\t';
}

struct slice sigv4_trim(struct slice text)
{
	while (text.size > 0 && is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool sigv4_split(struct slice *rest, char separator, struct slice *part_out)
{
	const uint8_t *end;

	if (rest->size == 0)
		return false;
	end = memchr(rest->data, separator, rest->size);
	if (end == NULL) {
		*part_out = *rest;
		*rest = (struct slice){ NULL, 0 };
		return true;
	}
	*part_out = slice_of(rest->data, (size_t)(end - rest->data));
	*rest = slice_of(end + 1, rest->size - part_out->size - 1);
	return true;
}

void sigv4_quote(struct buf *message, struct slice text)
{
	size_t size = text.size < SIGV4_QUOTE_SIZE_MAX ? text.size : SIGV4_QUOTE_SIZE_MAX;

	for (size_t i = 0; i < size; i++)
		buf_put_u8(message, text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
}

static bool text_is(struct slice text, const char *expected)
{
	return slice_equal(text, slice_of_string(expected));
}

const struct sigv4_header *sigv4_request_header(const struct sigv4_request *request, const char *name)
{
	struct slice wanted = slice_of_string(name);

	for (size_t i = 0; i < request->header_count; i++) {
		if (slice_equal(request->headers[i].name, wanted))
			return &request->headers[i];
	}
	return NULL;
}

bool sigv4_claim_signs(const struct sigv4_claim *claim, const char *name)
{
	struct slice rest = claim->signed_headers;
	struct slice part;
	size_t name_size = strlen(name);

	while (sigv4_split(&rest, ';', &part)) {
		if (part.size == name_size && strncasecmp((const char *)part.data, name, name_size) == 0)
			return true;
	}
	return false;
}

static int hex_digit(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

int sigv4_unescape(struct slice text, size_t index)
{
	int high;
	int low;

	if (text.data[index] != '%' || text.size - index < 3)
		return -1;
	high = hex_digit(text.data[index + 1]);
	low = hex_digit(text.data[index + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* In place: what is not a full escape stays as it is. */
static size_t percent_decode(uint8_t *text, size_t size)
{
	size_t decoded_size = 0;

	for (size_t i = 0; i < size; i++) {
		int byte = sigv4_unescape(slice_of(text, size), i);

		text[decoded_size++] = byte >= 0 ? (uint8_t)byte : text[i];
		if (byte >= 0)
			i += 2;
	}
	return decoded_size;
}

/* The decoded value of the first query parameter of that name: data is NULL if there is
 * none.  False when out of memory. */
static bool query_value(const struct sigv4_request *request, struct arena *arena, const char *name,
			struct slice *value_out)
{
	struct slice rest = request->query;
	struct slice pair;

	*value_out = (struct slice){ NULL, 0 };
	while (sigv4_split(&rest, '&', &pair)) {
		struct slice value = pair;
		struct slice key = { NULL, 0 };
		uint8_t *copy;

		(void)sigv4_split(&value, '=', &key); /* an empty pair has an empty key */
		if (!text_is(key, name))
			continue;
		copy = arena_copy(arena, value);
		if (copy == NULL)
			return false;
		*value_out = slice_of(copy, percent_decode(copy, value.size));
		return true;
	}
	return true;
}

static void require(struct buf *message, bool is_present, const char *before, const char *name,
		    const char *after)
{
	if (!is_present)
		buf_append_format(message, "%s'%s'%s", before, name, after);
}

static enum sigv4_error read_query(const struct sigv4_request *request, struct arena *arena,
				   struct buf *message, struct sigv4_claim *claim)
{
	const struct {
		const char *name;
		struct slice *value;
		bool is_required;
	} parameters[] = {
		{ "X-Amz-Algorithm", &claim->algorithm, true },
		{ "X-Amz-Credential", &claim->credential, true },
		{ "X-Amz-Signature", &claim->signature, true },
		{ "X-Amz-SignedHeaders", &claim->signed_headers, true },
		{ "X-Amz-Date", &claim->date, true },
		{ "X-Amz-Expires", &claim->expires, false },
		{ "X-Amz-Security-Token", &claim->security_token, false },
	};
	size_t start_size = message->size;

	claim->is_presigned = true;
	for (size_t i = 0; i < ARRAY_COUNT(parameters); i++) {
		if (!query_value(request, arena, parameters[i].name, parameters[i].value))
			return SIGV4_INTERNAL;
		require(message, !parameters[i].is_required || parameters[i].value->size > 0,
			"AWS query-string parameters must include ", parameters[i].name, ". ");
	}
	if (message->size == start_size)
		return SIGV4_OK;
	buf_append_string(message, "Re-examine the query-string parameters.");
	return SIGV4_INCOMPLETE;
}

/* Set the field that "Key=value" names; false if there is no equals sign. */
static bool take_pair(struct sigv4_claim *claim, struct slice pair)
{
	const uint8_t *equals = memchr(pair.data, '=', pair.size);
	struct slice key;
	struct slice value;

	if (equals == NULL)
		return false;
	key = slice_of(pair.data, (size_t)(equals - pair.data));
	value = slice_of(equals + 1, pair.size - key.size - 1);
	if (text_is(key, "Credential"))
		claim->credential = value;
	else if (text_is(key, "Signature"))
		claim->signature = value;
	else if (text_is(key, "SignedHeaders"))
		claim->signed_headers = value;
	return true;
}

static enum sigv4_error read_pairs(struct slice authorization, struct buf *message, struct sigv4_claim *claim)
{
	struct slice rest = authorization;
	struct slice group;
	struct slice pair;

	(void)sigv4_split(&rest, ' ', &claim->algorithm); /* the header is not empty here */
	while (sigv4_split(&rest, ',', &group)) {
		while (sigv4_split(&group, ' ', &pair)) {
			pair = sigv4_trim(pair);
			if (pair.size == 0 || take_pair(claim, pair))
				continue;
			buf_append_string(message, "'");
			sigv4_quote(message, pair);
			buf_append_string(message, "' not a valid key=value pair (missing equal-sign) in "
						   "Authorization header: '");
			sigv4_quote(message, authorization);
			buf_append_string(message, "'.");
			return SIGV4_INCOMPLETE;
		}
	}
	return SIGV4_OK;
}

static enum sigv4_error read_header(const struct sigv4_request *request, struct slice authorization,
				    struct buf *message, struct sigv4_claim *claim)
{
	const struct sigv4_header *date = sigv4_request_header(request, "x-amz-date");
	const struct sigv4_header *token = sigv4_request_header(request, "x-amz-security-token");
	static const char needs[] = "Authorization header requires ";
	size_t start_size = message->size;
	enum sigv4_error error;

	error = read_pairs(authorization, message, claim);
	if (error != SIGV4_OK)
		return error;
	claim->has_date_header = date == NULL;
	if (date == NULL)
		date = sigv4_request_header(request, "date");
	if (date != NULL)
		claim->date = sigv4_trim(date->value);
	if (token != NULL)
		claim->security_token = sigv4_trim(token->value);

	require(message, claim->credential.size > 0, needs, "Credential", " parameter. ");
	require(message, claim->signature.size > 0, needs, "Signature", " parameter. ");
	require(message, claim->signed_headers.data != NULL, needs, "SignedHeaders", " parameter. ");
	if (date == NULL)
		buf_append_format(message, "%sexistence of either a 'X-Amz-Date' or a 'Date' header. ",
				  needs);
	if (message->size == start_size)
		return SIGV4_OK;
	buf_append_string(message, "Authorization=");
	sigv4_quote(message, authorization);
	return SIGV4_INCOMPLETE;
}

/* Two that disagree would let the signature speak of one and the request of the other. */
static bool has_repeated_header(const struct sigv4_request *request, struct buf *message)
{
	static const char *const names[][2] = {
		{ "authorization", "Authorization" },
		{ "x-amz-date", "X-Amz-Date" },
		{ "date", "Date" },
		{ "x-amz-security-token", "X-Amz-Security-Token" },
		{ "x-amz-target", "X-Amz-Target" },
		{ "host", "Host" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const struct sigv4_header *first = sigv4_request_header(request, names[i][0]);
		const struct sigv4_header *end = request->headers + request->header_count;

		for (const struct sigv4_header *next = first == NULL ? end : first + 1; next < end; next++) {
			if (!slice_equal(next->name, first->name))
				continue;
			buf_append_format(message, "The header '%s' must be given once.", names[i][1]);
			return true;
		}
	}
	return false;
}

enum sigv4_error sigv4_claim_read(const struct sigv4_request *request, struct arena *arena,
				  struct buf *message, struct sigv4_claim *claim_out)
{
	const struct sigv4_header *header = sigv4_request_header(request, "authorization");
	struct slice authorization = header != NULL ? sigv4_trim(header->value) : (struct slice){ NULL, 0 };
	struct slice query_algorithm;

	*claim_out = (struct sigv4_claim){ .is_presigned = false };
	if (has_repeated_header(request, message))
		return SIGV4_INVALID;
	if (!query_value(request, arena, "X-Amz-Algorithm", &query_algorithm))
		return SIGV4_INTERNAL;
	if (header != NULL && query_algorithm.data != NULL) {
		buf_append_string(message, "Found both 'X-Amz-Algorithm' as a query-string param and "
					   "'Authorization' as HTTP header.");
		return SIGV4_INVALID;
	}
	if (query_algorithm.data != NULL)
		return read_query(request, arena, message, claim_out);
	if (authorization.size < 5 || memcmp(authorization.data, "AWS4-", 5) != 0) {
		buf_append_string(message, "Request is missing Authentication Token");
		return SIGV4_MISSING_TOKEN;
	}
	return read_header(request, authorization, message, claim_out);
}

enum sigv4_error sigv4_claim_split_credential(struct sigv4_claim *claim, struct buf *message)
{
	struct slice *elements[] = { &claim->access_key_id, &claim->scope_date, &claim->scope_region,
				     &claim->scope_service, &claim->scope_terminator };
	struct slice rest = claim->credential;
	struct slice part;
	size_t count = 0;

	while (rest.size > 0 && rest.data[rest.size - 1] == '/')
		rest.size--;
	claim->scope = rest;
	while (sigv4_split(&rest, '/', &part)) {
		if (count < ARRAY_COUNT(elements))
			*elements[count] = part;
		count++;
	}
	if (count != ARRAY_COUNT(elements)) {
		buf_append_string(message, "Credential must have exactly 5 slash-delimited elements, "
					   "e.g. keyid/date/region/service/term, got '");
		sigv4_quote(message, claim->credential);
		buf_append_string(message, "'");
		return SIGV4_INCOMPLETE;
	}
	claim->scope.data += claim->access_key_id.size + 1;
	claim->scope.size -= claim->access_key_id.size + 1;
	return SIGV4_OK;
}
