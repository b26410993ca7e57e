/* lua_cpu: see lua_cpu.h.
 *
 * The timer is bound to the one thread that runs Lua (SIGEV_THREAD_ID), so the handler interrupts that
 * thread only, and is handed its struct by the signal: nothing here is file-scope. lua_sethook is the one
 * call of Lua's API that may be made from a signal handler. */
#define _GNU_SOURCE /* gettid, SIGEV_THREAD_ID */
#include "lua_cpu.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Older C libraries have the field but not its name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct lua_cpu {
	timer_t timer;
	struct sigaction before;
	/* Written by the slices, read by the handler, or the other way round; one thread. */
	lua_State *volatile running; /* NULL: outside any slice */
	volatile unsigned ticks;
	volatile bool exceeded;
	bool raised;	/* the hook has run: message is of this slice */
	unsigned limit; /* ms */
	char message[256];
};

/* The address is the key of the watch in the registry. */
static const char registry_key;

struct lua_cpu *lua_cpu_of(lua_State *L)
{
	struct lua_cpu *c;

	(void)lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key);
	c = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return c;
}

void lua_cpu_attach(struct lua_cpu *c, lua_State *L)
{
	lua_pushlightuserdata(L, c);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}

static void describe(struct lua_cpu *c, lua_State *L, lua_Debug *at)
{
	double seconds = c->limit / 1000.0;

	if (lua_getinfo(L, "Sl", at) && at->currentline > 0)
		(void)snprintf(c->message, sizeof(c->message),
			"%s:%d: used more than %g s of CPU without waiting", at->short_src,
			at->currentline, seconds);
	else
		(void)snprintf(c->message, sizeof(c->message),
			"used more than %g s of CPU without waiting", seconds);
}

static void on_hook(lua_State *L, lua_Debug *at)
{
	struct lua_cpu *c = lua_cpu_of(L);

	if (!c || !c->exceeded) {
		/* Inherited by a coroutine that was made while the hook was set in an earlier slice. */
		lua_sethook(L, NULL, 0, 0);
		return;
	}
	if (!c->raised)
		describe(c, L, at);
	c->raised = true;
	/* A yield is what no pcall can catch, and it costs nothing however deep they are nested. Where it is not
	 * possible (below a C function, outside a coroutine) pcalls nest no deeper than C does, and an error gets
	 * through them one by one. */
	if (lua_isyieldable(L))
		(void)lua_yield(L, 0);
	else
		(void)luaL_error(L, "%s", c->message);
}

static void on_tick(int number, siginfo_t *info, void *context)
{
	struct lua_cpu *c = info->si_code == SI_TIMER ? info->si_value.sival_ptr : NULL;

	(void)number;
	(void)context;
	if (!c || !c->running)
		return;
	c->ticks++;
	/* The first tick may have come at once: this many whole ones are needed after it. */
	if (c->ticks <= c->limit / LUA_CPU_TICK)
		return;
	c->exceeded = true;
	lua_sethook(c->running, on_hook, LUA_MASKCOUNT, 1);
}

struct lua_cpu *lua_cpu_new(void)
{
	struct lua_cpu *c = xcalloc(1, sizeof(*c));
	struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
	struct itimerspec every = {.it_interval.tv_nsec = LUA_CPU_TICK * 1000000L,
		.it_value.tv_nsec = LUA_CPU_TICK * 1000000L};

	event.sigev_value.sival_ptr = c;
	event.sigev_notify_thread_id = gettid();
	if (sigaction(SIGPROF, &action, &c->before) != 0)
		goto fail;
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &c->timer) != 0)
		goto fail_action;
	if (timer_settime(c->timer, 0, &every, NULL) == 0)
		return c;
	(void)timer_delete(c->timer);
fail_action:
	(void)sigaction(SIGPROF, &c->before, NULL);
fail:
	free(c);
	return NULL;
}

void lua_cpu_free(struct lua_cpu *c)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (!c)
		return;
	(void)timer_delete(c->timer);
	/* A tick that is pending is thrown away by this, before the handler of old could get it. */
	(void)sigaction(SIGPROF, &ignore, NULL);
	(void)sigaction(SIGPROF, &c->before, NULL);
	free(c);
}

void lua_cpu_begin(struct lua_cpu *c, lua_State *L, unsigned limit)
{
	if (!c)
		return;
	c->ticks = 0;
	c->exceeded = false;
	c->limit = limit;
	c->raised = false;
	c->running = L;
}

bool lua_cpu_end(struct lua_cpu *c)
{
	lua_State *L = c ? c->running : NULL;
	bool exceeded = c && c->exceeded;

	if (!c)
		return false;
	c->running = NULL;
	if (exceeded)
		lua_sethook(L, NULL, 0, 0);
	c->exceeded = false;
	return c->raised;
}

lua_State *lua_cpu_enter(struct lua_cpu *c, lua_State *co)
{
	lua_State *before = c ? c->running : NULL;

	if (c && before) {
		c->running = co;
		if (c->exceeded)
			lua_sethook(co, on_hook, LUA_MASKCOUNT, 1);
	}
	return before;
}

void lua_cpu_leave(struct lua_cpu *c, lua_State *before)
{
	if (!c || !before)
		return;
	if (c->exceeded) {
		lua_sethook(c->running, NULL, 0, 0);
		lua_sethook(before, on_hook, LUA_MASKCOUNT, 1);
	}
	c->running = before;
}

bool lua_cpu_exceeded(const struct lua_cpu *c)
{
	return c && c->exceeded;
}

const char *lua_cpu_message(const struct lua_cpu *c)
{
	return c->message;
}
