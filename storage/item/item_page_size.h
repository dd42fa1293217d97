/* What a row counts towards the megabyte that ends a page of Query or Scan.
 *
 * Not what is charged: the service counts what the row takes in its own storage, where a name is
 * one byte, values are told apart by their lengths, and each begun 3 KB costs a head that
 * repeats the sort key.  A page of small rows therefore holds less than a megabyte of items.
 *
 * Threads  pure functions.
 * Memory   nothing is kept.
 * Errors   none: of bad bytes the good part is counted.
 * Source   page ends of the service, as the tests of other servers captured them to the byte.
 */
#ifndef STORAGE_ITEM_ITEM_PAGE_SIZE_H
#define STORAGE_ITEM_ITEM_PAGE_SIZE_H

#include "proto/model/item.h"

/* sort_key_name: the table's; empty if it has none. */
uint64_t item_page_size_bytes(struct slice item, struct slice sort_key_name);

#endif
