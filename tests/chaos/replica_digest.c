/* What a stopped node holds, as one digest per family of replicated rows: replica_digest DIR
 *
 * Nodes that host the same partitions and have applied the same entries must print the same lines.
 * Raft's own state differs by right and is left out.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proto/base/digest.h"
#include "storage/engine/engine.h"

static const enum engine_family families[] = { FAMILY_ITEMS, FAMILY_LOCAL_INDEXES, FAMILY_CHANGES,
					       FAMILY_META };

/* Order and boundaries count: each row's hash, with the sizes in it, is folded into the sum so far. */
static uint64_t fold(uint64_t sum, struct slice key, struct slice value)
{
	uint64_t parts[3] = { sum, digest_hash64(key, key.size), digest_hash64(value, value.size) };

	return digest_hash64(slice_of(parts, sizeof(parts)), 0);
}

static bool print_family(struct engine *engine, enum engine_family family)
{
	struct engine_iter *iter = engine_iter_create(engine, family, slice_of("", 0), slice_of("", 0), NULL,
						      ENGINE_READ_MAY_BLOCK);
	uint64_t sum = 0;
	uint64_t count = 0;
	enum status status;

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		sum = fold(sum, engine_iter_key(engine, iter), engine_iter_value(engine, iter));
		count++;
	}
	status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	(void)printf("%s rows=%" PRIu64 " digest=%016" PRIx64 "\n", engine_family_name(family), count, sum);
	return status == ST_OK;
}

int main(int argc, char **argv)
{
	struct engine_options options = { .dir = argc == 2 ? argv[1] : NULL };
	struct engine *engine;
	bool is_whole = true;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: replica_digest DIR\n");
		return 2;
	}
	if (engine_rocksdb_open(&options, &engine) != ST_OK)
		return 1;
	for (size_t i = 0; i < ARRAY_COUNT(families); i++)
		is_whole = print_family(engine, families[i]) && is_whole;
	engine_close(engine);
	return is_whole ? 0 : 1;
}
