/* json_globals: the functions of the standard library that read tables raw, and cjson's encoder, for states in which
 * tables may be lazy (json_lazy): they decode such a table first, so that nobody sees the difference. */
#ifndef JSON_GLOBALS_H
#define JSON_GLOBALS_H

#include <lua.h>

/* Pushes a table with next, rawget, rawset, rawlen, getmetatable and setmetatable. */
void json_globals_push(lua_State *L);

/* Makes those the globals of the state. */
void json_globals_set(lua_State *L);

/* Gives cjson or cjson.safe, on top of the stack, an encode that decodes what is lazy first; and those that its `new`
 * makes. */
void json_globals_wrap_cjson(lua_State *L);

#endif
