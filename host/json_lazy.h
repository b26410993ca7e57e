/* json_lazy: tables whose members are still JSON text, and are decoded when somebody asks for the first of them.
 *
 * Such a table is an empty one with a metatable of its own, which holds the text and whose __index, __newindex, __len
 * and __pairs decode one level into it and then put in its place what an eager decoder would have (the mark of an
 * array, or none). What reads tables raw calls json_lazy_touch first: `next` and its like are replaced in our states
 * (json_globals), and C functions that walk a script's table call it themselves. */
#ifndef JSON_LAZY_H
#define JSON_LAZY_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* A nested value of more bytes is left as text. The fuzzers are built with fewer. */
#ifndef JSON_LAZY_ABOVE
#define JSON_LAZY_ABOVE 1024
#endif

struct json_lazy {
	const char *text; /* of the value; it stays where it is while the table is untouched */
	size_t len;
	int levels; /* of containers in it, if the encoder may copy it; 0: it may not */
};

/* Pushes a table for the value of `len` bytes at `at` in the Lua string at stack index `text`. It holds that string, or,
 * when it is less than an eighth of that, a copy of its part: so what is kept keeps little else. The value has been
 * checked; levels as in struct json_lazy. May raise: no memory. */
void json_lazy_push(lua_State *L, int text, size_t at, size_t len, int levels);

/* Is the value at `index` a table that is still text? */
bool json_lazy_is(lua_State *L, int index, struct json_lazy *lazy);

/* Decodes one level of the value at `index`, if it is a table that is still text. May raise: no memory; then it is as
 * before. */
void json_lazy_touch(lua_State *L, int index);

/* The same for all that the value at `index` holds, however deep. */
void json_lazy_touch_all(lua_State *L, int index);

#endif
