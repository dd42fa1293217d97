#include <stdlib.h>

#include "storage/engine/engine_memory_internal.h"

/* An operation: kind u8, family u8, key, then a value or the end of the range; byte strings
 * have their size in front. */
enum operation_kind { OPERATION_PUT, OPERATION_DELETE, OPERATION_DELETE_RANGE };

struct engine_batch *engine_memory_batch_create(struct engine *base)
{
	struct engine_batch *batch = calloc(1, sizeof(*batch));

	(void)base; /* batches of this store know nothing of it */
	if (batch != NULL)
		buf_init(&batch->operations, ENGINE_MEMORY_BATCH_SIZE_MAX);
	return batch;
}

void engine_memory_batch_destroy(struct engine_batch *batch)
{
	buf_close(&batch->operations);
	free(batch);
}

void engine_memory_batch_clear(struct engine_batch *batch)
{
	buf_reset(&batch->operations);
	batch->count = 0;
}

static void append_head(struct engine_batch *batch, enum operation_kind kind, enum engine_family family,
			struct slice key)
{
	buf_put_u8(&batch->operations, (uint8_t)kind);
	buf_put_u8(&batch->operations, (uint8_t)family);
	buf_put_varint(&batch->operations, key.size);
	buf_append_slice(&batch->operations, key);
	batch->count++;
}

void engine_memory_batch_put(struct engine_batch *batch, enum engine_family family, struct slice key,
			     const struct slice *parts, size_t part_count)
{
	size_t size_bytes = 0;

	for (size_t i = 0; i < part_count; i++)
		size_bytes += parts[i].size;
	append_head(batch, OPERATION_PUT, family, key);
	buf_put_varint(&batch->operations, size_bytes);
	for (size_t i = 0; i < part_count; i++)
		buf_append_slice(&batch->operations, parts[i]);
}

void engine_memory_batch_delete(struct engine_batch *batch, enum engine_family family, struct slice key)
{
	append_head(batch, OPERATION_DELETE, family, key);
	buf_put_varint(&batch->operations, 0);
}

void engine_memory_batch_delete_range(struct engine_batch *batch, enum engine_family family,
				      struct slice start, struct slice end)
{
	if (slice_compare(start, end) >= 0)
		return;
	append_head(batch, OPERATION_DELETE_RANGE, family, start);
	buf_put_varint(&batch->operations, end.size);
	buf_append_slice(&batch->operations, end);
}

size_t engine_memory_batch_count(const struct engine_batch *batch)
{
	return batch->count;
}

static enum status apply_operation(struct engine_memory_disk *disk, struct reader *reader)
{
	uint8_t kind = reader_u8(reader);
	uint8_t family = reader_u8(reader);
	struct slice key = reader_bytes(reader, reader_varint(reader));
	struct slice operand = reader_bytes(reader, reader_varint(reader));

	CHECK(reader->status == ST_OK && family < FAMILY_COUNT);
	switch ((enum operation_kind)kind) {
	case OPERATION_PUT:
		return engine_memory_map_put(&disk->families[family], disk->last_sequence, key, operand);
	case OPERATION_DELETE:
		return engine_memory_map_delete(&disk->families[family], disk->last_sequence, key);
	case OPERATION_DELETE_RANGE:
		return engine_memory_map_delete_range(&disk->families[family], disk->last_sequence, key,
						      operand);
	}
	UNREACHABLE();
}

static void roll_back_last(struct engine_memory_disk *disk)
{
	disk->last_sequence--;
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine_memory_map_roll_back(&disk->families[i], disk->last_sequence);
}

enum status engine_memory_batch_apply(struct engine_memory_disk *disk, const struct engine_batch *batch)
{
	enum status status = batch->operations.status;
	struct reader reader;

	if (status != ST_OK)
		return status;
	disk->last_sequence++;
	reader_init(&reader, buf_slice(&batch->operations));
	while (status == ST_OK && reader.size > 0)
		status = apply_operation(disk, &reader);
	if (status != ST_OK)
		roll_back_last(disk);
	return status;
}
