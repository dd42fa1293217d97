#include "node/placement/placer.h"

#include <stdlib.h>

#include "proto/base/digest.h"
#include "proto/model/row_key.h"

enum {
	VIRTUAL_NODES = 256, /* of each node on its zone's ring: spreads within some percent */
	ZONES_MAX = 64,
	/* What a hash is for, so that the choices are independent of each other. */
	SEED_RING = 1,
	SEED_ZONE = 2,
	SEED_LEADER = 3,
};

struct ring_point {
	uint64_t hash;
	uint64_t node_id;
};

struct zone {
	char name[CATALOG_ZONE_SIZE_MAX + 1];
	uint64_t hash; /* of the name */
	struct ring_point *points;
	size_t point_count;
	size_t node_count;
};

struct placer {
	struct zone zones[ZONES_MAX];
	size_t zone_count;
	size_t node_count;
};

static uint64_t hash_pair(uint64_t a, uint64_t b, uint64_t seed)
{
	uint8_t bytes[16];

	put_u64_be(bytes, a);
	put_u64_be(bytes + 8, b);
	return digest_hash64(slice_of(bytes, sizeof(bytes)), seed);
}

/* --- rings --- */

static struct zone *find_zone(struct placer *placer, const char *name)
{
	for (size_t i = 0; i < placer->zone_count; i++) {
		if (strcmp(placer->zones[i].name, name) == 0)
			return &placer->zones[i];
	}
	return NULL;
}

static enum status count_node(struct placer *placer, const struct placer_node *node)
{
	struct zone *zone = find_zone(placer, node->zone);
	size_t size = strnlen(node->zone, CATALOG_ZONE_SIZE_MAX + 1);

	if (size == 0 || size > CATALOG_ZONE_SIZE_MAX || node->node_id == 0)
		return ST_INVALID;
	if (zone == NULL) {
		if (placer->zone_count == ZONES_MAX)
			return ST_TOO_BIG;
		zone = &placer->zones[placer->zone_count++];
		memcpy(zone->name, node->zone, size + 1);
		zone->hash = digest_hash64(slice_of(node->zone, size), SEED_ZONE);
	}
	zone->node_count++;
	placer->node_count++;
	return ST_OK;
}

static int compare_points(const void *a, const void *b)
{
	const struct ring_point *left = a;
	const struct ring_point *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return left->node_id < right->node_id ? -1 : left->node_id > right->node_id;
}

static void add_points(struct zone *zone, uint64_t node_id)
{
	for (uint64_t i = 0; i < VIRTUAL_NODES; i++)
		zone->points[zone->point_count++] = (struct ring_point){ hash_pair(node_id, i, SEED_RING),
									 node_id };
}

static enum status build_rings(struct placer *placer, const struct placer_node *nodes, size_t node_count)
{
	for (size_t i = 0; i < placer->zone_count; i++) {
		struct zone *zone = &placer->zones[i];

		zone->points = calloc(zone->node_count * VIRTUAL_NODES, sizeof(*zone->points));
		if (zone->points == NULL)
			return ST_NO_MEMORY;
	}
	for (size_t i = 0; i < node_count; i++)
		add_points(find_zone(placer, nodes[i].zone), nodes[i].node_id);
	for (size_t i = 0; i < placer->zone_count; i++)
		qsort(placer->zones[i].points, placer->zones[i].point_count, sizeof(struct ring_point),
		      compare_points);
	return ST_OK;
}

enum status placer_create(const struct placer_node *nodes, size_t node_count, struct placer **placer_out)
{
	struct placer *placer;
	enum status status = ST_OK;

	if (node_count > CATALOG_NODES_MAX)
		return ST_TOO_BIG;
	placer = calloc(1, sizeof(*placer));
	if (placer == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < node_count && status == ST_OK; i++)
		status = count_node(placer, &nodes[i]);
	if (status == ST_OK)
		status = build_rings(placer, nodes, node_count);
	if (status != ST_OK) {
		placer_destroy(placer);
		return status;
	}
	*placer_out = placer;
	return ST_OK;
}

enum status placer_create_from(const struct catalog_state *state, struct placer **placer_out)
{
	struct placer_node *nodes = calloc(state->nodes.count + 1, sizeof(*nodes));
	const struct node_info *node;
	size_t cursor = 0;
	size_t count = 0;
	enum status status;

	if (nodes == NULL)
		return ST_NO_MEMORY;
	while ((node = catalog_state_next_node(state, &cursor)) != NULL)
		nodes[count++] = (struct placer_node){ node->node_id, node->zone };
	status = placer_create(nodes, count, placer_out);
	free(nodes);
	return status;
}

