/* json_fill: JSON text with gaps, and what stands in these: host.json.texts, host.json.fill and
 * host.json.fill_digest. */
#ifndef JSON_FILL_H
#define JSON_FILL_H

#include <lua.h>

/* (given, names, room, barred) -> a list of texts, or nil. */
int json_texts(lua_State *L);

/* (pieces, values) -> the text. */
int json_fill(lua_State *L);

/* (pieces, values) -> the digest of the text. */
int json_fill_digest(lua_State *L);

#endif
