#include "replication/engine/raft_engine_internal.h"

void raft_engine_format_address(char out[NODE_ADDRESS_SIZE], uint64_t node_id)
{
	char digits[NODE_ADDRESS_SIZE];
	uint32_t count = 0;

	/* Every message needs this: no printf(). */
	do {
		digits[count++] = (char)('0' + node_id % 10);
		node_id /= 10;
	} while (node_id > 0);
	for (uint32_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	out[count] = '\0';
}

uint64_t raft_engine_parse_address(const char *address)
{
	uint64_t node_id = 0;

	for (; address != NULL && *address >= '0' && *address <= '9'; address++)
		node_id = node_id * 10 + (uint64_t)(*address - '0');
	return node_id;
}

void raft_engine_configuration_from(const struct raft_configuration *from, uint64_t index,
				    struct raft_engine_configuration *to)
{
	CHECK(from->n <= RAFT_ENGINE_MEMBERS_MAX);
	to->count = from->n;
	to->index = index;
	for (uint32_t i = 0; i < from->n; i++) {
		to->members[i] = (struct raft_engine_member){
			.replica_id = from->servers[i].id,
			.node_id = raft_engine_parse_address(from->servers[i].address),
			.role = (enum raft_engine_role)from->servers[i].role,
		};
	}
}

enum status raft_engine_configuration_to(const struct raft_engine_configuration *from,
					 struct raft_configuration *to)
{
	raft_configuration_init(to);
	for (uint32_t i = 0; i < from->count; i++) {
		char address[NODE_ADDRESS_SIZE];
		int result;

		raft_engine_format_address(address, from->members[i].node_id);
		result = raft_configuration_add(to, from->members[i].replica_id, address,
						(int)from->members[i].role);
		if (result != 0) {
			raft_configuration_close(to);
			return result == RAFT_NOMEM ? ST_NO_MEMORY : ST_INVALID;
		}
	}
	return ST_OK;
}

void raft_engine_configuration_to_metadata(const struct raft_engine_position *position,
					   struct raft_snapshot_metadata *metadata)
{
	metadata->index = position->index;
	metadata->term = position->term;
	metadata->configuration_index = position->configuration.index;
	CHECK(raft_engine_configuration_to(&position->configuration, &metadata->configuration) == ST_OK);
}

enum status raft_engine_configuration_encode(const struct raft_engine_configuration *configuration,
					     struct log_body **body_out)
{
	struct raft_configuration raft_configuration;
	struct raft_buffer encoded;
	struct log_body *body;
	enum status status = raft_engine_configuration_to(configuration, &raft_configuration);

	if (status != ST_OK)
		return status;
	if (raft_configuration_encode(&raft_configuration, &encoded) != 0) {
		status = ST_NO_MEMORY;
		goto close_configuration;
	}
	body = log_body_create(encoded.len);
	if (body == NULL) {
		status = ST_NO_MEMORY;
		goto free_encoded;
	}
	memcpy(body->data, encoded.base, encoded.len);
	*body_out = body;
free_encoded:
	raft_free(encoded.base);
close_configuration:
	raft_configuration_close(&raft_configuration);
	return status;
}

/* The library's decoder trusts its input, so check what it will walk first:
 * version u8, count u64 (little endian), then per server id u64, address NUL, role u8. */
static bool configuration_is_well_formed(struct slice bytes)
{
	struct reader reader;
	uint64_t count = 0;

	reader_init(&reader, bytes);
	(void)reader_u8(&reader);
	for (unsigned shift = 0; shift < 64; shift += 8)
		count |= (uint64_t)reader_u8(&reader) << shift;
	if (reader.status != ST_OK || count > RAFT_ENGINE_MEMBERS_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		size_t length = 0;

		(void)reader_bytes(&reader, 8);
		while (reader_u8(&reader) != 0 && ++length < NODE_ADDRESS_SIZE)
			;
		if (length == 0 || length >= NODE_ADDRESS_SIZE || reader_u8(&reader) > RAFT_SPARE)
			return false;
	}
	return reader.status == ST_OK;
}

/* Two names of one node ("7", "07") are one node to us, and nobody can lead without voters. */
static bool configuration_is_sound(const struct raft_engine_configuration *configuration)
{
	uint32_t voter_count = 0;

	for (uint32_t i = 0; i < configuration->count; i++) {
		const struct raft_engine_member *member = &configuration->members[i];

		if (member->replica_id == 0 || member->node_id == 0)
			return false;
		for (uint32_t j = 0; j < i; j++) {
			if (configuration->members[j].replica_id == member->replica_id ||
			    configuration->members[j].node_id == member->node_id)
				return false;
		}
		voter_count += member->role == RAFT_ROLE_VOTER;
	}
	return voter_count > 0;
}

enum status raft_engine_configuration_decode(struct slice bytes,
					     struct raft_engine_configuration *configuration_out)
{
	struct raft_configuration decoded;
	struct raft_buffer buffer = { (void *)(uintptr_t)bytes.data, bytes.size };

	if (!configuration_is_well_formed(bytes))
		return ST_CORRUPT;
	if (raft_configuration_decode(&buffer, &decoded) != 0)
		return ST_CORRUPT;
	raft_engine_configuration_from(&decoded, 0, configuration_out);
	raft_configuration_close(&decoded);
	return configuration_is_sound(configuration_out) ? ST_OK : ST_CORRUPT;
}
