/* json_find: see json_find.h. */
#include "json_find.h"

#include <string.h>

#include "json.h"
#include "json_lazy.h"
#include "pair.h"

static bool is_in(const char *p, size_t size, const char *text, size_t len)
{
	const char *end = p + size;

	while ((p = pair_find(p, end, text[0], text[len - 1], len - 1))) {
		if (memcmp(p, text, len) == 0)
			return true;
		p++;
	}
	return false;
}

bool json_find(lua_State *L, int index, const char *text, size_t len)
{
	struct json_lazy lazy;
	size_t size;
	const char *json;
	bool found;

	if (json_lazy_is(L, index, &lazy) && lazy.levels > 0)
		return is_in(lazy.text, lazy.len, text, len);
	json_push_text(L, index, (struct json_format){.sorted = false});
	json = lua_tolstring(L, -1, &size);
	found = is_in(json, size, text, len);
	lua_pop(L, 1);
	return found;
}
