/* lua_class: userdata with methods. A class's own functions have its metatable as their first upvalue, so that whether
 * they were given one of theirs is one comparison, where luaL_checkudata looks the metatable up by its name. */
#ifndef LUA_CLASS_H
#define LUA_CLASS_H

#include <lauxlib.h>

/* Makes the class. `meta` has its metamethods (__gc, __close). */
void lua_class_open(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *meta);
/* In one of these functions: its userdata, the first argument. Raises an error that names the class. */
void *lua_class_self(lua_State *L, const char *name);

#endif
