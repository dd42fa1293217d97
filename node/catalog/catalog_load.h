/* The catalog's state from its rows: at start, and after a snapshot replaced them.
 *
 * Threads  loop thread; waits for the disk.
 * Errors   ST_CORRUPT, ST_VERSION, ST_IO, ST_NO_MEMORY; the state is a part of the whole then.
 */
#ifndef NODE_CATALOG_CATALOG_LOAD_H
#define NODE_CATALOG_CATALOG_LOAD_H

#include "node/catalog/catalog_fsm.h"

enum status catalog_load(struct catalog_fsm *fsm) MUST_CHECK;

#endif
