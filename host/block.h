/* block: memory for long texts. The last blocks that were freed, 3 MiB at most, are kept for the next ones: such blocks come
 * from the kernel and go back to it, and each of their pages costs a fault and is cleared when it is first written, which takes
 * longer than what is done with the text.
 *
 * The kept blocks are the process's, as malloc's are; one thread only. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>

/* Shorter texts are malloc's own business. */
#define BLOCK_LEAST ((size_t)256 * 1024) /* bytes */

/* NULL where there is no memory. */
void *block_take(size_t size);
/* NULL does nothing. */
void block_give_back(void *block);
/* How many bytes there are in it, at least as many as were asked for. */
size_t block_size(const void *block);

#endif
