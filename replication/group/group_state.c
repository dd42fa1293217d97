#include "replication/group/group_state.h"

enum {
	KEY_SIZE = 9,
	VERSION = 1,
	RECORD_SIZE_MAX = 64 * 1024,
};

enum tag {
	TAG_HARD = 'H',
	TAG_APPLIED = 'A',
	TAG_CONFIGURATION = 'C',
	TAG_REPLICA = 'R',
	TAG_INTENT = 'I',
	TAG_TOMBSTONE = 'X',
};

static struct slice make_key(uint8_t key[KEY_SIZE], uint64_t group_id, enum tag tag)
{
	put_u64_be(key, group_id);
	key[8] = (uint8_t)tag;
	return slice_of(key, KEY_SIZE);
}

static void put_record(struct engine *engine, struct engine_batch *batch, uint64_t group_id, enum tag tag,
		       struct buf *record)
{
	uint8_t key[KEY_SIZE];

	CHECK(record->status == ST_OK);
	engine_batch_put(engine, batch, FAMILY_RAFT_STATE, make_key(key, group_id, tag), buf_slice(record));
	buf_close(record);
}

static void put_numbers(struct engine *engine, struct engine_batch *batch, uint64_t group_id, enum tag tag,
			uint64_t a, uint64_t b)
{
	struct buf record;

	buf_init(&record, RECORD_SIZE_MAX);
	buf_put_u8(&record, VERSION);
	buf_put_varint(&record, a);
	buf_put_varint(&record, b);
	put_record(engine, batch, group_id, tag, &record);
}

static void append_configuration(struct buf *record, const struct raft_engine_configuration *configuration)
{
	buf_put_varint(record, configuration->index);
	buf_put_varint(record, configuration->count);
	for (uint32_t i = 0; i < configuration->count; i++) {
		buf_put_varint(record, configuration->members[i].replica_id);
		buf_put_varint(record, configuration->members[i].node_id);
		buf_put_u8(record, (uint8_t)configuration->members[i].role);
	}
}

static void append_bytes(struct buf *record, struct slice bytes)
{
	buf_put_varint(record, bytes.size);
	buf_append_slice(record, bytes);
}

static void read_configuration(struct reader *reader, struct raft_engine_configuration *configuration)
{
	uint64_t count;

	configuration->index = reader_varint(reader);
	count = reader_varint(reader);
	if (count > RAFT_ENGINE_MEMBERS_MAX) {
		reader->status = ST_CORRUPT;
		return;
	}
	configuration->count = (uint32_t)count;
	for (uint32_t i = 0; i < configuration->count; i++) {
		configuration->members[i].replica_id = reader_varint(reader);
		configuration->members[i].node_id = reader_varint(reader);
		configuration->members[i].role = (enum raft_engine_role)reader_u8(reader);
		if (configuration->members[i].role > RAFT_ROLE_SPARE)
			reader->status = ST_CORRUPT;
	}
}

void group_state_put_hard(struct engine *engine, struct engine_batch *batch, uint64_t group_id, uint64_t term,
			  uint64_t voted_for)
{
	put_numbers(engine, batch, group_id, TAG_HARD, term, voted_for);
}

void group_state_put_applied(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			     uint64_t index, uint64_t term)
{
	put_numbers(engine, batch, group_id, TAG_APPLIED, index, term);
}

void group_state_put_configuration(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
				   const struct raft_engine_configuration *configuration)
{
	struct buf record;

	buf_init(&record, RECORD_SIZE_MAX);
	buf_put_u8(&record, VERSION);
	append_configuration(&record, configuration);
	put_record(engine, batch, group_id, TAG_CONFIGURATION, &record);
}

void group_state_put_replica(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			     uint64_t replica_id)
{
	put_numbers(engine, batch, group_id, TAG_REPLICA, replica_id, 0);
}

