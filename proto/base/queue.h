/* An intrusive doubly linked list.
 *
 * Threads  none of its own.
 * Memory   links live inside the caller's objects; a link that is in no list
 *          points to itself, so queue_remove() may be called twice.
 */
#ifndef PROTO_BASE_QUEUE_H
#define PROTO_BASE_QUEUE_H

#include <stdbool.h>

#include "proto/base/check.h"

struct queue {
	struct queue *next;
	struct queue *prev;
};

static inline void queue_init(struct queue *queue)
{
	queue->next = queue;
	queue->prev = queue;
}

static inline bool queue_is_empty(const struct queue *queue)
{
	return queue->next == queue;
}

static inline void queue_push_tail(struct queue *queue, struct queue *link)
{
	link->next = queue;
	link->prev = queue->prev;
	queue->prev->next = link;
	queue->prev = link;
}

static inline void queue_push_head(struct queue *queue, struct queue *link)
{
	queue_push_tail(queue->next, link);
}

static inline void queue_remove(struct queue *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	queue_init(link);
}

/* NULL when empty. */
static inline struct queue *queue_pop_head(struct queue *queue)
{
	struct queue *link = queue->next;

	if (link == queue)
		return NULL;
	queue_remove(link);
	return link;
}

/* Move all of from to the tail of to. */
static inline void queue_move_all(struct queue *from, struct queue *to)
{
	if (queue_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	queue_init(from);
}

#endif
