/* lua_lock: see lua_lock.h. The lock is its own waiting operation. One that no variable holds any more is given
 * up by the collector: nobody could release it. */
#include "lua_lock.h"

#include <lauxlib.h>
#include <stddef.h>

#include "lua_class.h"
#include "lua_context.h"

#define LOCK_META "host.Lock"
#define KEY_MAX 4096

struct lock {
	struct task_wait wait;
	struct store_lock lock;
};

static void lock_abort(struct task_wait *w)
{
	store_unlock(&((struct lock *)w)->lock);
}

/* Perhaps called while a task of another generation runs: records, no more. */
static void on_granted(struct store_lock *lock)
{
	struct lock *l = (void *)((char *)lock - offsetof(struct lock, lock));

	task_wake(&l->wait);
}

/* Of release, __close and __gc. */
static int release(lua_State *L)
{
	struct lock *l = lua_class_self(L, LOCK_META);

	task_forget(&l->wait);
	store_unlock(&l->lock);
	return 0;
}

/* The lock is on top: nothing was pushed since. */
static int lock_held(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 1;
}

static int lock(lua_State *L)
{
	size_t len;
	const char *key = luaL_checklstring(L, 1, &len);
	struct lock *l;

	luaL_argcheck(L, len <= KEY_MAX, 1, "a key has at most 4096 bytes");
	task_check(L, "host.lock");
	l = lua_newuserdatauv(L, sizeof(*l), 0);
	*l = (struct lock){.wait.abort = lock_abort, .lock.granted = on_granted};
	luaL_setmetatable(L, LOCK_META);
	if (store_lock(lua_context(L)->store, &l->lock, key, len))
		return 1;
	return task_wait(L, &l->wait, lock_held);
}

void lua_lock_add(lua_State *L)
{
	static const luaL_Reg methods[] = {{"release", release}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", release}, {"__close", release}, {NULL, NULL}};

	lua_class_open(L, LOCK_META, methods, meta);
	lua_pushcfunction(L, lock);
	lua_setfield(L, -2, "lock");
}
