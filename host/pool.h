/* pool: the memory of one Lua state: small blocks in free lists by size, cut from chunks that are given back together.
 *
 * A state makes and frees thousands of small blocks for each event; malloc needed a fifth of the time of a busy
 * operator, and left a process in pieces after a reload. Larger blocks are malloc's, the largest of all block's. */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
/* Takes the small blocks that are left with it. */
void pool_free(struct pool *p);
/* As realloc, but told the old size (0: no block yet); 0 for the new one frees. NULL where there is no memory. */
void *pool_resize(struct pool *p, void *block, size_t old_size, size_t size);

#endif
