/* test_json: what C callers need of json, and what only C can show: reads within bounds, the Lua stack, and
 * every allocation failing once. The language itself is tested by spec/host/json_spec.lua. */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "json_lazy.h"

/* Decodes a copy without a NUL behind it, so that the sanitizer sees a read too far. */
static bool push_copy(lua_State *L, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	bool ok = json_push(L, copy, len);
	free(copy);
	return ok;
}

static void test_push(void **state)
{
	lua_State *L = luaL_newstate();
	(void)state;

	assert_true(push_copy(L, " {\"a\":[1,2.5,null],\"b\":null,\"c\":\"x\\u00e9\"} "));
	assert_int_equal(lua_gettop(L), 1);
	assert_int_equal(lua_getfield(L, 1, "b"), LUA_TNIL);
	lua_getfield(L, 1, "c");
	assert_string_equal(lua_tostring(L, -1), "x\xc3\xa9");
	lua_getfield(L, 1, "a");
	lua_rawgeti(L, -1, 1);
	assert_true(lua_isinteger(L, -1));
	lua_rawgeti(L, -2, 2);
	assert_false(lua_isinteger(L, -1));
	lua_rawgeti(L, -3, 3);
	json_push_null(L);
	assert_true(lua_rawequal(L, -1, -2));
	lua_close(L);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"", "line 1, column 1: expected a value, found the end of the text"},
		{"{\"a\"}", "line 1, column 5: expected ':' after a key, found '}'"},
		{"[1,\n 2,\n]", "line 3, column 1: expected a value, found ']'"},
		{"\"ab", "line 1, column 4: expected the closing '\"' of a string, found the end "
			 "of the text"},
		{"\"\\", "line 1, column 3: expected one of \" \\ / b f n r t u after a backslash, "
			 "found the end "
			 "of the text"},
		{"\"\\u00", "line 1, column 6: expected four hex digits after '\\u', found the end "
			    "of the text"},
		{"[tru", "line 1, column 2: expected a value, found 'tru'"},
		{"-", "line 1, column 2: expected a digit after '-', found the end of the text"},
		{"1.", "line 1, column 3: expected a digit after '.', found the end of the text"},
		{"1e+", "line 1, column 4: expected a digit in the exponent, found the end of the "
			"text"},
		{"{} x", "line 1, column 4: expected the end of the text after the value, found "
			 "'x'"},
		{"\x01", "line 1, column 1: expected a value, found the byte 0x01"},
	};
	lua_State *L = luaL_newstate();
	(void)state;

	lua_pushinteger(L, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(push_copy(L, cases[i].text));
		assert_int_equal(lua_gettop(L), 2); /* 7 message */
		assert_string_equal(lua_tostring(L, -1), cases[i].message);
		lua_pop(L, 1);
	}
	lua_close(L);
}

/* Every proper beginning of a text is refused, and none reads past its end. */
static void test_cut_short(void **state)
{
	static const char text[] = "{\"k\\n\":[true,false,null,-1.5e+3,\"\\ud83d\\ude00 text that "
				   "is long\"],\"z\":{}}";
	char part[sizeof(text)];
	lua_State *L = luaL_newstate();
	(void)state;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		memcpy(part, text, len);
		part[len] = '\0';
		assert_false(push_copy(L, part));
		lua_settop(L, 0);
	}
	assert_true(push_copy(L, text));
	lua_close(L);
}

static void test_text(void **state)
{
	lua_State *L = luaL_newstate();
	(void)state;

	assert_true(push_copy(L, "{\"b\":[],\"a\":{},\"\":1e3}"));
	json_push_text(L, -1, (struct json_format){.sorted = true});
	assert_string_equal(lua_tostring(L, -1), "{\"\":1000,\"a\":{},\"b\":[]}");
	assert_int_equal(lua_gettop(L), 2);
	json_push_text(L, 1, (struct json_format){.sorted = true, .indent = 1});
	assert_string_equal(lua_tostring(L, -1), "{\n \"\": 1000,\n \"a\": {},\n \"b\": []\n}");
	lua_close(L);
}

