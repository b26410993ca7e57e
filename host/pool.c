/* pool: see pool.h. */
#include "pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "mem.h"

#define GRAIN ((size_t)16)
#define CLASSES 32 /* up to 512 bytes */
#define SMALL_MAX (GRAIN * CLASSES)
#define CHUNK ((size_t)64 * 1024)

/* What a block holds while it is free. */
struct spare {
	struct spare *next;
};

struct chunk {
	struct chunk *next;
	_Alignas(16) char bytes[];
};

struct pool {
	struct spare *spares[CLASSES];
	struct chunk *chunks;
	char *at, *end; /* the part of the newest chunk that was never used */
};

/* A sanitizer has to see each block for itself. */
#if defined(__SANITIZE_ADDRESS__)
#define POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLED 0
#endif
#endif
#ifndef POOLED
#define POOLED 1
#endif

struct pool *pool_new(void)
{
	return xcalloc(1, sizeof(struct pool));
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->chunks) {
		struct chunk *c = p->chunks;

		p->chunks = c->next;
		free(c);
	}
	free(p);
}

static bool is_small(size_t size)
{
	return POOLED && size > 0 && size <= SMALL_MAX;
}

static bool is_large(size_t size)
{
	return size >= BLOCK_LEAST;
}

static bool is_middling(size_t size)
{
	return !is_small(size) && !is_large(size);
}

static size_t class_of(size_t size)
{
	return (size - 1) / GRAIN;
}

static bool add_chunk(struct pool *p)
{
	struct chunk *c = malloc(CHUNK);

	if (!c)
		return false;
	c->next = p->chunks;
	p->chunks = c;
	p->at = c->bytes;
	p->end = (char *)c + CHUNK;
	return true;
}

static void put(struct pool *p, void *block, size_t class)
{
	struct spare *s = block;

	s->next = p->spares[class];
	p->spares[class] = s;
}

/* Blocks come back all over the heap, and after a pause none of it is in the processor's cache any more: the one that is
 * handed out next is on its way meanwhile. */
static void fetch(const struct spare *next, size_t size)
{
	if (!next)
		return;
	__builtin_prefetch(next, 1);
	__builtin_prefetch((const char *)next + size - 1, 1);
}

static void *take(struct pool *p, size_t class)
{
	size_t size = (class + 1) * GRAIN;
	struct spare *s = p->spares[class];
	void *block;

	if (s) {
		p->spares[class] = s->next;
		fetch(s->next, size);
		return s;
	}
	if ((size_t)(p->end - p->at) < size) {
		/* What is left of the old chunk is a multiple of the grain, and smaller than a block. */
		if (p->end > p->at)
			put(p, p->at, class_of((size_t)(p->end - p->at)));
		if (!add_chunk(p))
			return NULL;
	}
	block = p->at;
	p->at += size;
	return block;
}

static void *make(struct pool *p, size_t size)
{
	if (is_small(size))
		return take(p, class_of(size));
	return is_large(size) ? block_take(size) : malloc(size);
}

static void drop(struct pool *p, void *block, size_t size)
{
	if (is_small(size))
		put(p, block, class_of(size));
	else if (is_large(size))
		block_give_back(block);
	else
		free(block);
}

void *pool_resize(struct pool *p, void *block, size_t old_size, size_t size)
{
	void *new;

	if (size == 0) {
		drop(p, block, old_size);
		return NULL;
	}
	if (old_size == 0)
		return make(p, size);
	if (is_small(old_size) && is_small(size) && class_of(old_size) == class_of(size))
		return block;
	if (is_large(old_size) && is_large(size) && size <= block_size(block) &&
		size >= block_size(block) / 2)
		return block;
	if (is_middling(old_size) && is_middling(size))
		return realloc(block, size);
	new = make(p, size);
	if (!new)
		return NULL;
	memcpy(new, block, old_size < size ? old_size : size);
	drop(p, block, old_size);
	return new;
}
