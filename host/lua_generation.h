/* lua_generation: the calls into the Lua half of a generation, lib/operator/subscription.lua and then generation.lua.
 *
 * Those that return bool are protected calls: on false vm_last_error says why. */
#ifndef LUA_GENERATION_H
#define LUA_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "health.h"
#include "inbox.h"
#include "interests.h"
#include "lua_ending.h"
#include "task.h"

/* subscription.load; the generation itself is made later. *out is the caller's, also where this fails. */
bool lua_generation_load(struct vm *vm, struct interests **out) WARN_UNUSED;
bool lua_generation_spawn_start(
	struct vm *vm, struct tasks *ts, bool first, struct lua_ending *e) WARN_UNUSED;
bool lua_generation_connected(struct vm *vm, uint64_t epoch, bool live) WARN_UNUSED;
/* Whatever the item is: gen:event, connected, lost or gap. */
bool lua_generation_deliver(struct vm *vm, struct inbox_item *item) WARN_UNUSED;
bool lua_generation_work(struct vm *vm) WARN_UNUSED;
bool lua_generation_stop(struct vm *vm, const char *reason) WARN_UNUSED;
/* *out: there is so much to do that more events had better wait. */
bool lua_generation_busy(struct vm *vm, bool *out) WARN_UNUSED;
bool lua_generation_idle(struct vm *vm, bool *idle) WARN_UNUSED;
/* *out is to be freed whatever comes of it. */
bool lua_generation_health(struct vm *vm, struct health *out) WARN_UNUSED;
/* gen:approve, for every policy. */
bool lua_generation_approve(struct vm *vm) WARN_UNUSED;
/* gen:ask: the HTTP status and lines of the answer. argument NULL: none. */
bool lua_generation_ask(struct vm *vm, const char *what, const char *argument, unsigned *status,
	void (*line)(const char *text, void *user), void *user) WARN_UNUSED;
bool lua_generation_status(
	struct vm *vm, void (*line)(const char *text, void *user), void *user) WARN_UNUSED;

/* require("operator.command")[name](args…) as a task. */
bool lua_command_spawn(
	struct vm *vm, struct tasks *ts, const char *name, struct lua_ending *e) WARN_UNUSED;

#endif
