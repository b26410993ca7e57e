/* naive: libcurl, one line after the other, each decoded whole by cjson and given to a Lua policy, which writes before the
 * next line is looked at. As many embed Lua.
 *
 *     NOMAD_ADDR=http://127.0.0.1:4646 naive policy.lua
 */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int luaopen_cjson(lua_State *L);

struct reader {
	lua_State *L;
	char *text;
	size_t len, room;
};

static size_t discard(char *at, size_t size, size_t count, void *user)
{
	(void)at;
	(void)user;
	return size * count;
}

/* call(method, path, body): the status of the answer. */
static int call(lua_State *L)
{
	CURL *easy = lua_touserdata(L, lua_upvalueindex(1));
	const char *address = getenv("NOMAD_ADDR");
	char url[2048];
	long status = 0;

	snprintf(url, sizeof(url), "%s%s", address ? address : "http://127.0.0.1:4646",
		luaL_checkstring(L, 2));
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, luaL_checkstring(L, 1));
	if (lua_isstring(L, 3))
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, lua_tostring(L, 3));
	if (curl_easy_perform(easy) != CURLE_OK)
		return luaL_error(L, "no answer from %s", url);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	lua_pushinteger(L, status);
	return 1;
}

/* The policy is below, on the stack. */
static void on_line(lua_State *L, const char *line, size_t len)
{
	lua_pushvalue(L, -1);
	lua_pushlstring(L, line, len);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		fprintf(stderr, "naive: %s\n", lua_tostring(L, -1));
		exit(1);
	}
}

static size_t on_data(char *at, size_t size, size_t count, void *user)
{
	struct reader *r = user;
	size_t n = size * count;
	char *line, *newline;

	if (r->len + n > r->room) {
		r->room = (r->len + n) * 2;
		r->text = realloc(r->text, r->room);
		if (!r->text)
			return 0;
	}
	memcpy(r->text + r->len, at, n);
	r->len += n;
	line = r->text;
	while ((newline = memchr(line, '\n', r->len - (size_t)(line - r->text))) != NULL) {
		on_line(r->L, line, (size_t)(newline - line));
		line = newline + 1;
	}
	r->len -= (size_t)(line - r->text);
	memmove(r->text, line, r->len);
	return n;
}

int main(int argc, char **argv)
{
	struct reader r = {.L = luaL_newstate()};
	CURL *stream, *calls;
	const char *address = getenv("NOMAD_ADDR");
	char url[2048];

	if (argc != 2 || !r.L)
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	stream = curl_easy_init();
	calls = curl_easy_init();
	luaL_openlibs(r.L);
	luaL_requiref(r.L, "cjson", luaopen_cjson, 0);
	lua_pushlightuserdata(r.L, calls);
	lua_pushcclosure(r.L, call, 1);
	lua_setglobal(r.L, "call");
	if (luaL_dofile(r.L, argv[1]) != LUA_OK) {
		fprintf(stderr, "naive: %s\n", lua_tostring(r.L, -1));
		return 1;
	}
	snprintf(url, sizeof(url), "%s/v1/event/stream?topic=Job&namespace=*",
		address ? address : "http://127.0.0.1:4646");
	curl_easy_setopt(stream, CURLOPT_URL, url);
	curl_easy_setopt(stream, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(stream, CURLOPT_WRITEDATA, &r);
	curl_easy_perform(stream);
	return 0;
}
