/* lua_files: see lua_files.h. */
#include "lua_files.h"

#include <lauxlib.h>
#include <string.h>

#include "files.h"
#include "lua_buf.h"
#include "lua_context.h"

/* nil, "path: what is wrong" */
static int failure(lua_State *L, const char *path, const char *error)
{
	lua_pushnil(L);
	lua_pushfstring(L, "%s: %s", path, error);
	return 2;
}

/* A path with a NUL would name another file than it says. */
static const char *check_path(lua_State *L)
{
	size_t len;
	const char *path = luaL_checklstring(L, 1, &len);

	luaL_argcheck(L, strlen(path) == len, 1, "a path holds no NUL");
	return path;
}

static int read_file(lua_State *L)
{
	const char *path = check_path(L);
	struct buf *b = lua_buf_push(L, FILES_SIZE_MAX);
	const char *error;

	if (!files_read(path, b, &error))
		return failure(L, path, error);
	lua_pushlstring(L, b->data ? b->data : "", b->len);
	buf_free(b);
	return 1;
}

/* It blocks the loop: a command has nothing else to do meanwhile. */
static int read_input(lua_State *L)
{
	struct buf *b = lua_buf_push(L, FILES_SIZE_MAX);
	const char *error;

	if (lua_context(L)->config->command == COMMAND_RUN)
		return luaL_error(L, "host.read_input: the operator has no standard input");
	if (!files_read_input(b, &error))
		return failure(L, "standard input", error);
	lua_pushlstring(L, b->data ? b->data : "", b->len);
	buf_free(b);
	return 1;
}

static int list_dir(lua_State *L)
{
	const char *path = check_path(L);
	struct buf *b = lua_buf_push(L, FILES_SIZE_MAX);
	const char *error;
	lua_Integer count = 0;

	if (!files_list(path, b, &error))
		return failure(L, path, error);
	lua_newtable(L);
	for (size_t at = 0; at < b->len; at += strlen(b->data + at) + 1) {
		lua_pushstring(L, b->data + at);
		lua_rawseti(L, -2, ++count);
	}
	buf_free(b);
	return 1;
}

void lua_files_add(lua_State *L)
{
	static const luaL_Reg functions[] = {{"read_file", read_file}, {"read_input", read_input},
		{"list_dir", list_dir}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
}
