/* fuzz json: what decodes must encode, decode again to the same digest, and encode to the same text; and what is decoded
 * lazily is the same, whether it is touched, copied or refused. */
#include "json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "json_lazy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool same_text(lua_State *L, int a, int b)
{
	return lua_compare(L, a, b, LUA_OPEQ);
}

/* The text at 1, whose eager value is at 2 with the digest. */
static void must_be_lazy(lua_State *L, int levels, uint64_t digest)
{
	int top = lua_gettop(L);

	must(json_push_lazy(L, 1, levels)); /* copied where it may be: the same when read again */
	json_push_text(L, -1, (struct json_format){.sorted = false});
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);
	must(json_push(L, text, len));
	must(json_digest(L, -1) == digest);
	must(json_digest(L, top + 1) == digest); /* touched by the encoder */
	must(json_push_lazy(L, 1, levels));
	lua_pushvalue(L, -1);
	json_lazy_touch_all(L, -1);
	must(json_digest(L, -1) == digest);
	lua_settop(L, top);
}

/* text message → 2 */
static void must_be_refused_lazily(lua_State *L)
{
	for (int levels = 0; levels < 3; levels++) {
		must(!json_push_lazy(L, 1, levels));
		must(same_text(L, -1, 2));
		lua_settop(L, 2);
	}
}

/* text → 1 */
static int round_trip(lua_State *L)
{
	static const struct json_format plain = {.sorted = true},
					indented = {.sorted = true, .indent = 1};
	size_t len, second_len;
	const char *input = lua_tolstring(L, 1, &len);

	if (!json_push(L, input, len)) {
		must(lua_gettop(L) == 2 && lua_isstring(L, 2));
		must_be_refused_lazily(L);
		return 0;
	}
	uint64_t digest = json_digest(L, 2);
	json_push_text(L, 2, plain); /* input value text */
	const char *text = lua_tolstring(L, 3, &len);
	must(json_push(L, text, len));
	must(json_digest(L, 4) == digest);
	json_push_text(L, 4, plain); /* input value text value text */
	const char *second = lua_tolstring(L, 5, &second_len);
	must(len == second_len && memcmp(text, second, len) == 0);
	json_push_text(L, 2, indented);
	const char *wide = lua_tolstring(L, 6, &len);
	must(json_push(L, wide, len));
	must(json_digest(L, 7) == digest);
	for (int levels = 0; levels < 3; levels++)
		must_be_lazy(L, levels, digest);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lua_State *L = luaL_newstate();
	char *exact = malloc(size ? size : 1);

	must(L != NULL && exact != NULL);
	if (size > 0)
		memcpy(exact, data, size);
	(void)json_push(L, exact, size); /* a text without NUL behind it */
	lua_settop(L, 0);
	lua_pushcfunction(L, round_trip);
	lua_pushlstring(L, exact, size);
	must(lua_pcall(L, 1, 0, 0) == LUA_OK);
	lua_close(L);
	free(exact);
	return 0;
}
