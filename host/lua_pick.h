/* lua_pick: which elements of a list a script is given; the others are only counted, and their keys kept. */
#ifndef LUA_PICK_H
#define LUA_PICK_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lua_pick;

/* Reads { topic, where, keys } at `index`. Raises for a mistake. What it returns is on top of the stack too, and lives
 * as long as that value does. */
struct lua_pick *lua_pick_push(lua_State *L, int index);
/* Is the element one for the script? */
bool lua_pick_wants(struct lua_pick *p, const char *text, size_t len);
uint64_t lua_pick_left_out(const struct lua_pick *p); /* how many */
/* Had one of them a Meta? */
bool lua_pick_has_meta(const struct lua_pick *p);

#endif