void group_state_put_intent(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			    const struct group_install_intent *intent)
{
	struct buf record;

	buf_init(&record, RECORD_SIZE_MAX);
	buf_put_u8(&record, VERSION);
	buf_put_varint(&record, intent->stage_id);
	buf_put_varint(&record, intent->position.index);
	buf_put_varint(&record, intent->position.term);
	append_configuration(&record, &intent->position.configuration);
	buf_put_varint(&record, intent->range_count);
	for (size_t i = 0; i < intent->range_count; i++) {
		buf_put_u8(&record, (uint8_t)intent->ranges[i].family);
		append_bytes(&record, intent->ranges[i].start);
		append_bytes(&record, intent->ranges[i].end);
	}
	put_record(engine, batch, group_id, TAG_INTENT, &record);
}

void group_state_delete_intent(struct engine *engine, struct engine_batch *batch, uint64_t group_id)
{
	uint8_t key[KEY_SIZE];

	engine_batch_delete(engine, batch, FAMILY_RAFT_STATE, make_key(key, group_id, TAG_INTENT));
}

void group_state_put_tombstone(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			       uint64_t replica_id)
{
	static const enum tag removed[] = { TAG_HARD, TAG_APPLIED, TAG_CONFIGURATION, TAG_REPLICA,
					    TAG_INTENT };
	uint8_t key[KEY_SIZE];

	for (size_t i = 0; i < ARRAY_COUNT(removed); i++)
		engine_batch_delete(engine, batch, FAMILY_RAFT_STATE, make_key(key, group_id, removed[i]));
	put_numbers(engine, batch, group_id, TAG_TOMBSTONE, replica_id, 0);
}

void group_state_put_birth(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			   uint64_t replica_id, const struct raft_engine_configuration *configuration)
{
	struct raft_engine_configuration born = *configuration;

	born.index = GROUP_BIRTH_INDEX;
	group_state_put_replica(engine, batch, group_id, replica_id);
	group_state_put_hard(engine, batch, group_id, GROUP_BIRTH_TERM, 0);
	group_state_put_applied(engine, batch, group_id, GROUP_BIRTH_INDEX, GROUP_BIRTH_TERM);
	group_state_put_configuration(engine, batch, group_id, &born);
}

/* --- reading --- */

/* ST_NOT_FOUND leaves the reader empty. */
static enum status open_record(struct engine *engine, uint64_t group_id, enum tag tag,
			       struct engine_value *value_out, struct reader *reader_out)
{
	uint8_t key[KEY_SIZE];
	enum status status = engine_get(engine, FAMILY_RAFT_STATE, make_key(key, group_id, tag),
					ENGINE_READ_MAY_BLOCK, value_out);

	if (status != ST_OK)
		return status;
	reader_init(reader_out, value_out->slice);
	if (reader_u8(reader_out) != VERSION)
		reader_out->status = ST_CORRUPT;
	return ST_OK;
}

static enum status load_numbers(struct engine *engine, uint64_t group_id, enum tag tag, uint64_t *a_out,
				uint64_t *b_out)
{
	struct engine_value value;
	struct reader reader;
	enum status status = open_record(engine, group_id, tag, &value, &reader);

	if (status != ST_OK)
		return status;
	*a_out = reader_varint(&reader);
	*b_out = reader_varint(&reader);
	engine_value_release(&value);
	return reader.status;
}

static enum status load_configuration(struct engine *engine, struct group_state *state)
{
	struct engine_value value;
	struct reader reader;
	enum status status = open_record(engine, state->group_id, TAG_CONFIGURATION, &value, &reader);

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_CORRUPT : status;
	read_configuration(&reader, &state->applied.configuration);
	engine_value_release(&value);
	return reader.status;
}

static struct slice read_bytes(struct reader *reader, struct arena *arena)
{
	uint64_t size = reader_varint(reader);
	struct slice bytes = reader_bytes(reader, size);
	uint8_t *copy = arena_copy(arena, bytes);

	if (copy == NULL)
		reader->status = ST_NO_MEMORY;
	return slice_of(copy, copy == NULL ? 0 : bytes.size);
}

