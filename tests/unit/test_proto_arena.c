#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/wire/proto_arena.h"
#include "proto/wire/raft.pb-c.h"

enum { MESSAGES = 100 };

static void make_batch(struct buf *out)
{
	Cleave__RaftMessage message = CLEAVE__RAFT_MESSAGE__INIT;
	Cleave__RaftMessage *messages[MESSAGES];
	Cleave__RaftBatch batch = CLEAVE__RAFT_BATCH__INIT;
	size_t size_bytes;

	message.group_id = 7;
	for (int i = 0; i < MESSAGES; i++)
		messages[i] = &message;
	batch.n_messages = MESSAGES;
	batch.messages = messages;
	size_bytes = cleave__raft_batch__get_packed_size(&batch);
	buf_init(out, 64 * 1024);
	assert_int_equal(cleave__raft_batch__pack(&batch, buf_extend(out, size_bytes)), size_bytes);
}

static void message_is_unpacked_into_the_arena(void **state)
{
	struct arena arena;
	struct buf packed;
	ProtobufCAllocator allocator;
	Cleave__RaftBatch *batch;

	(void)state;
	make_batch(&packed);
	arena_init(&arena, 1024 * 1024);
	allocator = proto_arena_allocator(&arena);
	batch = cleave__raft_batch__unpack(&allocator, packed.size, packed.data);
	assert_non_null(batch);
	assert_int_equal(batch->n_messages, MESSAGES);
	assert_true(batch->messages[MESSAGES - 1]->group_id == 7);
	assert_true(arena.used_bytes > 0);
	arena_close(&arena); /* frees all: the leak checker agrees */
	buf_close(&packed);
}

static void message_that_outgrows_the_arena_is_refused(void **state)
{
	struct arena arena;
	struct buf packed;
	ProtobufCAllocator allocator;

	(void)state;
	make_batch(&packed);
	arena_init(&arena, 4096);
	allocator = proto_arena_allocator(&arena);
	assert_null(cleave__raft_batch__unpack(&allocator, packed.size, packed.data));
	arena_close(&arena);
	buf_close(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_is_unpacked_into_the_arena),
		cmocka_unit_test(message_that_outgrows_the_arena_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
