/* lua_cpu: the watch over Lua that computes without waiting: it is stopped by a hook.
 *
 * A timer on the CPU time of the calling thread ticks every LUA_CPU_TICK ms, so an idle program costs
 * nothing. Each entry into Lua is a slice with a limit. When a slice is over its limit the signal handler
 * sets a count hook of 1 on the state that runs: at every instruction until the slice is left it yields, or
 * raises where a yield is not possible, so that no pcall of the script can swallow it. One watch a process: the signal SIGPROF is its own. */
#ifndef LUA_CPU_H
#define LUA_CPU_H

#include <stdbool.h>

#include <lua.h>

#include "mem.h"

#define LUA_CPU_TICK 100 /* ms of CPU */

struct lua_cpu;

/* NULL is a watch that does nothing, for all of these. */

/* NULL and errno where the kernel has no such timer. */
struct lua_cpu *lua_cpu_new(void) WARN_UNUSED;
void lua_cpu_free(struct lua_cpu *c);

/* Makes the watch known to a state; NULL: its slices have no limit. May raise. */
void lua_cpu_attach(struct lua_cpu *c, lua_State *L);
struct lua_cpu *lua_cpu_of(lua_State *L);

/* A slice: L is about to run, for at most limit ms of CPU (a tick more). Slices do not nest. */
void lua_cpu_begin(struct lua_cpu *c, lua_State *L, unsigned limit);
/* Returns whether the slice was stopped by its limit. */
bool lua_cpu_end(struct lua_cpu *c);

/* Within a slice another coroutine is about to run; the result is handed to lua_cpu_leave after it. */
lua_State *lua_cpu_enter(struct lua_cpu *c, lua_State *co);
void lua_cpu_leave(struct lua_cpu *c, lua_State *before);

/* The slice is over its limit: what runs now must end quickly, and no Lua function may be called by C. */
bool lua_cpu_exceeded(const struct lua_cpu *c);
/* "scripts/a.lua:3: used more than 1 s of CPU without waiting", of the last slice that was. */
const char *lua_cpu_message(const struct lua_cpu *c);

#endif
