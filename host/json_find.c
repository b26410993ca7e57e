/* json_find: see json_find.h. */
#include "json_find.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json.h"
#include "json_lazy.h"

/* Places where the first and the last byte fit are rare, so that sixteen are looked at in one step. */
static bool is_in(const char *p, size_t size, const char *text, size_t len)
{
	const char *end = p + size;
	size_t last = len - 1;

	if (size < len)
		return false;
#ifdef __SSE2__
	const __m128i first_byte = _mm_set1_epi8(text[0]), last_byte = _mm_set1_epi8(text[last]);

	for (; (size_t)(end - p) >= last + 16; p += 16) {
		__m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)p), first_byte);
		__m128i b = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)(p + last)), last_byte);
		unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(a, b));

		for (; hits; hits &= hits - 1)
			if (memcmp(p + __builtin_ctz(hits), text, len) == 0)
				return true;
	}
#endif
	for (; (size_t)(end - p) >= len; p++)
		if (*p == text[0] && memcmp(p, text, len) == 0)
			return true;
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
