/* block: see block.h. */
#include "block.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN                                                                                      \
	((size_t)64 *                                                                              \
		1024) /* sizes are multiples, so that texts of nearly one length have the same */

enum { KEPT_COUNT = 4 };

struct head {
	_Alignas(16) size_t size; /* of what follows */
};

/* A sanitizer has to see each block for itself. */
#if defined(__SANITIZE_ADDRESS__)
#define KEPT_MAX ((size_t)0)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEPT_MAX ((size_t)0)
#endif
#endif
#ifndef KEPT_MAX
#define KEPT_MAX ((size_t)3 * 1024 * 1024) /* bytes */
#endif

/* Oldest first. */
static struct head *kept[KEPT_COUNT];
static size_t kept_count, kept_size;

static struct head *head_of(const void *block)
{
	return (struct head *)(uintptr_t)block - 1;
}

size_t block_size(const void *block)
{
	return head_of(block)->size;
}

static struct head *take_kept(size_t i)
{
	struct head *h = kept[i];

	kept_count--;
	kept_size -= h->size;
	memmove(kept + i, kept + i + 1, (kept_count - i) * sizeof(kept[0]));
	return h;
}

void *block_take(size_t size)
{
	struct head *h;

	if (size > SIZE_MAX - GRAIN - sizeof(*h))
		return NULL;
	size = (size + sizeof(*h) + GRAIN - 1) / GRAIN * GRAIN - sizeof(*h);
	/* The newest first: it is in the processor's caches. */
	for (size_t i = kept_count; i > 0; i--)
		if (kept[i - 1]->size >= size && kept[i - 1]->size / 2 <= size)
			return take_kept(i - 1) + 1;
	h = malloc(sizeof(*h) + size);
	if (!h)
		return NULL;
	h->size = size;
	return h + 1;
}

void block_give_back(void *block)
{
	struct head *h;

	if (!block)
		return;
	h = head_of(block);
	if (h->size > KEPT_MAX) {
		free(h);
		return;
	}
	while (kept_count == KEPT_COUNT || kept_size + h->size > KEPT_MAX)
		free(take_kept(0));
	kept[kept_count++] = h;
	kept_size += h->size;
}
