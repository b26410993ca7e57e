/* lua_context: what the bindings of one generation are given; the user pointer of its vm. */
#ifndef LUA_CONTEXT_H
#define LUA_CONTEXT_H

#include <uv.h>

#include "api.h"
#include "config.h"
#include "keyset.h"
#include "log.h"
#include "metrics.h"
#include "store.h"
#include "task.h"
#include "turn.h"

struct lua_cpu;

/* What a generation may ask of who runs it. */
struct lua_wishes {
	/* Subscribe anew, to all namespaces or to these (NULL terminated); false: that would not
	 * help. */
	bool (*resubscribe)(const char *reason, const char *const *namespaces, void *user);
	void *user;
};

/* None of it belongs to the context, and all but tasks and watched outlives it. */
struct lua_context {
	uv_loop_t *loop;
	struct turn *turn;
	const struct config *config;
	struct log *log;
	struct api *api; /* NULL: host.nomad cannot send (check) */
	struct store *store;
	struct metrics *metrics;
	struct lua_cpu *cpu;
	struct tasks *tasks;
	const struct lua_wishes *wishes; /* NULL: nobody listens (a command) */
	unsigned generation;		 /* counts from 1 */
	struct keyset *watched;		 /* NULL: nobody filters (a command) */
	/* ModifyIndex of what was left out of the stream, by this connection and by those before. */
	uint64_t newest, newest_before;
};

static inline struct lua_context *lua_context(lua_State *L)
{
	return vm_user(vm_of(L));
}

#endif
