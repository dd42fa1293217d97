#include "node/catalog/catalog_units.h"

enum { S_PER_DAY = 86400, US_PER_S = 1000000, US_PER_MS = 1000 };

static bool is_same_day(uint64_t a_wall_us, uint64_t b_wall_us)
{
	const uint64_t us_per_day = (uint64_t)S_PER_DAY * US_PER_S;

	return a_wall_us / us_per_day == b_wall_us / us_per_day;
}

static bool is_increase(const struct table_info *table)
{
	return table->next_units.is_set && (table->next_units.read_units > table->read_units ||
					    table->next_units.write_units > table->write_units);
}

static bool is_decrease(const struct table_info *table)
{
	return table->next_units.is_set && (table->next_units.read_units < table->read_units ||
					    table->next_units.write_units < table->write_units);
}

static enum status copy_indexes(const struct table_info *table, struct arena *arena,
				struct table_indexes **copy_out)
{
	void *room;

	*copy_out = NULL;
	if (table->indexes == NULL)
		return ST_OK;
	room = arena_alloc(arena, table_indexes_size(table->indexes));
	if (room == NULL)
		return ST_NO_MEMORY;
	*copy_out = table_indexes_copy(table->indexes, room);
	return ST_OK;
}

/* --- begin --- */

static void begin_table(struct table_info *table, const Cleave__TableRecord *wanted, uint64_t now_wall_us)
{
	if (table->read_units == wanted->read_units && table->write_units == wanted->write_units)
		return;
	table->next_units = (struct table_next_units){
		.is_set = true,
		.read_units = wanted->read_units,
		.write_units = wanted->write_units,
	};
	if (is_increase(table))
		table->increased_wall_us = now_wall_us;
	if (!is_decrease(table))
		return;
	if (!is_same_day(table->decreased_wall_us, now_wall_us))
		table->decreases_today = 0;
	table->decreased_wall_us = now_wall_us;
}

static void mark_updating(struct table_index *index)
{
	if (!table_index_is_local(index) && index->state == INDEX_ACTIVE)
		index->state = INDEX_UPDATING;
}

static void begin_index(struct table_index *index, const struct table_index *wanted)
{
	if (index->read_units == wanted->read_units && index->write_units == wanted->write_units)
		return;
	index->next_units = (struct table_next_units){
		.is_set = true,
		.read_units = wanted->read_units,
		.write_units = wanted->write_units,
	};
	mark_updating(index);
}

static void set_index(struct table_index *index, const struct table_index *wanted)
{
	index->read_units = wanted->read_units;
	index->write_units = wanted->write_units;
	mark_updating(index);
}

static void set_table(struct table_info *table, const Cleave__TableRecord *wanted)
{
	if (!table->is_on_demand && wanted->is_on_demand)
		table->billing_changed_wall_us = 0; /* dated at the end */
	table->is_on_demand = wanted->is_on_demand;
	table->read_units = wanted->read_units;
	table->write_units = wanted->write_units;
}

enum status catalog_units_begin(struct table_info *table, const Cleave__TableRecord *wanted,
				const struct table_indexes *indexes, uint64_t now_wall_us,
				struct arena *arena)
{
	bool is_other_mode = table->is_on_demand != wanted->is_on_demand;
	struct table_indexes *copy;
	enum status status = copy_indexes(table, arena, &copy);

	if (status != ST_OK)
		return status;
	for (uint32_t i = 0; copy != NULL && i < copy->count; i++) {
		const struct table_index *index = table_indexes_find(indexes,
								     slice_of_string(copy->list[i].name));

		if (index != NULL && is_other_mode)
			set_index(&copy->list[i], index);
		else if (index != NULL)
			begin_index(&copy->list[i], index);
	}
	table->indexes = copy;
	if (is_other_mode || table->is_on_demand)
		set_table(table, wanted);
	else
		begin_table(table, wanted, now_wall_us);
	return ST_OK;
}

/* --- finish --- */

/* The end is later than the beginning, also in the milliseconds that clients see and if the clock
 * has been set back. */
static uint64_t end_of(uint64_t begin_wall_us, uint64_t now_wall_us)
{
	return now_wall_us > begin_wall_us + US_PER_MS ? now_wall_us : begin_wall_us + US_PER_MS;
}

static void note_decrease(struct table_info *table, uint64_t now_wall_us)
{
	uint64_t end_wall_us = end_of(table->decreased_wall_us, now_wall_us);

	if (!is_same_day(table->decreased_wall_us, end_wall_us))
		table->decreases_today = 0;
	table->decreases_today++;
	table->decreased_wall_us = end_wall_us;
}

static void finish_table(struct table_info *table, uint64_t now_wall_us)
{
	if (is_increase(table))
		table->increased_wall_us = end_of(table->increased_wall_us, now_wall_us);
	if (is_decrease(table))
		note_decrease(table, now_wall_us);
	if (table->next_units.is_set) {
		table->read_units = table->next_units.read_units;
		table->write_units = table->next_units.write_units;
	}
	table->next_units = (struct table_next_units){ .is_set = false };
	if (table->is_on_demand && table->billing_changed_wall_us == 0)
		table->billing_changed_wall_us = now_wall_us;
}

static void finish_index(struct table_index *index)
{
	if (index->next_units.is_set) {
		index->read_units = index->next_units.read_units;
		index->write_units = index->next_units.write_units;
	}
	index->next_units = (struct table_next_units){ .is_set = false };
	if (index->state == INDEX_UPDATING)
		index->state = INDEX_ACTIVE;
}

enum status catalog_units_finish(struct table_info *table, uint64_t now_wall_us, struct arena *arena)
{
	struct table_indexes *copy;
	enum status status = copy_indexes(table, arena, &copy);

	if (status != ST_OK)
		return status;
	for (uint32_t i = 0; copy != NULL && i < copy->count; i++)
		finish_index(&copy->list[i]);
	table->indexes = copy;
	finish_table(table, now_wall_us);
	return ST_OK;
}
