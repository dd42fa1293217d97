#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/queue.h"

struct entry {
	struct queue link;
	char name;
};

struct fixture {
	struct queue queue;
	struct entry a;
	struct entry b;
	struct entry c;
};

static void fixture_start(struct fixture *f)
{
	queue_init(&f->queue);
	f->a.name = 'a';
	f->b.name = 'b';
	f->c.name = 'c';
	queue_init(&f->a.link);
	queue_init(&f->b.link);
	queue_init(&f->c.link);
}

/* The names from head to tail, and that the links agree backward. */
static const char *names(const struct queue *queue)
{
	static char text[8];
	size_t count = 0;

	for (struct queue *link = queue->next; link != queue; link = link->next) {
		assert_ptr_equal(link->next->prev, link);
		text[count++] = CONTAINER_OF(link, struct entry, link)->name;
	}
	text[count] = '\0';
	return text;
}

static void tails_and_heads_keep_their_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	assert_true(queue_is_empty(&f.queue));
	queue_push_tail(&f.queue, &f.a.link);
	queue_push_tail(&f.queue, &f.b.link);
	queue_push_head(&f.queue, &f.c.link);
	assert_string_equal(names(&f.queue), "cab");
	assert_ptr_equal(queue_pop_head(&f.queue), &f.c.link);
	assert_string_equal(names(&f.queue), "ab");
}

static void an_empty_queue_pops_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	assert_null(queue_pop_head(&f.queue));
	queue_push_tail(&f.queue, &f.a.link);
	assert_ptr_equal(queue_pop_head(&f.queue), &f.a.link);
	assert_null(queue_pop_head(&f.queue));
	assert_true(queue_is_empty(&f.queue));
}

static void removing_twice_is_harmless(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	queue_push_tail(&f.queue, &f.a.link);
	queue_push_tail(&f.queue, &f.b.link);
	queue_push_tail(&f.queue, &f.c.link);
	queue_remove(&f.b.link);
	queue_remove(&f.b.link);
	assert_string_equal(names(&f.queue), "ac");
	queue_push_tail(&f.queue, &f.b.link);
	assert_string_equal(names(&f.queue), "acb");
}

static void moving_all_appends_and_empties(void **state)
{
	struct queue other;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	queue_init(&other);
	queue_move_all(&other, &f.queue);
	assert_true(queue_is_empty(&f.queue));
	queue_push_tail(&f.queue, &f.a.link);
	queue_push_tail(&other, &f.b.link);
	queue_push_tail(&other, &f.c.link);
	queue_move_all(&other, &f.queue);
	assert_true(queue_is_empty(&other));
	assert_string_equal(names(&f.queue), "abc");
	queue_move_all(&f.queue, &other);
	assert_true(queue_is_empty(&f.queue));
	assert_string_equal(names(&other), "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tails_and_heads_keep_their_order),
		cmocka_unit_test(an_empty_queue_pops_nothing),
		cmocka_unit_test(removing_twice_is_harmless),
		cmocka_unit_test(moving_all_appends_and_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
