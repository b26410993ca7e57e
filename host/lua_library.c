/* lua_library: see lua_library.h. */
#include "lua_library.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "files.h"
#include "json.h"
#include "json_globals.h"
#include "lua_buf.h"
#include "lua_packed.h"
#include "lua_scan.h"

/* Debian's header for these lacks prototypes that a C11 compiler accepts without a warning. */
int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);

static int open_cjson(lua_State *L)
{
	(void)luaopen_cjson(L);
	json_globals_wrap_cjson(L);
	return 1;
}

static int open_cjson_safe(lua_State *L)
{
	(void)luaopen_cjson_safe(L);
	json_globals_wrap_cjson(L);
	return 1;
}

/* "operator.queue" → "operator/queue"; raises for what is no module name. */
static const char *check_name(lua_State *L)
{
	size_t len;
	const char *name = luaL_checklstring(L, 1, &len);

	if (len == 0 || len > 200 || name[0] == '.' || strstr(name, "..") ||
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
			len)
		luaL_error(L, "this is not the name of a module");
	return luaL_gsub(L, name, ".", "/");
}

/* A searcher's result: the chunk and where it came from. Only what is built in may be compiled already. */
static int load_chunk(
	lua_State *L, const char *chunk, size_t len, const char *where, const char *mode)
{
	const char *chunkname = lua_pushfstring(L, "@%s", where);

	if (luaL_loadbufferx(L, chunk, len, chunkname, mode) != LUA_OK)
		return lua_error(L);
	lua_pushstring(L, where);
	return 2;
}

/* Upvalue 1: the directory. */
static int search_directory(lua_State *L)
{
	static const char *const forms[] = {"%s/%s.lua", "%s/%s/init.lua"};
	const char *directory = lua_tostring(L, lua_upvalueindex(1));
	const char *name = check_name(L);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *path = lua_pushfstring(L, forms[i], directory, name);
		struct buf *b = lua_buf_push(L, FILES_SIZE_MAX);
		const char *error;

		if (files_read(path, b, &error)) {
			int results = load_chunk(L, b->data ? b->data : "", b->len, path, "t");

			buf_free(b);
			return results;
		}
	}
	lua_pushfstring(L, "no file '%s/%s.lua'", directory, name);
	return 1;
}

static int search_embedded(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const char *path = check_name(L);
	const struct embedded *file = files_embedded(name);
	const char *prefix = lua_pushfstring(L, "%s.", name);

	if (!file) {
		lua_pushfstring(L, "no built-in module '%s'", name);
		return 1;
	}
	/* A module that has others below it is lib/name/init.lua. */
	path = lua_pushfstring(
		L, files_embedded_prefix(prefix) ? "lib/%s/init.lua" : "lib/%s.lua", path);
	return load_chunk(L, (const char *)file->text, file->len, path, "b");
}

void lua_library_preload(lua_State *L, const char *name, lua_CFunction open)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, open);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

static void set_searchers(lua_State *L, const char *lib_dir)
{
	int count = 0;

	lua_getglobal(L, LUA_LOADLIBNAME);
	lua_getfield(L, -1, "searchers"); /* package standard */
	lua_newtable(L);		  /* package standard ours */
	lua_rawgeti(L, -2, 1);		  /* the one that looks in package.preload */
	lua_rawseti(L, -2, ++count);
	if (lib_dir) {
		lua_pushstring(L, lib_dir);
		lua_pushcclosure(L, search_directory, 1);
		lua_rawseti(L, -2, ++count);
	}
	lua_pushcfunction(L, search_embedded);
	lua_rawseti(L, -2, ++count);
	lua_setfield(L, -3, "searchers");
	lua_pop(L, 1); /* package */
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "path");
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "cpath");
	lua_pushnil(L);
	lua_setfield(L, -2, "loadlib");
	lua_pushnil(L);
	lua_setfield(L, -2, "searchpath");
	lua_pop(L, 1);
}

void lua_library_open(lua_State *L, const char *lib_dir)
{
	set_searchers(L, lib_dir);
	lua_library_preload(L, "cjson", open_cjson);
	lua_library_preload(L, "cjson.safe", open_cjson_safe);
	lua_library_preload(L, "host.json", luaopen_host_json);
	lua_library_preload(L, "host.scan", luaopen_host_scan);
	lua_library_preload(L, "host.packed", luaopen_host_packed);
}
