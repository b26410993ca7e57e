/* lua_error: the error values of the host: tables { code =, message =, … } whose tostring is the message. */
#ifndef LUA_ERROR_H
#define LUA_ERROR_H

#include <lua.h>

void lua_error_open(lua_State *L); /* once a state, first */
/* Each pushes one value, and may raise. */
void lua_error_push(lua_State *L, const char *code, const char *message);
/* Makes the table at index an error. */
void lua_error_mark(lua_State *L, int index);

#endif
