/* collector: see collector.h. */
#include "collector.h"

#include <lua.h>
#include <poll.h>
#include <stdlib.h>

#include "mem.h"

#define SLICE 0.1		    /* ms: so much later an event may be looked at */
#define QUIET 1			    /* ms without work, before the first slice */
#define QUIET_LITTLE 500	    /* ms, where there is little garbage */
#define LITTLE ((size_t)256 * 1024) /* bytes: less is left where it is */
#define STEP_MULTIPLIER 8 /* Lua's is 100: nearly a whole collection, milliseconds, in one step */

struct collector {
	uv_timer_t timer;
	uv_idle_t idle;
	unsigned open; /* handles */
	struct turn *turn;
	struct vm *vm;
	uint64_t active_at; /* ns: when Lua ran last */
	size_t least;	    /* bytes: after the last collection, or less since */
};

/* Lua's own collections begin at twice what was left by the last one (LUA_GCINC's default); ours are far ahead. */
static bool is_much(const struct collector *c)
{
	return vm_memory(c->vm) - c->least > c->least / 4 + LITTLE;
}

static bool is_any(const struct collector *c)
{
	return vm_memory(c->vm) - c->least > LITTLE;
}

static void on_timer(uv_timer_t *timer);

static void wait_for_quiet(struct collector *c)
{
	(void)uv_timer_start(&c->timer, on_timer, is_much(c) ? QUIET : QUIET_LITTLE, 0);
}

/* Is there something that the loop would do now? Its descriptor is readable when one of those that it waits for is. */
static bool has_work(const struct collector *c)
{
	struct pollfd loop = {.fd = uv_backend_fd(c->idle.loop), .events = POLLIN};

	return turn_waits(c->turn) || poll(&loop, 1, 0) != 0;
}

struct slice {
	bool over;
	bool young; /* it was one, and what is old is still to be looked at */
	int credit; /* KiB */
};

static int collect(lua_State *L)
{
	struct slice *s = lua_touserdata(L, 1);
	uint64_t deadline = turn_deadline(SLICE);

	s->young = vm_collect_young(L);
	s->over = s->young;
	if (s->over)
		return 0;
	do {
		s->over = lua_gc(L, LUA_GCSTEP, 0) != 0;
	} while (!s->over && !turn_over(deadline));
	/* A collection that has begun is Lua's to go on with, at the next allocation. It had better be ours. */
	if (!s->over)
		(void)lua_gc(L, LUA_GCSTEP, -s->credit);
	return 0;
}

static void on_idle(uv_idle_t *idle)
{
	struct collector *c = idle->data;
	struct slice slice = {.credit = (int)((c->least / 2 + LITTLE) / 1024)};

	if (has_work(c)) {
		(void)uv_idle_stop(idle);
		wait_for_quiet(c);
		return;
	}
	if (!vm_call(c->vm, collect, &slice, VM_CPU_CALL) || slice.over) {
		c->least = vm_memory(c->vm);
		(void)uv_idle_stop(idle);
	}
	if (slice.young)
		(void)uv_timer_start(&c->timer, on_timer, QUIET_LITTLE, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct collector *c = timer->data;

	if (uv_hrtime() - c->active_at < (uint64_t)QUIET * 1000000 || has_work(c))
		wait_for_quiet(c);
	else
		(void)uv_idle_start(&c->idle, on_idle);
}

static int set_up(lua_State *L)
{
	(void)lua_gc(L, LUA_GCINC, 0, STEP_MULTIPLIER, 0);
	return 0;
}

struct collector *collector_new(uv_loop_t *loop, struct turn *turn, struct vm *vm)
{
	struct collector *c = xcalloc(1, sizeof(*c));

	c->turn = turn;
	c->vm = vm;
	c->least = vm_memory(vm);
	(void)uv_timer_init(loop, &c->timer);
	(void)uv_idle_init(loop, &c->idle);
	c->timer.data = c;
	c->idle.data = c;
	c->open = 2;
	/* Garbage is no reason to live on. */
	uv_unref((uv_handle_t *)&c->timer);
	uv_unref((uv_handle_t *)&c->idle);
	if (!vm_call(vm, set_up, NULL, VM_CPU_CALL))
		abort(); /* it needs no memory */
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	struct collector *c = handle->data;

	if (--c->open == 0)
		free(c);
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	uv_close((uv_handle_t *)&c->timer, on_closed);
	uv_close((uv_handle_t *)&c->idle, on_closed);
}

void collector_note(struct collector *c)
{
	size_t now = vm_memory(c->vm);

	c->active_at = uv_hrtime();
	if (now < c->least)
		c->least = now;
	if (!is_any(c) || uv_is_active((uv_handle_t *)&c->idle))
		return;
	if (!uv_is_active((uv_handle_t *)&c->timer) ||
		(is_much(c) && uv_timer_get_due_in(&c->timer) > QUIET))
		wait_for_quiet(c);
}
