/* lua_files: read_file and list_dir: the files of policies. */
#ifndef LUA_FILES_H
#define LUA_FILES_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_files_add(lua_State *L);

#endif
