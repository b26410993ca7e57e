/* task: see task.h. task_resume is the only place that calls lua_resume for a task. */
#include "task.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lua_cpu.h"
#include "lua_error.h"
#include "report.h"

#define TASK_META "host.Task"
#define TASKS_MAX 100000 /* of one generation, at the same time */
#define TURN_SLICE 10.0	 /* ms of a loop turn for tasks; the rest of them waits for the next */
#define FEW 4		 /* tasks */
#define SPARE_MAX 32	 /* coroutines of finished tasks, kept for the next ones */

/* What the userdata of a task keeps from the collector. */
enum { UV_THREAD = 1, UV_DONE, UV_ERROR, UV_TRACE, UV_COUNT = UV_TRACE };

/* The address is the key of the table of spare coroutines in the registry. */
static const char spares_key;

struct task {
	struct tasks *set;
	struct task *prev, *next; /* all tasks of the set */
	struct task *next_ready;
	lua_State *co; /* NULL: ended */
	struct task_wait *wait;
	int ref;   /* in the registry, which holds the userdata */
	int nargs; /* for the first resume */
	bool ready, cancelled;
	char name[96];
};

struct tasks {
	struct tasks_options o;
	struct turn_job job;
	struct task *first, *running;
	struct task *ready, **ready_tail;
	size_t count;
	int spares; /* in the table */
	bool closed;
};

/* How a task came to its end, for the functions that tell Lua. */
struct ending {
	struct task *task;
	int status;
	bool exceeded, cancelled;
};

static void tasks_run(void *user);

struct tasks *tasks_new(const struct tasks_options *o)
{
	struct tasks *ts = xcalloc(1, sizeof(*ts));

	ts->o = *o;
	ts->o.cpu = o->cpu > 0 ? o->cpu : VM_CPU_CALL;
	ts->ready_tail = &ts->ready;
	turn_job_init(&ts->job, tasks_run, ts);
	return ts;
}

void tasks_free(struct tasks *ts)
{
	if (!ts)
		return;
	turn_remove(&ts->job);
	free(ts);
}

size_t tasks_count(const struct tasks *ts)
{
	return ts->count;
}

void tasks_each(const struct tasks *ts, void (*cb)(const char *name, void *user), void *user)
{
	for (const struct task *t = ts->first; t; t = t->next)
		cb(t->name, user);
}

static struct task *task_of(lua_State *co)
{
	return *(struct task **)lua_getextraspace(co);
}

static void make_ready(struct task *t)
{
	struct tasks *ts = t->set;

	if (t->ready)
		return;
	t->ready = true;
	t->next_ready = NULL;
	*ts->ready_tail = t;
	ts->ready_tail = &t->next_ready;
	turn_add(ts->o.turn, &ts->job);
}

static struct task *take_ready(struct tasks *ts)
{
	struct task *t = ts->ready;

	ts->ready = t->next_ready;
	if (!ts->ready)
		ts->ready_tail = &ts->ready;
	t->ready = false;
	return t;
}

/* The end of a task. Each of these runs in a protected call of its own, so that one that is killed or runs out of
 * memory does not keep the next from its work. */

/* Pushes the error value that done gets. */
static void push_error(lua_State *L, const struct ending *e, lua_State *co)
{
	const struct vm *vm = vm_of(L);

	if (e->cancelled) {
		lua_error_push(L, "cancelled", "the task was cancelled");
	} else if (e->exceeded) {
		lua_error_push(L, "cpu", lua_cpu_message(vm_cpu(vm)));
	} else if (e->status == LUA_ERRMEM) {
		lua_error_push(L, "memory",
			lua_pushfstring(L, "not enough memory: a generation may use %d MiB",
				(int)(vm_memory_max(vm) >> 20)));
		lua_remove(L, -2);
	} else {
		/* It stays on co too: the to-be-closed variables get it. */
		lua_xmove(co, L, 1);
		lua_pushvalue(L, -1);
		lua_xmove(L, co, 1);
	}
}

/* Of a task that failed: before its coroutine is shut. */
static int keep_error(lua_State *L)
{
	const struct ending *e = lua_touserdata(L, 1);
	lua_State *co = e->task->co;

	lua_rawgeti(L, LUA_REGISTRYINDEX, e->task->ref); /* e task */
	push_error(L, e, co);
	lua_setiuservalue(L, 2, UV_ERROR);
	luaL_traceback(L, co, NULL, 0);
	lua_setiuservalue(L, 2, UV_TRACE);
	return 0;
}

/* Closes the script's to-be-closed variables. */
static int shut(lua_State *L)
{
	struct lua_cpu *cpu = vm_cpu(vm_of(L));
	lua_State *co = ((const struct ending *)lua_touserdata(L, 1))->task->co;
	lua_State *before = lua_cpu_enter(cpu, co);

	(void)lua_resetthread(co);
	lua_cpu_leave(cpu, before);
	return 0;
}

