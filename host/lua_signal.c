/* lua_signal: see lua_signal.h. A waiter holds its signal as a user value, so that they die together. */
#include "lua_signal.h"

#include <lauxlib.h>
#include <math.h>

#include "alarm.h"
#include "lua_context.h"

#define SIGNAL_META "host.Signal"
#define WAIT_META "host.Signal.wait"

struct waiter;

struct signal {
	struct waiter *first, **tail;
};

struct waiter {
	struct task_wait wait;
	struct signal *signal; /* NULL: not in its list any more */
	struct waiter *next;
	struct alarm *alarm;
	bool fired;
};

static void leave(struct waiter *w)
{
	struct waiter **at;

	alarm_free(w->alarm);
	w->alarm = NULL;
	if (!w->signal)
		return;
	at = &w->signal->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (w->signal->tail == &w->next)
		w->signal->tail = at;
	w->signal = NULL;
}

static void wait_abort(struct task_wait *w)
{
	leave((struct waiter *)w);
}

static int wait_gc(lua_State *L)
{
	struct waiter *w = luaL_checkudata(L, 1, WAIT_META);

	task_forget(&w->wait);
	leave(w);
	return 0;
}

static void on_timeout(void *user)
{
	struct waiter *w = user;

	leave(w);
	task_wake(&w->wait);
}

static int signal_new(lua_State *L)
{
	struct signal *s = lua_newuserdatauv(L, sizeof(*s), 0);

	s->first = NULL;
	s->tail = &s->first;
	luaL_setmetatable(L, SIGNAL_META);
	return 1;
}

static int signal_fire(lua_State *L)
{
	struct signal *s = luaL_checkudata(L, 1, SIGNAL_META);

	while (s->first) {
		struct waiter *w = s->first;

		leave(w);
		w->fired = true;
		task_wake(&w->wait);
	}
	return 0;
}

static int wait_over(lua_State *L, int status, lua_KContext context)
{
	const struct waiter *w = (const struct waiter *)context;

	(void)status;
	lua_pushboolean(L, w->fired);
	return 1;
}

static int signal_wait(lua_State *L)
{
	struct signal *s = luaL_checkudata(L, 1, SIGNAL_META);
	double timeout = luaL_optnumber(L, 2, HUGE_VAL);
	struct waiter *w;

	task_check(L, "signal:wait");
	luaL_argcheck(L, !isnan(timeout), 2, "not a number of seconds");
	w = lua_newuserdatauv(L, sizeof(*w), 1);
	*w = (struct waiter){.wait.abort = wait_abort};
	luaL_setmetatable(L, WAIT_META);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	if (timeout < HUGE_VAL) {
		w->alarm = alarm_new(lua_context(L)->loop, on_timeout, w);
		alarm_set(w->alarm, timeout);
	}
	w->signal = s;
	*s->tail = w;
	s->tail = &w->next;
	return task_wait(L, &w->wait, wait_over);
}

void lua_signal_add(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"fire", signal_fire}, {"wait", signal_wait}, {NULL, NULL}};

	(void)luaL_newmetatable(L, WAIT_META);
	lua_pushcfunction(L, wait_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	(void)luaL_newmetatable(L, SIGNAL_META);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushcfunction(L, signal_new);
	lua_setfield(L, -2, "signal");
}
