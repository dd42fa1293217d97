/* Memory in pages of 2 MB, where the kernel gives them to those who ask (Linux:
 * transparent_hugepage=madvise).
 *
 * A skip list of some megabytes is walked with one miss of the address translation for each step in
 * pages of 4 KB, and with hardly any in large ones.
 */
#ifndef PROTO_BASE_HUGE_PAGES_H
#define PROTO_BASE_HUGE_PAGES_H

#include <stddef.h>

/* What is allocated from now on comes from large pages, up to about so many bytes, provided that the
 * allocator uses again what was freed instead of giving it back (tcmalloc does).  Takes address space;
 * memory only as it is used.  Best effort.  Before other threads start. */
void huge_pages_prepare(size_t size_bytes);

#endif