static void log_failure(lua_State *L, const struct task *t)
{
	const char *trace, *text;

	/* e task result */
	text = lua_pushfstring(L, "task %s: %s", t->name, luaL_tolstring(L, 3, NULL));
	lua_getiuservalue(L, 2, UV_TRACE);
	trace = lua_tostring(L, -1);
	report(t->set->o.log, LOG_ERROR, t->set->o.generation, text, trace);
}

/* Pushes what done gets as its result: the first one, or nil; or the error. */
static void push_result(lua_State *L, const struct ending *e)
{
	lua_State *co = e->task->co;

	if (e->status != LUA_OK) {
		lua_getiuservalue(L, 2, UV_ERROR);
		return;
	}
	lua_settop(co, 1);
	lua_xmove(co, L, 1);
}

static int tell(lua_State *L)
{
	const struct ending *e = lua_touserdata(L, 1);
	bool ok = e->status == LUA_OK;

	lua_rawgeti(L, LUA_REGISTRYINDEX, e->task->ref);
	push_result(L, e); /* e task result */
	if (lua_getiuservalue(L, 2, UV_DONE) == LUA_TFUNCTION) {
		lua_pushboolean(L, ok);
		lua_pushvalue(L, 3);
		lua_getiuservalue(L, 2, UV_TRACE); /* … done ok result trace */
		lua_call(L, 3, 0);
	} else if (!ok && !e->cancelled) {
		log_failure(L, e->task);
	}
	return 0;
}

/* The coroutine of a task that has returned can run another function. */
static void keep_spare(lua_State *L, struct tasks *ts)
{
	lua_State *co;

	if (ts->spares == SPARE_MAX)
		return;
	(void)lua_rawgetp(L, LUA_REGISTRYINDEX, &spares_key);
	(void)lua_getiuservalue(L, 2, UV_THREAD);
	co = lua_tothread(L, -1);
	lua_settop(co, 0);
	lua_rawseti(L, -2, ++ts->spares);
	lua_pop(L, 1);
}

/* Pushes a coroutine. */
static lua_State *push_thread(lua_State *L, struct tasks *ts)
{
	if (ts->spares == 0)
		return lua_newthread(L);
	(void)lua_rawgetp(L, LUA_REGISTRYINDEX, &spares_key);
	(void)lua_rawgeti(L, -1, ts->spares);
	lua_pushnil(L);
	lua_rawseti(L, -3, ts->spares--);
	lua_remove(L, -2);
	return lua_tothread(L, -1);
}

/* The registry lets the userdata go, and with it the coroutine. Needs no memory: the places are there. */
static int release(lua_State *L)
{
	const struct ending *e = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, e->task->ref);
	if (e->status == LUA_OK)
		keep_spare(L, e->task->set);
	for (int i = 1; i <= UV_COUNT; i++) {
		lua_pushnil(L);
		lua_setiuservalue(L, 2, i);
	}
	luaL_unref(L, LUA_REGISTRYINDEX, e->task->ref);
	return 0;
}

static bool call_with_reserve(struct tasks *ts, lua_CFunction fn, struct ending *e)
{
	bool ok;

	vm_use_reserve(ts->o.vm, true);
	ok = vm_call(ts->o.vm, fn, e, ts->o.cpu);
	vm_use_reserve(ts->o.vm, false);
	return ok;
}

static void leave_set(struct task *t)
{
	struct tasks *ts = t->set;

	if (t->prev)
		t->prev->next = t->next;
	else
		ts->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
	ts->count--;
}

static void complain(struct task *t, const char *what)
{
	struct tasks *ts = t->set;
	const struct vm_error *error = vm_last_error(ts->o.vm);
	char *text = xasprintf("task %s: %s: %s", t->name, what, error->message);

	report(ts->o.log, LOG_ERROR, ts->o.generation, text, error->trace);
	free(text);
}

static void end_task(struct task *t, int status, bool exceeded)
{
	struct tasks *ts = t->set;
	struct ending e = {.task = t, .status = status, .exceeded = exceeded && status != LUA_OK};
	struct task_wait *wait = t->wait;

	/* A task that failed or finished before it could be cancelled has done so. */
	e.cancelled = status == LUA_YIELD && !exceeded;
	leave_set(t);
	if (wait) {
		t->wait = NULL;
		wait->task = NULL;
		wait->abort(wait);
	}
	if (status != LUA_OK) {
		if (!call_with_reserve(ts, keep_error, &e))
			complain(t, "the end of the task");
		if (!call_with_reserve(ts, shut, &e))
			complain(t, "closing its variables");
	}
	*(void **)lua_getextraspace(t->co) = NULL;
	if (!call_with_reserve(ts, tell, &e))
		complain(t, "its done callback");
	t->co = NULL;
	if (!call_with_reserve(ts, release, &e))
		complain(t, "the end of the task");
	if (ts->o.ended)
		ts->o.ended(ts->o.user);
}