void placer_destroy(struct placer *placer)
{
	if (placer == NULL)
		return;
	for (size_t i = 0; i < placer->zone_count; i++)
		free(placer->zones[i].points);
	free(placer);
}

/* --- choosing --- */

/* A zone's place in the order of this partition: the greatest hash comes first. */
struct ranked_zone {
	uint64_t hash;
	const struct zone *zone;
	size_t chosen_count;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked_zone *left = a;
	const struct ranked_zone *right = b;

	if (left->hash != right->hash)
		return left->hash > right->hash ? -1 : 1;
	return strcmp(left->zone->name, right->zone->name);
}

static void rank_zones(const struct placer *placer, uint64_t partition_id,
		       struct ranked_zone ranked[ZONES_MAX])
{
	for (size_t i = 0; i < placer->zone_count; i++) {
		ranked[i].zone = &placer->zones[i];
		ranked[i].hash = hash_pair(partition_id, placer->zones[i].hash, SEED_ZONE);
		ranked[i].chosen_count = 0;
	}
	qsort(ranked, placer->zone_count, sizeof(ranked[0]), compare_ranked);
}

static bool is_chosen(const struct placer_choice *choice, uint64_t node_id)
{
	for (uint32_t i = 0; i < choice->count; i++) {
		if (choice->node_ids[i] == node_id)
			return true;
	}
	return false;
}

/* The first point at or after hash; the ring begins anew after the last. */
static size_t ring_position(const struct zone *zone, uint64_t hash)
{
	size_t low = 0;
	size_t high = zone->point_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->points[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low == zone->point_count ? 0 : low;
}

/* The next node of the zone that is not chosen yet; there is one. */
static uint64_t next_node(const struct zone *zone, uint64_t partition_id, const struct placer_choice *choice)
{
	size_t position = ring_position(zone, hash_pair(partition_id, zone->hash, SEED_RING));

	for (size_t i = 0; i < zone->point_count; i++) {
		uint64_t node_id = zone->points[(position + i) % zone->point_count].node_id;

		if (!is_chosen(choice, node_id))
			return node_id;
	}
	UNREACHABLE();
}

enum status placer_choose(const struct placer *placer, uint64_t partition_id, uint32_t replica_count,
			  struct placer_choice *choice_out)
{
	struct ranked_zone ranked[ZONES_MAX];
	struct placer_choice choice = { .count = 0 };

	if (replica_count == 0 || replica_count > CATALOG_REPLICAS_MAX)
		return ST_INVALID;
	if (placer->node_count < replica_count)
		return ST_UNAVAILABLE;
	rank_zones(placer, partition_id, ranked);
	for (size_t i = 0; choice.count < replica_count; i = (i + 1) % placer->zone_count) {
		if (ranked[i].chosen_count == ranked[i].zone->node_count)
			continue;
		choice.node_ids[choice.count] = next_node(ranked[i].zone, partition_id, &choice);
		choice.count++;
		ranked[i].chosen_count++;
	}
	choice.preferred_leader_node_id =
		choice.node_ids[hash_pair(partition_id, 0, SEED_LEADER) % choice.count];
	*choice_out = choice;
	return ST_OK;
}

/* --- how many, and where cut --- */

enum status placer_partition_count(const struct table_info *table, uint32_t requested_count,
				   const struct catalog_settings *settings, uint32_t *count_out)
{
	/* ceil(read / 3000 + write / 1000), in units of one read */
	const uint64_t reads_per_write = LIMIT_PARTITION_READ_UNITS / LIMIT_PARTITION_WRITE_UNITS;
	uint64_t count = requested_count;

	if (table->read_units > UINT32_MAX || table->write_units > UINT32_MAX)
		return ST_INVALID;
	if (count == 0 && table->is_on_demand)
		count = settings->on_demand_partitions;
	else if (count == 0)
		count = (table->read_units + table->write_units * reads_per_write +
			 LIMIT_PARTITION_READ_UNITS - 1) /
			LIMIT_PARTITION_READ_UNITS;
	if (count == 0)
		count = 1;
	if (count > CATALOG_TABLE_PARTITIONS_MAX)
		return ST_INVALID;
	*count_out = (uint32_t)count;
	return ST_OK;
}

void placer_range_bound(struct buf *out, uint32_t table_id, uint32_t index, uint32_t count)
{
	CHECK(count > 0 && index <= count);
	if (index == count)
		row_key_table_start(out, table_id + 1);
	else
		row_key_token_start(out, table_id, (uint64_t)(((unsigned __int128)index << 64) / count));
}