static void test_digest(void **state)
{
	static const char canonical[] = "{\"a\":[1,null,\"x\"],\"b\":2}";
	uint64_t expected = 0xcbf29ce484222325U;
	lua_State *L = luaL_newstate();
	(void)state;

	for (const char *p = canonical; *p; p++)
		expected = (expected ^ (unsigned char)*p) * 0x100000001b3U;
	assert_true(push_copy(L, "{ \"b\": 2.0, \"a\": [1, null, \"\\u0078\"] }"));
	assert_true(json_digest(L, -1) == expected);
	assert_int_equal(lua_gettop(L), 1);
	lua_pushliteral(
		L, "a"); /* the published test value of FNV-1a, with the quotes this text has */
	assert_true(
		json_digest(L, -1) ==
		(((((0xcbf29ce484222325U ^ '"') * 0x100000001b3U) ^ 'a') * 0x100000001b3U) ^ '"') *
			0x100000001b3U);
	lua_close(L);
}

/* An allocator that counts what is out and refuses from the nth request on. */
struct meter {
	size_t out;
	long left; /* requests that still succeed; negative: all */
};

static void *metered(void *user, void *block, size_t old, size_t size)
{
	struct meter *m = user;
	size_t had = block ? old : 0;

	if (size == 0) {
		free(block);
		m->out -= had;
		return NULL;
	}
	if (size > had) {
		if (m->left == 0)
			return NULL;
		if (m->left > 0)
			m->left--;
	}
	void *moved = realloc(block, size);
	if (moved)
		m->out += size - had;
	return moved;
}

static int whole_trip(lua_State *L)
{
	static const char text[] =
		"{\"array\":[1,2,[],{\"deep\":null}],\"text\":\"\\u00e9scaped\",\"n\":1.25}";

	if (!json_push(L, text, sizeof(text) - 1))
		return lua_error(L);
	for (lua_Integer i = 1; i <= 400; i++) { /* enough to outgrow the first buffer */
		lua_pushfstring(L, "key %I", (LUAI_UACINT)i);
		lua_pushvalue(L, -1);
		lua_rawset(L, 1);
	}
	(void)json_digest(L, 1);
	json_push_text(L, 1, (struct json_format){.sorted = true, .indent = 2});
	size_t len;
	const char *again = lua_tolstring(L, -1, &len);
	if (!json_push(L, again, len))
		return lua_error(L);
	return 0;
}

/* Pushes {"list":[…]} with a list that is left as text. */
static void push_lazy(lua_State *L)
{
	char text[JSON_LAZY_ABOVE + 100] = "{\"list\":[1,{\"a\":2},\"";
	size_t len = strlen(text);

	memset(text + len, 'x', JSON_LAZY_ABOVE);
	len += JSON_LAZY_ABOVE;
	memcpy(text + len, "\"]}", 3);
	lua_pushlstring(L, text, len + 3);
	if (!json_push_lazy(L, -1, 1))
		lua_error(L);
	lua_remove(L, -2);
}

static void test_lazy(void **state)
{
	struct json_lazy lazy;
	lua_State *L = luaL_newstate();
	(void)state;

	push_lazy(L);
	assert_int_equal(lua_gettop(L), 1);
	assert_false(json_lazy_is(L, 1, &lazy));
	lua_pushliteral(L, "list");
	lua_rawget(L, 1);
	assert_true(json_lazy_is(L, -1, &lazy));
	assert_int_equal(lazy.text[0], '[');
	assert_int_equal(lazy.text[lazy.len - 1], ']');
	assert_int_equal(lazy.levels, 2);
	assert_int_equal(lua_rawlen(L, 2), 0);
	json_lazy_touch(L, -1);
	assert_int_equal(lua_gettop(L), 2);
	assert_false(json_lazy_is(L, -1, &lazy));
	assert_int_equal(lua_rawlen(L, 2), 3);
	json_lazy_touch(L, -1);
	lua_pushinteger(L, 1);
	json_lazy_touch(L, -1);
	json_lazy_touch_all(L, -1);
	assert_int_equal(lua_gettop(L), 3);
	lua_close(L);
}

