/* json_out: the buffer that a Lua state writes JSON in, kept for the next text while it is small.
 *
 * It counts against the state's memory: the state's allocator makes it. */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stddef.h>

#include <lua.h>

struct json_out {
	char *data;
	size_t cap;
};

/* Pushes the state's buffer, or another one while that is taken. What is not given back is collected. */
struct json_out *json_out_take(lua_State *L);

/* Makes it larger. Raises when there is no memory; then it is as before. */
void json_out_grow(lua_State *L, struct json_out *out, size_t cap);

/* Gives back the buffer on top of the stack, and pops it. */
void json_out_give_back(lua_State *L);

#endif
