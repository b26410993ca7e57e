/* lua_sandbox: see lua_sandbox.h. */
#include "lua_sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "json_globals.h"
#include "json_lazy.h"
#include "lua_coroutine.h"
#include "lua_cpu.h"

/* The handler of xpcall, with the script's own as upvalue. */
static int on_error(lua_State *L)
{
	if (lua_cpu_exceeded(lua_cpu_of(L)))
		return 1;
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* ok, results … are above the two arguments of xpcall_ that have been kept. */
static int finish_xpcall(lua_State *L, int status, lua_KContext skip)
{
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_pushboolean(L, 0);
		lua_pushvalue(L, -2);
		return 2;
	}
	return lua_gettop(L) - (int)skip;
}

static int xpcall_(lua_State *L)
{
	int arguments = lua_gettop(L) - 2;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, on_error, 1); /* f h args … handler */
	lua_replace(L, 2);		  /* f handler args … */
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2); /* f handler true f args … */
	return finish_xpcall(L, lua_pcallk(L, arguments, LUA_MULTRET, 2, 2, finish_xpcall), 2);
}

static int setmetatable_(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	json_lazy_touch(L, 1);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (lua_istable(L, 2)) {
		lua_pushvalue(L, lua_upvalueindex(1)); /* "__gc" */
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not supported here: use a to-be-closed "
					     "variable, local x <close>");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* load(chunk [, name [, mode [, env]]]) with mode "t" whatever was asked for; upvalue: the original. */
static int load_(lua_State *L)
{
	if (lua_gettop(L) < 3)
		lua_settop(L, 3);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* Stopping the collector would turn garbage into the end of the generation. */
static int collectgarbage_(lua_State *L)
{
	const char *what = luaL_optstring(L, 1, "collect");

	if (strcmp(what, "collect") == 0) {
		lua_gc(L, LUA_GCCOLLECT);
		lua_pushinteger(L, 0);
	} else if (strcmp(what, "count") == 0) {
		lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
	} else {
		return luaL_argerror(L, 1, "only \"collect\" and \"count\" are supported here");
	}
	return 1;
}

static void keep_only(lua_State *L, const char *library, const char *const *names)
{
	lua_getglobal(L, library);
	lua_newtable(L); /* full kept */
	for (; *names; names++) {
		lua_getfield(L, -2, *names);
		lua_setfield(L, -2, *names);
	}
	lua_pushvalue(L, -1);
	lua_setglobal(L, library);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); /* full kept loaded */
	lua_insert(L, -2);					  /* full loaded kept */
	lua_setfield(L, -2, library);
	lua_pop(L, 2);
}

static void open_standard(lua_State *L)
{
	static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
		{LUA_LOADLIBNAME, luaopen_package}, {LUA_COLIBNAME, luaopen_coroutine},
		{LUA_TABLIBNAME, luaopen_table}, {LUA_OSLIBNAME, luaopen_os},
		{LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
		{LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_DBLIBNAME, luaopen_debug}, {NULL, NULL}};

	for (const luaL_Reg *lib = libraries; lib->func; lib++) {
		luaL_requiref(L, lib->name, lib->func, 1);
		lua_pop(L, 1);
	}
}

static void remove_global(lua_State *L, const char *name)
{
	lua_pushnil(L);
	lua_setglobal(L, name);
}

void lua_sandbox_open(lua_State *L)
{
	static const char *const os[] = {"clock", "date", "difftime", "time", NULL};
	/* sethook is for the library that finds the line of a policy; scripts have no debug at all. A hook of the
	 * watch that it replaces is set again at the next tick. */
	static const char *const debug[] = {"getinfo", "sethook", "traceback", NULL};

	open_standard(L);
	keep_only(L, LUA_OSLIBNAME, os);
	keep_only(L, LUA_DBLIBNAME, debug);
	lua_getglobal(L, LUA_STRLIBNAME);
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	lua_pop(L, 1);
	remove_global(L, "loadfile");
	remove_global(L, "dofile");
	lua_getglobal(L, "load");
	lua_pushcclosure(L, load_, 1);
	lua_setglobal(L, "load");
	json_globals_set(L);
	lua_register(L, "xpcall", xpcall_);
	lua_pushliteral(L, "__gc");
	lua_pushcclosure(L, setmetatable_, 1);
	lua_setglobal(L, "setmetatable");
	lua_register(L, "collectgarbage", collectgarbage_);
	lua_coroutine_open(L);
}
