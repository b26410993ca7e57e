/* json: JSON that survives a round trip through Lua; the Lua side is described in types/host_json.lua.
 *
 * Integers stay integers (64 bits), arrays are told from objects by a metatable that json_array_meta
 * pushes, null is absent in objects and the value of json_push_null in arrays.
 * All of these may raise (no memory, no stack): they are called inside a task or a protected call only.
 * None holds memory of its own across such a call: what they need is on the C stack or in Lua userdata. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

/* Nesting of arrays and objects, reading and writing. */
#define JSON_DEPTH_MAX 512

/* How json_push_text writes. */
struct json_format {
	bool sorted; /* keys in the order of their bytes */
	int indent;  /* spaces a level; 0: one line */
};

/* Pushes the value of `text` and returns true, or pushes a message ("line 1, column 17: expected …") and
 * returns false. The text must stay where it is until then; it need not end in NUL. */
bool json_push(lua_State *L, const char *text, size_t len);

/* The same, but null is the value of json_push_null in objects too. */
bool json_push_nulls(lua_State *L, const char *text, size_t len);

/* As json_push for the Lua string at `index`; only containers with fewer than `levels` others around them are decoded at once
 * for sure, of the others those above JSON_LAZY_ABOVE bytes become lazy tables. All of the text is checked. */
bool json_push_lazy(lua_State *L, int index, int levels);

/* Pushes the outermost level of a value that was checked, a part of the Lua string at `index`; of what it holds long
 * containers become lazy tables. */
void json_push_level(lua_State *L, int index, const char *text, size_t len);

/* Pushes the JSON text of the value at `index`. Raises a string that names the path of what cannot be written. */
void json_push_text(lua_State *L, int index, struct json_format format);

/* The digest of the value at `index`: FNV-1a (64 bits) over its text, one line, with sorted keys. */
uint64_t json_digest(lua_State *L, int index);

/* The same of a text that was written so. */
uint64_t json_digest_text(const char *text, size_t len);

/* Pushes it as a script sees it, 16 hexadecimal digits. Returns 1. */
int json_push_digest(lua_State *L, uint64_t digest);

/* Push the sentinel for null, and the metatable that marks arrays; both are made on first use. */
void json_push_null(lua_State *L);
void json_push_array_meta(lua_State *L);

/* The module. */
int luaopen_host_json(lua_State *L);

#endif
