/* vm: see vm.h. */
#include "vm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "block.h"
#include "lua_buf.h"
#include "lua_cpu.h"
#include "lua_error.h"
#include "lua_library.h"
#include "lua_sandbox.h"
#include "pool.h"

/* Bytes in long strings, or in what grew old, that may become garbage before it is collected. */
#define LARGE_STEP ((size_t)1024 * 1024)
#define OLD_STEP ((size_t)2 * 1024 * 1024)
#define LONG_AGO ((uint64_t)100 * 1000000) /* ns: long strings do not come any more */
/* Lua would have a whole collection at twice the memory that it knew of, which one long string may be. Its limit is 1000. */
#define MAJOR_MULTIPLIER 1000

struct vm {
	lua_State *L;
	struct pool *pool;
	struct lua_cpu *cpu;
	void *user;
	size_t used, max;
	size_t large;	      /* bytes in blocks of block's size */
	size_t large_next;    /* above it a collection is due */
	size_t used_then;     /* after the last whole collection for the sake of long strings */
	uint64_t expected_at; /* ns: the last of them */
	bool generational;    /* Lua's mode, while they come */
	bool reserve;
	struct vm_error error;
};

static size_t large(size_t size)
{
	return size >= BLOCK_LEAST ? size : 0;
}

/* Never fails for a smaller size: Lua counts on that. */
static void *allocate(void *ud, void *old, size_t old_size, size_t size)
{
	struct vm *vm = ud;
	size_t max = vm->max + (vm->reserve ? VM_RESERVE : 0);
	void *new;

	if (!old)
		old_size = 0; /* then it is the kind of the object */
	if (size == 0) {
		(void)pool_resize(vm->pool, old, old_size, 0);
		vm->used -= old_size;
		vm->large -= large(old_size);
		return NULL;
	}
	if (size > old_size && (size - old_size > max || vm->used > max - (size - old_size)))
		return NULL;
	new = pool_resize(vm->pool, old, old_size, size);
	if (!new) {
		if (size > old_size)
			return NULL;
		new = old;
	}
	vm->used = vm->used - old_size + size;
	vm->large = vm->large - large(old_size) + large(size);
	return new;
}

/* Text is mostly garbage soon, and the rest of the heap is not: a collection of what is young takes a hundredth of the time
 * of a whole one. What has grown old is taken by a whole one when there is much of it. */
static void collect_long(lua_State *L, struct vm *vm)
{
	bool whole = !vm->generational;

	if (whole) {
		(void)lua_gc(L, LUA_GCGEN, 0, MAJOR_MULTIPLIER); /* this is one */
		vm->generational = true;
	} else {
		(void)lua_gc(L, LUA_GCSTEP, 0);
		whole = vm->used > vm->used_then + OLD_STEP;
		if (whole)
			(void)lua_gc(L, LUA_GCCOLLECT);
	}
	if (whole)
		vm->used_then = vm->used;
	vm->large_next = vm->large + LARGE_STEP;
}

void vm_expect_long(lua_State *L, size_t size)
{
	struct vm *vm = vm_of(L);

	vm->expected_at = uv_hrtime();
	if (vm->large >= vm->large_next)
		collect_long(L, vm);
	(void)lua_gc(L, LUA_GCSTEP, -(int)(size / 1024));
}

bool vm_collect_young(lua_State *L)
{
	struct vm *vm = vm_of(L);

	if (!vm->generational)
		return false;
	if (uv_hrtime() - vm->expected_at < LONG_AGO) {
		(void)lua_gc(L, LUA_GCSTEP, 0);
		return true;
	}
	(void)lua_gc(L, LUA_GCINC, 0, 0, 0);
	vm->generational = false;
	return false;
}

struct vm *vm_of(lua_State *L)
{
	void *ud;

	(void)lua_getallocf(L, &ud);
	return ud;
}

void *vm_user(const struct vm *vm)
{
	return vm->user;
}

struct lua_cpu *vm_cpu(const struct vm *vm)
{
	return vm->cpu;
}

lua_State *vm_state(const struct vm *vm)
{
	return vm->L;
}

size_t vm_memory(const struct vm *vm)
{
	return vm->used;
}

