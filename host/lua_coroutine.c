/* lua_coroutine: see lua_coroutine.h. The coroutine of a task belongs to the host: it is told apart by the
 * pointer in its extra space. */
#include "lua_coroutine.h"

#include <lauxlib.h>
#include <lualib.h>

#include "lua_cpu.h"

static bool is_task(lua_State *co)
{
	return *(void **)lua_getextraspace(co) != NULL;
}

static lua_State *check_thread(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);

	luaL_argexpected(L, co, 1, "coroutine");
	return co;
}

/* Runs co with the top `arguments` values of L. Its results, or its error alone, are then on top of L; returns
 * how many, or -1 for an error. */
static int run(lua_State *L, lua_State *co, int arguments)
{
	struct lua_cpu *cpu = lua_cpu_of(L);
	lua_State *before;
	int status, results;

	if (is_task(co)) {
		lua_pushliteral(L, "this coroutine is a task: the host resumes it");
		return -1;
	}
	if (!lua_checkstack(co, arguments)) {
		lua_pushliteral(L, "too many arguments to resume");
		return -1;
	}
	lua_xmove(L, co, arguments);
	before = lua_cpu_enter(cpu, co);
	status = lua_resume(co, L, arguments, &results);
	lua_cpu_leave(cpu, before);
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_xmove(co, L, 1);
		return -1;
	}
	if (!lua_checkstack(L, results + 1)) {
		lua_pop(co, results);
		lua_pushliteral(L, "too many results to resume");
		return -1;
	}
	lua_xmove(co, L, results);
	return results;
}

static int resume(lua_State *L)
{
	lua_State *co = check_thread(L);
	int results = run(L, co, lua_gettop(L) - 1);

	lua_pushboolean(L, results >= 0);
	if (results < 0)
		results = 1;
	lua_insert(L, -(results + 1));
	return results + 1;
}

/* Closes what co left open; its error, if any, is pushed on L. */
static int shut(lua_State *L, lua_State *co)
{
	struct lua_cpu *cpu = lua_cpu_of(L);
	lua_State *before = lua_cpu_enter(cpu, co);
	int status = lua_resetthread(co);

	lua_cpu_leave(cpu, before);
	if (status != LUA_OK)
		lua_xmove(co, L, 1);
	return status;
}

static int wrapped(lua_State *L)
{
	lua_State *co = lua_tothread(L, lua_upvalueindex(1));
	int results = run(L, co, lua_gettop(L));
	int status = lua_status(co);

	if (results >= 0)
		return results;
	if (status != LUA_OK && status != LUA_YIELD) {
		/* The error goes back on co for its to-be-closed variables, which may replace it. */
		lua_pushvalue(L, -1);
		lua_xmove(L, co, 1);
		(void)shut(L, co);
	}
	if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

static int wrap(lua_State *L)
{
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	co = lua_newthread(L);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	lua_pushcclosure(L, wrapped, 1);
	return 1;
}

static int close(lua_State *L)
{
	lua_State *co = check_thread(L);
	lua_Debug at;

	if (is_task(co))
		return luaL_error(L, "this coroutine is a task: the host closes it");
	if (co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &at) > 0))
		return luaL_error(L, "cannot close a coroutine that is running");
	if (shut(L, co) == LUA_OK) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int yield(lua_State *L)
{
	if (is_task(L))
		return luaL_error(L, "coroutine.yield was called in a task, outside any coroutine "
				     "of its own: call a function that waits instead");
	return lua_yield(L, lua_gettop(L));
}

void lua_coroutine_open(lua_State *L)
{
	static const luaL_Reg functions[] = {{"resume", resume}, {"wrap", wrap}, {"close", close},
		{"yield", yield}, {NULL, NULL}};

	lua_getglobal(L, LUA_COLIBNAME);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