static void read_ranges(struct reader *reader, struct arena *arena, struct group_install_intent *intent)
{
	uint64_t count = reader_varint(reader);

	if (count > GROUP_RANGES_MAX)
		reader->status = ST_CORRUPT;
	for (uint64_t i = 0; reader->status == ST_OK && i < count; i++) {
		struct group_range *range = &intent->ranges[intent->range_count++];

		range->family = (enum engine_family)reader_u8(reader);
		range->start = read_bytes(reader, arena);
		range->end = read_bytes(reader, arena);
		if (range->family >= FAMILY_COUNT)
			reader->status = ST_CORRUPT;
	}
}

enum status group_state_load_intent(struct engine *engine, uint64_t group_id, struct arena *arena,
				    struct group_install_intent *intent_out)
{
	struct engine_value value;
	struct reader reader;
	enum status status = open_record(engine, group_id, TAG_INTENT, &value, &reader);

	if (status != ST_OK)
		return status;
	*intent_out = (struct group_install_intent){ 0 };
	intent_out->stage_id = reader_varint(&reader);
	intent_out->position.index = reader_varint(&reader);
	intent_out->position.term = reader_varint(&reader);
	read_configuration(&reader, &intent_out->position.configuration);
	read_ranges(&reader, arena, intent_out);
	engine_value_release(&value);
	return reader.status;
}

static enum status probe_intent(struct engine *engine, struct group_state *state)
{
	struct engine_value value;
	struct reader reader;
	enum status status = open_record(engine, state->group_id, TAG_INTENT, &value, &reader);

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	state->has_intent = true;
	engine_value_release(&value);
	return ST_OK;
}

static enum status load_position(struct engine *engine, struct group_state *state)
{
	enum status status = load_numbers(engine, state->group_id, TAG_APPLIED, &state->applied.index,
					  &state->applied.term);

	if (status == ST_NOT_FOUND)
		return ST_OK;
	if (status != ST_OK)
		return status;
	state->has_position = true;
	return load_configuration(engine, state);
}

static enum status not_found_is_ok(enum status status)
{
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status group_state_load(struct engine *engine, uint64_t group_id, struct group_state *state_out)
{
	uint64_t unused;
	enum status status;

	*state_out = (struct group_state){ .group_id = group_id };
	status = not_found_is_ok(
		load_numbers(engine, group_id, TAG_TOMBSTONE, &state_out->tombstone_replica_id, &unused));
	if (status != ST_OK)
		return status;
	status = load_numbers(engine, group_id, TAG_REPLICA, &state_out->replica_id, &unused);
	if (status != ST_OK)
		return status;
	status = not_found_is_ok(
		load_numbers(engine, group_id, TAG_HARD, &state_out->term, &state_out->voted_for));
	if (status != ST_OK)
		return status;
	status = load_position(engine, state_out);
	if (status != ST_OK)
		return status;
	return probe_intent(engine, state_out);
}

enum status group_state_next(struct engine *engine, uint64_t *group_id_inout)
{
	uint8_t start[8];
	struct engine_iter *iter;
	enum status status = ST_NOT_FOUND;

	put_u64_be(start, *group_id_inout + 1);
	iter = engine_iter_create(engine, FAMILY_RAFT_STATE, slice_of(start, sizeof(start)),
				  slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine->ops->iter_seek_first(iter); engine->ops->iter_valid(iter);
	     engine->ops->iter_next(iter)) {
		struct slice key = engine->ops->iter_key(iter);

		if (key.size == KEY_SIZE && key.data[8] == TAG_REPLICA) {
			*group_id_inout = get_u64_be(key.data);
			status = ST_OK;
			break;
		}
	}
	if (status != ST_OK && engine->ops->iter_status(iter) != ST_OK)
		status = engine->ops->iter_status(iter);
	engine->ops->iter_destroy(iter);
	return status;
}