/* Whatever of the touch fails, the next one finds the table as before. */
static int touch_again(lua_State *L)
{
	struct json_lazy lazy;

	lua_getfield(L, LUA_REGISTRYINDEX, "value");
	lua_pushliteral(L, "list");
	lua_rawget(L, -2);
	(void)json_lazy_is(L, -1, &lazy);
	json_lazy_touch(L, -1);
	json_push_text(L, -2, (struct json_format){.sorted = true});
	if (lua_rawlen(L, -1) != JSON_LAZY_ABOVE + 23)
		return luaL_error(L, "%s", lua_tostring(L, -1));
	return 0;
}

static int make_lazy(lua_State *L)
{
	push_lazy(L);
	lua_setfield(L, LUA_REGISTRYINDEX, "value");
	return 0;
}

static void test_touch_without_memory(void **state)
{
	long failures = 0;
	(void)state;

	for (long n = 0;; n++) {
		struct meter m = {.out = 0, .left = -1};
		lua_State *L = lua_newstate(metered, &m);
		assert_non_null(L);
		lua_pushcfunction(L, make_lazy);
		assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
		lua_pushcfunction(L, touch_again);
		m.left = n;
		int status = lua_pcall(L, 0, 0, 0);
		m.left = -1;
		assert_true(status == LUA_OK || status == LUA_ERRMEM);
		lua_pushcfunction(L, touch_again);
		assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
		lua_close(L);
		assert_int_equal(m.out, 0);
		if (status == LUA_OK)
			break;
		failures++;
	}
	assert_in_range(failures, 3, 1000);
}

static void test_every_allocation_fails_once(void **state)
{
	long failures = 0;
	(void)state;

	for (long n = 0;; n++) {
		struct meter m = {.out = 0, .left = -1};
		lua_State *L = lua_newstate(metered, &m);
		assert_non_null(L);
		lua_pushcfunction(L, whole_trip);
		m.left = n;
		int status = lua_pcall(L, 0, 0, 0);
		m.left = -1;
		assert_true(status == LUA_OK || status == LUA_ERRMEM);
		lua_close(L);
		assert_int_equal(m.out, 0);
		if (status == LUA_OK)
			break;
		failures++;
	}
	assert_in_range(failures, 50, 100000);
}

static int raise_on_function(lua_State *L)
{
	lua_newtable(L);
	lua_pushcfunction(L, raise_on_function);
	lua_setfield(L, -2, "f");
	json_push_text(L, -1, (struct json_format){.sorted = false});
	return 0;
}

static void test_what_cannot_be_written_raises(void **state)
{
	lua_State *L = luaL_newstate();
	(void)state;

	lua_pushcfunction(L, raise_on_function);
	assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
	assert_string_equal(lua_tostring(L, -1), "cannot be written as JSON: f is a function");
	lua_close(L);
}

static void test_module_leaves_one_value(void **state)
{
	lua_State *L = luaL_newstate();
	(void)state;

	luaL_requiref(L, "host.json", luaopen_host_json, false);
	assert_int_equal(lua_gettop(L), 1);
	assert_int_equal(lua_getfield(L, 1, "null"), LUA_TUSERDATA);
	luaL_tolstring(L, -1, NULL);
	assert_string_equal(lua_tostring(L, -1), "null");
	lua_close(L);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_lazy),
		cmocka_unit_test(test_touch_without_memory),
		cmocka_unit_test(test_every_allocation_fails_once),
		cmocka_unit_test(test_what_cannot_be_written_raises),
		cmocka_unit_test(test_module_leaves_one_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
