/* lua_class: see lua_class.h. */
#include "lua_class.h"

#include <stdbool.h>

void lua_class_open(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *meta)
{
	(void)luaL_newmetatable(L, name);
	lua_pushvalue(L, -1);
	luaL_setfuncs(L, meta, 1);
	lua_newtable(L);
	lua_pushvalue(L, -2);
	luaL_setfuncs(L, methods, 1); /* class methods */
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void *lua_class_self(lua_State *L, const char *name)
{
	if (lua_getmetatable(L, 1)) {
		bool ours = lua_rawequal(L, -1, lua_upvalueindex(1));

		lua_pop(L, 1);
		if (ours)
			return lua_touserdata(L, 1);
	}
	return luaL_checkudata(L, 1, name);
}
