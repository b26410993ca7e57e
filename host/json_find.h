/* json_find: does a text occur in the JSON of a value? Of one that is still text no table is made, nor a copy. */
#ifndef JSON_FIND_H
#define JSON_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* The value at `index`, as json_push_text writes it in one line; of one that is still text, as it stands there. The text is not
 * empty. Raises what json_push_text does. */
bool json_find(lua_State *L, int index, const char *text, size_t len);

#endif
