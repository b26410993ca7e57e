/* collector: takes a Lua state's garbage while there is nothing else to do, in slices of a fraction of a millisecond.
 *
 * Lua collects while it allocates, in the middle of the work on an event then. What is collected before, between two
 * events, does not hold up the next one; what Lua itself does is set to small steps, for when there is no time
 * between. A state in which nothing happens is left alone, and costs nothing. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <uv.h>

#include "turn.h"
#include "vm.h"

struct collector;

/* Both outlive it. */
struct collector *collector_new(uv_loop_t *loop, struct turn *turn, struct vm *vm);
/* NULL is fine. The memory goes when libuv has closed the handles. */
void collector_free(struct collector *c);
/* Lua has run. May be called from within Lua: it looks for garbage later. */
void collector_note(struct collector *c);

#endif
