/* The rows of the clients: keys, what is asked of them in expressions, the numbers in them.
 *
 *   k  the key, a string
 *   v  the value of a register, a number written as a string; never "0"
 *   g  the group that a value belongs to, for an index; some have none
 *   h  its half, for an index with a key of several attributes; some have none
 *   n  the count of a counter
 *
 * Threads  pure functions.
 * Memory   conditions and updates lie in the arena; row keys in the buf.
 */
#ifndef TESTS_SIM_SIM_ITEM_H
#define TESTS_SIM_SIM_ITEM_H

#include "proto/base/arena.h"
#include "proto/catalog/catalog_info.h"
#include "proto/wire/expr.pb-c.h"

enum { SIM_ITEM_TEXT_SIZE = 24, SIM_ITEM_PADDING_MAX = 60 * 1024 };

void sim_item_text(char out[SIM_ITEM_TEXT_SIZE], uint64_t value);
/* The attributes of the key. */
void sim_item_key(struct buf *out, const char *name);
/* key_item: as sim_item_key() makes it. */
void sim_item_row_key(struct buf *out, const struct table_info *table, struct slice key_item);
/* A register that holds the value, with so many bytes beside it. */
void sim_item_register(struct buf *out, const char *name, uint64_t value, size_t padding_size);
/* The value of a register; false if the item is none, or has another key. */
bool sim_item_value(struct slice item, const char *name, uint64_t *value_out);
/* "v = :value", or for 0 that there is no item. */
const Cleave__ExprCondition *sim_item_expects(struct arena *arena, uint64_t value);
/* "ADD n :one". */
const Cleave__ExprUpdate *sim_item_increment(struct arena *arena);
/* n of an item; false if it has none that is a whole number above 0. */
bool sim_item_count(struct slice item, uint64_t *count_out);

#endif
