/* lua_time: see lua_time.h. A timer's callback only queues a job; the job calls the Lua function. */
#include "lua_time.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "alarm.h"
#include "lua_context.h"
#include "report.h"

#define SLEEP_META "host.sleep"
#define TIMER_META "host.Timer"

static double check_seconds(lua_State *L, int index)
{
	double seconds = luaL_checknumber(L, index);

	luaL_argcheck(L, !isnan(seconds), index, "not a number of seconds");
	return seconds;
}

static double clock_seconds(clockid_t which)
{
	struct timespec now;

	(void)clock_gettime(which, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int now_(lua_State *L)
{
	lua_pushnumber(L, clock_seconds(CLOCK_REALTIME));
	return 1;
}

static int monotonic(lua_State *L)
{
	lua_pushnumber(L, clock_seconds(CLOCK_MONOTONIC));
	return 1;
}

/* sleep */

struct sleep {
	struct task_wait wait;
	struct alarm *alarm;
};

static void sleep_end(struct sleep *s)
{
	alarm_free(s->alarm);
	s->alarm = NULL;
}

static void sleep_abort(struct task_wait *w)
{
	sleep_end((struct sleep *)w);
}

static void on_sleep_over(void *user)
{
	struct sleep *s = user;

	sleep_end(s);
	task_wake(&s->wait);
}

static int sleep_gc(lua_State *L)
{
	struct sleep *s = luaL_checkudata(L, 1, SLEEP_META);

	task_forget(&s->wait);
	sleep_end(s);
	return 0;
}

static int sleep_over(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 0;
}

static int sleep_(lua_State *L)
{
	double seconds = check_seconds(L, 1);
	struct sleep *s;

	task_check(L, "host.sleep");
	s = lua_newuserdatauv(L, sizeof(*s), 0);
	*s = (struct sleep){.wait.abort = sleep_abort};
	luaL_setmetatable(L, SLEEP_META);
	s->alarm = alarm_new(lua_context(L)->loop, on_sleep_over, s);
	alarm_set(s->alarm, seconds);
	return task_wait(L, &s->wait, sleep_over);
}

/* timer */

struct timer {
	struct lua_context *context;
	struct vm *vm;
	struct alarm *alarm;
	struct turn_job job;
};

static void on_timer(void *user)
{
	struct timer *t = user;

	turn_add(t->context->turn, &t->job);
}

/* While it is set the registry holds the timer: a script may drop it. */
static void hold(lua_State *L, struct timer *t, int index)
{
	if (index)
		lua_pushvalue(L, index);
	else
		lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, t);
}

static int fire(lua_State *L)
{
	struct timer *t = lua_touserdata(L, 1);

	lua_rawgetp(L, LUA_REGISTRYINDEX, t); /* t timer */
	hold(L, t, 0);
	lua_getiuservalue(L, 2, 1);
	lua_call(L, 0, 0);
	return 0;
}

static void run_timer(void *user)
{
	struct timer *t = user;
	/* The timer itself may be gone when the call returns. */
	struct vm *vm = t->vm;
	struct lua_context *c = t->context;
	const struct vm_error *error;
	char *text;

	if (vm_call(vm, fire, t, VM_CPU_CALL))
		return;
	error = vm_last_error(vm);
	text = xasprintf("a timer's function: %s", error->message);
	report(c->log, LOG_ERROR, c->generation, text, error->trace);
	free(text);
}

static int timer(lua_State *L)
{
	struct timer *t;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	t = lua_newuserdatauv(L, sizeof(*t), 1);
	*t = (struct timer){.context = lua_context(L), .vm = vm_of(L)};
	turn_job_init(&t->job, run_timer, t);
	luaL_setmetatable(L, TIMER_META);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	t->alarm = alarm_new(t->context->loop, on_timer, t);
	return 1;
}

static int timer_set(lua_State *L)
{
	struct timer *t = luaL_checkudata(L, 1, TIMER_META);
	double seconds = check_seconds(L, 2);

	hold(L, t, 1);
	turn_remove(&t->job);
	alarm_set(t->alarm, seconds);
	return 0;
}

static int timer_stop(lua_State *L)
{
	struct timer *t = luaL_checkudata(L, 1, TIMER_META);

	alarm_stop(t->alarm);
	turn_remove(&t->job);
	hold(L, t, 0);
	return 0;
}

static int timer_gc(lua_State *L)
{
	struct timer *t = luaL_checkudata(L, 1, TIMER_META);

	turn_remove(&t->job);
	alarm_free(t->alarm);
	t->alarm = NULL;
	return 0;
}

void lua_time_add(lua_State *L)
{
	static const luaL_Reg functions[] = {{"now", now_}, {"monotonic", monotonic},
		{"sleep", sleep_}, {"timer", timer}, {NULL, NULL}};
	static const luaL_Reg timer_methods[] = {
		{"set", timer_set}, {"stop", timer_stop}, {NULL, NULL}};
	static const luaL_Reg timer_meta[] = {
		{"__gc", timer_gc}, {"__index", NULL}, {"__metatable", NULL}, {NULL, NULL}};

	(void)luaL_newmetatable(L, SLEEP_META);
	lua_pushcfunction(L, sleep_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	(void)luaL_newmetatable(L, TIMER_META);
	luaL_setfuncs(L, timer_meta, 0);
	luaL_newlib(L, timer_methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