/* Does it wait now? */
static bool task_resume(struct task *t)
{
	struct vm *vm = t->set->o.vm;
	int nargs = t->nargs, results = 0, status;
	bool exceeded;

	t->nargs = 0;
	lua_cpu_begin(vm_cpu(vm), t->co, t->set->o.cpu);
	t->set->running = t;
	status = lua_resume(t->co, vm_state(vm), nargs, &results);
	t->set->running = NULL;
	exceeded = lua_cpu_end(vm_cpu(vm));
	if (status == LUA_YIELD) {
		lua_pop(t->co, results);
		/* Stopped by the watch, not by task_wait. */
		exceeded = exceeded && !t->wait;
		if (!t->cancelled && !exceeded) {
			/* Only task_wait yields; whatever else did, the task goes on. */
			if (!t->wait)
				make_ready(t);
			return t->wait != NULL;
		}
	}
	end_task(t, status, exceeded);
	return false;
}

static void tasks_run(void *user)
{
	struct tasks *ts = user;
	uint64_t deadline = turn_deadline(TURN_SLICE);

	/* Those that become ready meanwhile are behind the ones that are now. */
	while (ts->ready) {
		struct task *t = take_ready(ts);
		bool waits = false;

		if (t->cancelled)
			end_task(t, LUA_YIELD, false);
		else
			waits = task_resume(t);
		/* What it asks of Nomad leaves before the next one runs; where there are many, they share a turn. */
		if ((waits && ts->count <= FEW) || turn_over(deadline))
			break;
	}
	if (ts->ready)
		turn_add(ts->o.turn, &ts->job);
}

void tasks_start(struct tasks *ts)
{
	turn_remove(&ts->job);
	tasks_run(ts);
}

void tasks_cancel_all(struct tasks *ts)
{
	ts->closed = true;
	turn_remove(&ts->job);
	while (ts->ready)
		(void)take_ready(ts);
	while (ts->first)
		end_task(ts->first, LUA_YIELD, false);
}

void task_cancel(struct task *t)
{
	if (!t->co)
		return;
	t->cancelled = true;
	if (t != t->set->running)
		make_ready(t);
}

static int lua_task_cancel(lua_State *L)
{
	task_cancel(luaL_checkudata(L, 1, TASK_META));
	return 0;
}

void task_open(lua_State *L)
{
	lua_createtable(L, SPARE_MAX, 0);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &spares_key);
	(void)luaL_newmetatable(L, TASK_META);
	lua_newtable(L);
	lua_pushcfunction(L, lua_task_cancel);
	lua_setfield(L, -2, "cancel");
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

static void link_task(struct task *t)
{
	struct tasks *ts = t->set;

	t->next = ts->first;
	if (ts->first)
		ts->first->prev = t;
	ts->first = t;
	ts->count++;
	make_ready(t);
}

struct task *task_spawn(lua_State *L, struct tasks *ts, const char *name, int nargs)
{
	int done = lua_gettop(L) - nargs - 1;
	struct task *t;
	lua_State *co;

	if (ts->closed)
		luaL_error(L, "no task can be started any more: the generation is being closed");
	if (ts->count >= TASKS_MAX)
		luaL_error(L, "there are %d tasks already: no more can be started", TASKS_MAX);
	luaL_checkstack(L, 4, NULL);
	t = lua_newuserdatauv(L, sizeof(*t), UV_COUNT);
	*t = (struct task){.set = ts, .nargs = nargs};
	memcpy(t->name, name, strnlen(name, sizeof(t->name) - 1));
	luaL_setmetatable(L, TASK_META);
	lua_pushvalue(L, done);
	lua_setiuservalue(L, -2, UV_DONE);
	co = push_thread(L, ts);
	lua_setiuservalue(L, -2, UV_THREAD); /* done fn args task */
	if (!lua_checkstack(co, nargs + 1))
		luaL_error(L, "too many arguments for a task");
	lua_pushvalue(L, -1);
	t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	/* From here on nothing raises. */
	lua_replace(L, done); /* task fn args */
	lua_xmove(L, co, nargs + 1);
	t->co = co;
	*(struct task **)lua_getextraspace(co) = t;
	link_task(t);
	return t;
}

void task_check(lua_State *L, const char *what)
{
	if (!task_of(L)) {
		bool main = lua_pushthread(L);

		lua_pop(L, 1);
		luaL_error(L,
			main ? "%s waits: call it inside a handler or a task, not while a script "
			       "loads or in "
			       "a callback"
			     : "%s waits: it cannot be called inside a coroutine that the script "
			       "made itself",
			what);
	}
	if (!lua_isyieldable(L))
		luaL_error(L,
			"%s waits: it cannot be called here, inside a comparison of table.sort, a "
			"function of "
			"string.gsub, or the end of a cancelled task",
			what);
}

int task_wait(lua_State *L, struct task_wait *w, lua_KFunction k)
{
	struct task *t = task_of(L);

	w->task = t;
	t->wait = w;
	return lua_yieldk(L, 0, (lua_KContext)w, k);
}

void task_wake(struct task_wait *w)
{
	struct task *t = w->task;

	if (!t)
		return;
	task_forget(w);
	make_ready(t);
}

void task_forget(struct task_wait *w)
{
	if (!w->task)
		return;
	w->task->wait = NULL;
	w->task = NULL;
}
