#include "tests/sim/sim_index.h"

#include <stdio.h>

#include "proto/catalog/index_info.h"
#include "proto/wire/methods.h"
#include "tests/sim/sim_workload.h"

enum {
	TRACE_INDEX = 47,
	USED_PERCENT = 50,
	BORN_PERCENT = 60,
	CHANGED_PERCENT = 60,
	KEYS_PERCENT = 40,
	LOCAL_PERCENT = 40,
	CALL_TIMEOUT_MS = 10 * 1000,
	THINK_US_MIN = 1 * SIM_SECOND,
	THINK_US_MAX = 9 * SIM_SECOND,
	MESSAGE_SIZE_MAX = 4096,
	ARENA_BYTES_MAX = 64 * 1024,
};

static void think(struct sim_index *index)
{
	runtime_timer_start(&index->coordinator->runtime.base, &index->timer,
			    sim_range(&index->world->client_rng, THINK_US_MIN, THINK_US_MAX));
}

/* What projects keys only has a key of two and two attributes, one of them the table's own. */
void sim_index_define(const struct sim_index *index, struct table_index *definition_out)
{
	struct slice string = slice_of_string("S");
	struct table_schema *schema = &definition_out->schema;

	*definition_out = (struct table_index){ .name = SIM_INDEX_NAME };
	definition_out->projection = index->projects_keys ? INDEX_PROJECTS_KEYS : INDEX_PROJECTS_ALL;
	CHECK(table_schema_init(schema, slice_of_string("g"), string) == ST_OK);
	if (index->projects_keys)
		CHECK(table_schema_add_partition_key(schema, slice_of_string("h"), string) == ST_OK);
	CHECK(table_schema_add_sort_key(schema, slice_of_string("v"), string) == ST_OK);
	if (index->projects_keys)
		CHECK(table_schema_add_sort_key(schema, slice_of_string("k"), string) == ST_OK);
}

/* The tables have no sort key, which the API asks of a table with local indexes: an item is a
 * collection of its own here. */
void sim_index_define_local(const struct sim_index *index, struct table_index *definition_out)
{
	*definition_out = (struct table_index){ .name = "local-by-value", .local_number = 3 };
	definition_out->projection = index->projects_keys ? INDEX_PROJECTS_ALL : INDEX_PROJECTS_KEYS;
	CHECK(table_schema_init(&definition_out->schema, slice_of_string("k"), slice_of_string("S")) ==
	      ST_OK);
	CHECK(table_schema_add_sort_key(&definition_out->schema, slice_of_string("v"),
					slice_of_string("S")) == ST_OK);
}

/* It was decided on a copy of the catalog that may be old: the catalog may refuse it by its state. */
static bool is_expected(const struct sim_index *index, enum status status)
{
	return status == ST_OK || status == ST_BUSY || status == ST_INVALID || status == ST_TOO_BIG ||
	       sim_coordinator_may_answer(index->coordinator, status);
}

static void on_changed(struct catalog_call *call)
{
	struct sim_index *index = CONTAINER_OF(call, struct sim_index, call);

	sim_world_trace(index->world, TRACE_INDEX, (uint64_t)(int64_t)call->status);
	sim_world_say(index->world, "a change of the index is answered: %s", status_name(call->status));
	index->is_busy = false;
	if (!is_expected(index, call->status) && index->problem[0] == '\0') {
		(void)snprintf(index->problem, sizeof(index->problem),
			       "unexpected status: a change of an index got %s", status_name(call->status));
		index->world->is_over = true;
	}
	if (index->coordinator->is_running)
		think(index);
}

static void start_change(struct sim_index *index, const struct table_info *table)
{
	Cleave__UpdateTableRequest message = CLEAVE__UPDATE_TABLE_REQUEST__INIT;
	char name[] = SIM_INDEX_NAME;
	uint8_t body[MESSAGE_SIZE_MAX];
	struct table_info wanted = *table;
	struct table_index definition;
	struct arena arena;

	arena_init(&arena, ARENA_BYTES_MAX);
	wanted.version = 0; /* whatever it is now */
	message.table = table_info_encode(&wanted, &arena);
	if (table_indexes_find(table->indexes, slice_of_string(SIM_INDEX_NAME)) != NULL) {
		sim_world_say(index->world, "the index is deleted");
		message.delete_index = name;
		index->deleted_count++;
	} else {
		sim_world_say(index->world, "an index is made");
		sim_index_define(index, &definition);
		message.create_index = index_info_encode(&definition, &arena);
		CHECK(message.create_index != NULL);
		index->made_count++;
	}
	CHECK(message.table != NULL);
	rng_fill(&index->world->client_rng, index->request_id, sizeof(index->request_id));
	message.request_id = (ProtobufCBinaryData){ sizeof(index->request_id), index->request_id };
	CHECK(protobuf_c_message_get_packed_size(&message.base) <= sizeof(body));
	index->is_busy = true;
	catalog_call_start(&index->coordinator->router.view.seeds, &index->call, METHOD_CATALOG_UPDATE_TABLE,
			   slice_of(body, protobuf_c_message_pack(&message.base, body)), CALL_TIMEOUT_MS,
			   on_changed);
	arena_close(&arena);
}

static void on_timer(struct runtime_timer *timer)
{
	struct sim_index *index = CONTAINER_OF(timer, struct sim_index, timer);
	const struct table_info *table = sim_coordinator_table(index->coordinator, SIM_MAIN_TABLE);

	if (index->is_stopping || !index->is_changed)
		return;
	if (table == NULL || table->state != TABLE_ACTIVE)
		think(index);
	else
		start_change(index, table);
}

static void on_begin(struct sim_user *user)
{
	struct sim_index *index = CONTAINER_OF(user, struct sim_index, user);

	runtime_timer_init(&index->timer, on_timer);
	if (index->is_changed)
		think(index);
}

static void on_end(struct sim_user *user)
{
	struct sim_index *index = CONTAINER_OF(user, struct sim_index, user);

	runtime_timer_stop(&index->coordinator->runtime.base, &index->timer);
	if (index->is_busy)
		catalog_call_cancel(&index->call);
}

void sim_index_init(struct sim_index *index, struct sim_world *world, struct sim_coordinator *coordinator)
{
	struct rng *rng = &world->fault_rng;

	*index = (struct sim_index){ .world = world, .coordinator = coordinator };
	index->is_used = sim_percent(rng, USED_PERCENT);
	index->is_born = index->is_used && sim_percent(rng, BORN_PERCENT);
	index->is_changed = index->is_used && (!index->is_born || sim_percent(rng, CHANGED_PERCENT));
	index->projects_keys = sim_percent(rng, KEYS_PERCENT);
	index->has_local = sim_percent(rng, LOCAL_PERCENT);
	index->user.begin = on_begin;
	index->user.end = on_end;
	sim_coordinator_add(coordinator, &index->user);
}

void sim_index_keep(struct sim_index *index)
{
	index->is_changed = false;
}

void sim_index_stop(struct sim_index *index)
{
	index->is_stopping = true;
}
