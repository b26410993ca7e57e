/* lua_sandbox: Lua's standard libraries, without what reaches around the host, and with some functions
 * replaced so that the CPU limit holds whatever a script does:
 *   coroutine.*   tell the watch which coroutine runs; a task's own coroutine can be neither resumed,
 *                 closed nor yielded by a script
 *   xpcall        its handler is not called for the CPU limit's error (hooks are off inside handlers)
 *   setmetatable  refuses __gc (hooks are off inside finalizers)
 *   load          text only
 * Left out: io, loadfile, dofile, collectgarbage's "stop", string.dump, package.loadlib, most of os and debug. */
#ifndef LUA_SANDBOX_H
#define LUA_SANDBOX_H

#include <lua.h>

void lua_sandbox_open(lua_State *L);

#endif