size_t vm_memory_max(const struct vm *vm)
{
	return vm->max;
}

const struct vm_error *vm_last_error(const struct vm *vm)
{
	return &vm->error;
}

void vm_use_reserve(struct vm *vm, bool on)
{
	vm->reserve = on;
}

static void set_error(struct vm *vm, const char *code, const char *message, const char *trace)
{
	char *new_message = xstrdup(message), *new_trace = xstrdup(trace);

	free(vm->error.message);
	free(vm->error.trace);
	vm->error = (struct vm_error){code, new_message, new_trace};
}

/* Nothing returns here: every entry into Lua is protected. If it happens all the same, say so and die. */
static int on_panic(lua_State *L)
{
	const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";

	(void)fprintf(
		stderr, "nomad-operator: internal error: unprotected Lua error: %s\n", message);
	return 0;
}

/* The message handler of vm_call. After the CPU limit hooks are off in here, so no Lua may be called. */
static int on_error(lua_State *L)
{
	struct vm *vm = vm_of(L);

	vm->reserve = true;
	if (lua_cpu_exceeded(vm->cpu))
		return 1;
	luaL_traceback(L, L, NULL, 1);	  /* err trace */
	(void)luaL_tolstring(L, 1, NULL); /* err trace text */
	set_error(vm, "error", lua_tostring(L, -1), lua_tostring(L, -2));
	return 1;
}

static void explain(struct vm *vm, int status, bool exceeded)
{
	char text[128];

	if (exceeded) {
		set_error(vm, "cpu", lua_cpu_message(vm->cpu), "");
	} else if (status == LUA_ERRMEM) {
		(void)snprintf(text, sizeof(text),
			"not enough memory: a generation may use %zu MiB", vm->max >> 20);
		set_error(vm, "memory", text, "");
	} else if (!vm->error.message) {
		set_error(vm, "error", "an error in the handling of an error", "");
	}
}

bool vm_call(struct vm *vm, lua_CFunction fn, void *arg, unsigned cpu)
{
	lua_State *L = vm->L;
	bool exceeded;
	int status;

	free(vm->error.message);
	free(vm->error.trace);
	vm->error = (struct vm_error){.code = "error"};
	/* These need no memory: C functions without upvalues, and three of the twenty slots that are free. */
	lua_pushcfunction(L, on_error);
	lua_pushcfunction(L, fn);
	lua_pushlightuserdata(L, arg);
	lua_cpu_begin(vm->cpu, L, cpu);
	status = lua_pcall(L, 1, 0, 1);
	exceeded = lua_cpu_end(vm->cpu);
	lua_settop(L, 0);
	vm->reserve = false;
	if (status == LUA_OK)
		return true;
	explain(vm, status, exceeded);
	return false;
}

static int setup(lua_State *L)
{
	const struct vm_options *o = lua_touserdata(L, 1);

	lua_cpu_attach(o->cpu, L);
	lua_error_open(L);
	lua_buf_open(L);
	lua_sandbox_open(L);
	lua_library_open(L, o->lib_dir);
	return 0;
}

struct vm *vm_new(const struct vm_options *o, char **error)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	struct vm_options options = *o;

	vm->max = o->memory_max;
	vm->large_next = LARGE_STEP;
	vm->cpu = o->cpu;
	vm->user = o->user;
	vm->pool = pool_new();
	vm->L = lua_newstate(allocate, vm);
	if (!vm->L) {
		*error = xstrdup("not enough memory for a Lua state");
		pool_free(vm->pool);
		free(vm);
		return NULL;
	}
	(void)lua_atpanic(vm->L, on_panic);
	/* Coroutines copy this; task_spawn sets it in those that may wait. */
	*(void **)lua_getextraspace(vm->L) = NULL;
	if (!vm_call(vm, setup, &options, VM_CPU_LOAD)) {
		*error = xstrdup(vm->error.message);
		vm_free(vm);
		return NULL;
	}
	return vm;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	vm->reserve = true;
	lua_close(vm->L);
	pool_free(vm->pool);
	free(vm->error.message);
	free(vm->error.trace);
	free(vm);
}
