/* lua_fixture: a Lua state with tasks on a loop of its own, for the host's tests; the log is kept as text. */
#ifndef LUA_FIXTURE_H
#define LUA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lua_context.h"
#include "lua_cpu.h"
#include "lua_host.h"

#define FIXTURE_CPU 200 /* ms a slice */
#define FIXTURE_MEMORY ((size_t)32 * 1024 * 1024)
#define FIXTURE_PATIENCE 20.0 /* seconds that a condition is waited for */

struct fixture {
	uv_loop_t loop;
	struct config config;
	struct lua_context context;
	struct vm *vm;
	FILE *log_file;
	char *log_text;
	size_t log_len;
};

struct chunk {
	const char *text;
	bool result; /* its first result as a boolean */
};

static inline int fixture_open_host(lua_State *L)
{
	lua_host_open(L);
	return 0;
}

/* The state and its tasks; false where the memory is not enough for them. */
static inline bool fixture_open_vm(struct fixture *f, size_t memory_max)
{
	struct vm_options o = {
		.memory_max = memory_max, .cpu = f->context.cpu, .user = &f->context};
	struct tasks_options tasks = {
		.turn = f->context.turn, .log = f->context.log, .cpu = FIXTURE_CPU};
	char *error = NULL;

	f->vm = vm_new(&o, &error);
	free(error);
	if (!f->vm)
		return false;
	tasks.vm = f->vm;
	f->context.tasks = tasks_new(&tasks);
	return vm_call(f->vm, fixture_open_host, NULL, VM_CPU_LOAD);
}

static inline void fixture_close_vm(struct fixture *f)
{
	if (!f->vm)
		return;
	tasks_cancel_all(f->context.tasks);
	vm_free(f->vm);
	tasks_free(f->context.tasks);
	f->vm = NULL;
	f->context.tasks = NULL;
}

static inline void fixture_open(struct fixture *f, size_t memory_max)
{
	static char address[] = "http://127.0.0.1:4646", instance[] = "default";

	*f = (struct fixture){.config = {.address = address, .instance = instance}};
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->log_file = open_memstream(&f->log_text, &f->log_len);
	f->context = (struct lua_context){.loop = &f->loop,
		.turn = turn_new(&f->loop),
		.config = &f->config,
		.log = log_new(f->log_file, LOG_DEBUG, LOG_LOGFMT),
		.store = store_new(),
		.metrics = metrics_new(),
		.cpu = lua_cpu_new(),
		.generation = 1};
	assert_non_null(f->context.cpu);
	if (memory_max > 0)
		assert_true(fixture_open_vm(f, memory_max));
}

/* Ends with proof that no handle is left. */
static inline void fixture_close(struct fixture *f)
{
	fixture_close_vm(f);
	turn_free(f->context.turn);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	log_free(f->context.log);
	store_free(f->context.store);
	metrics_free(f->context.metrics);
	lua_cpu_free(f->context.cpu);
	(void)fclose(f->log_file);
	free(f->log_text);
}

/* A fixture for each test of a group: for fixture_test. */
static inline int fixture_set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	fixture_open(f, FIXTURE_MEMORY);
	*state = f;
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static inline int fixture_run_chunk(lua_State *L)
{
	struct chunk *c = lua_touserdata(L, 1);

	if (luaL_loadbufferx(L, c->text, strlen(c->text), "@test.lua", "t") != LUA_OK)
		return lua_error(L);
	lua_getglobal(L, "require");
	lua_pushliteral(L, "host");
	lua_call(L, 1, 1);
	lua_call(L, 1, 1);
	c->result = lua_toboolean(L, -1);
	return 0;
}

/* Runs Lua text outside any task; it gets host as its argument. */
static inline bool fixture_try(struct fixture *f, const char *text)
{
	struct chunk c = {.text = text};

	return vm_call(f->vm, fixture_run_chunk, &c, FIXTURE_CPU);
}

static inline void fixture_do(struct fixture *f, const char *text)
{
	if (!fixture_try(f, text))
		fail_msg("%s", vm_last_error(f->vm)->message);
}

static inline bool fixture_is(struct fixture *f, const char *expression)
{
	char *text = xasprintf("return %s", expression);
	struct chunk c = {.text = text};
	bool ok = vm_call(f->vm, fixture_run_chunk, &c, FIXTURE_CPU);

	free(text);
	if (!ok)
		fail_msg("%s", vm_last_error(f->vm)->message);
	return c.result;
}

static inline void fixture_on_patience_over(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Turns the loop until no task is left. */
static inline void fixture_finish(struct fixture *f)
{
	bool late = false;
	uv_timer_t timer;

	assert_int_equal(uv_timer_init(&f->loop, &timer), 0);
	timer.data = &late;
	assert_int_equal(uv_timer_start(&timer, fixture_on_patience_over,
				 (uint64_t)(FIXTURE_PATIENCE * 1000), 0),
		0);
	while (tasks_count(f->context.tasks) > 0 && !late)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_false(late);
}

/* Defines global `task`: what runs as a task with its end in the global `ended`; then waits for all tasks. */
static inline void fixture_task(struct fixture *f, const char *body)
{
	char *text = xasprintf("local host = ...\n"
			       "ended = nil\n"
			       "host.spawn('test', function() %s\nend, function(ok, value, trace)\n"
			       "  ended = { ok = ok, value = value, trace = trace }\n"
			       "end)",
		body);

	fixture_do(f, text);
	free(text);
	fixture_finish(f);
	assert_true(fixture_is(f, "ended ~= nil"));
}

#define fixture_test(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#define assert_lua(f, expression)                                                                  \
	do {                                                                                       \
		if (!fixture_is(f, expression))                                                    \
			fail_msg("not so: %s", expression);                                        \
	} while (0)

#define assert_log(f, part)                                                                        \
	do {                                                                                       \
		(void)fflush((f)->log_file);                                                       \
		if (!strstr((f)->log_text, part))                                                  \
			fail_msg("the log does not hold \"%s\": %s", part, (f)->log_text);         \
	} while (0)

#endif
