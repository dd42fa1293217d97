#include "proto/base/huge_pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024 };

void huge_pages_prepare(size_t size_bytes)
{
	char *volatile block = malloc(size_bytes); /* volatile: or the compiler drops the pair */
	size_t skipped;

	if (block == NULL)
		return;
	skipped = HUGE_PAGE_BYTES - (uintptr_t)block % HUGE_PAGE_BYTES;
	if (skipped < size_bytes)
		(void)madvise(block + skipped, size_bytes - skipped, MADV_HUGEPAGE); /* a hint */
	free(block);
}
