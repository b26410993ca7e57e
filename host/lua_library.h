/* lua_library: where `require` finds modules: those in C, a directory given by -lib, the embedded ones; and
 * nowhere else. */
#ifndef LUA_LIBRARY_H
#define LUA_LIBRARY_H

#include <lua.h>

/* lib_dir NULL: no directory. Copied. */
void lua_library_open(lua_State *L, const char *lib_dir);
/* Makes a C module known by its name. */
void lua_library_preload(lua_State *L, const char *name, lua_CFunction open);

#endif
