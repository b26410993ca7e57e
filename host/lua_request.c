/* lua_request: see lua_request.h. */
#include "lua_request.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "json_lazy.h"
#include "lua_error.h"

#define QUERY_PARAMETERS_MAX 64
#define QUERY_BYTES_MAX ((size_t)1024 * 1024)

void lua_request_init(struct lua_request *r)
{
	*r = (struct lua_request){.retry_after = -1};
	buf_init(&r->query, QUERY_BYTES_MAX);
}

void lua_request_free(struct lua_request *r)
{
	buf_free(&r->query);
	free(r->message);
	free(r->body);
	r->message = NULL;
	r->body = NULL;
	r->body_len = 0;
}

/* What the userdata at `keep` holds on to: strings that the call points into. */
enum { KEEP_METHOD = 1, KEEP_PATH, KEEP_BODY, KEEP_COUNT = KEEP_BODY };
_Static_assert(KEEP_COUNT == LUA_REQUEST_KEPT, "there is a user value for each of them");

/* The field of the request as a string that is that user value of the userdata at `keep`; NULL if it is absent. */
static const char *string_field(
	lua_State *L, int index, int keep, int value, const char *name, size_t *len)
{
	const char *text;

	if (lua_getfield(L, index, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return NULL;
	}
	text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, len) : NULL;
	if (!text)
		luaL_error(L, "the request's %s is a string, not a %s", name, luaL_typename(L, -1));
	lua_setiuservalue(L, keep, value);
	return text;
}

static bool is_method(const char *text, size_t len)
{
	return len > 0 && len <= 16 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* Nothing that could end the request line, or be read as a query. */
static bool is_path(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '?' || c == '#')
			return false;
	}
	return text[0] == '/';
}

static bool add_parameter(
	struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	return (b->len == 0 || buf_add(b, "&", 1)) && api_escape(b, name, name_len) &&
	       buf_add(b, "=", 1) && api_escape(b, value, len);
}

/* Copies the query table at `index`, names sorted, into r. Only strings, numbers and booleans are in it. */
static void read_query(lua_State *L, int index, struct lua_request *r)
{
	const char *names[QUERY_PARAMETERS_MAX];
	size_t count = 0, i;
	bool ok = true;

	json_lazy_touch(L, index);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		int type = lua_type(L, -1);

		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "the name of a query parameter is a string");
		if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
			luaL_error(L, "query parameter %s is a string, number or boolean, not a %s",
				lua_tostring(L, -2), lua_typename(L, type));
		if (count == QUERY_PARAMETERS_MAX)
			luaL_error(L, "a request has at most %d query parameters",
				QUERY_PARAMETERS_MAX);
		for (i = count++; i > 0 && strcmp(names[i - 1], lua_tostring(L, -2)) > 0; i--)
			names[i] = names[i - 1];
		names[i] = lua_tostring(L, -2);
	}
	for (i = 0; ok && i < count; i++) {
		const char *value;
		size_t len;

		lua_getfield(L, index, names[i]);
		value = luaL_tolstring(L, -1, &len);
		ok = add_parameter(&r->query, names[i], strlen(names[i]), value, len);
		lua_pop(L, 2);
	}
	if (!ok)
		luaL_error(L, "the request's query is longer than 1 MiB");
	r->call.query = count ? buf_text(&r->query) : NULL;
}

static double number_field(lua_State *L, int index, const char *name)
{
	double value = 0;

	if (lua_getfield(L, index, name) != LUA_TNIL) {
		value = lua_tonumber(L, -1);
		if (!(value > 0))
			luaL_error(L, "the request's %s is a number above 0", name);
	}
	lua_pop(L, 1);
	return value;
}

void lua_request_read(lua_State *L, int index, int keep, struct lua_request *r, const char *what)
{
	size_t len = 0;

	luaL_checktype(L, index, LUA_TTABLE);
	luaL_checkstack(L, 8, NULL);
	r->call.method = string_field(L, index, keep, KEEP_METHOD, "method", &len);
	if (!r->call.method)
		r->call.method = "GET";
	else if (!is_method(r->call.method, len))
		luaL_error(L, "%s: a method is GET, PUT, POST, DELETE …", what);
	r->call.path = string_field(L, index, keep, KEEP_PATH, "path", &len);
	if (!r->call.path)
		luaL_error(L, "%s: the request has no path", what);
	else if (!is_path(r->call.path, len))
		luaL_error(L,
			"%s: a path begins with / and holds no space, control character, ? or #: "
			"put names "
			"through nomad.escape and parameters into query",
			what);
	r->call.body = string_field(L, index, keep, KEEP_BODY, "body", &r->call.body_len);
	r->call.timeout = number_field(L, index, "timeout");
	r->call.body_max = (size_t)number_field(L, index, "max");
	if (lua_getfield(L, index, "query") == LUA_TTABLE)
		read_query(L, lua_gettop(L), r);
	else if (!lua_isnil(L, -1))
		luaL_error(L, "%s: the request's query is a table", what);
	lua_pop(L, 1);
}

static char *copy(const char *data, size_t len)
{
	char *text = xmalloc(len + 1);

	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

static void set_code(struct lua_request *r, const char *code)
{
	const char *text = code ? code : "internal";
	size_t len = strnlen(text, sizeof(r->code) - 1);

	memcpy(r->code, text, len);
	r->code[len] = '\0';
}

void lua_request_answer(struct lua_request *r, const struct api_result *result, bool body)
{
	r->ok = result->error == API_OK;
	set_code(r, result->code);
	if (!r->ok)
		r->message = xstrdup(result->message ? result->message : "the request failed");
	if (result->body && (body || !r->ok)) {
		r->body = copy(result->body, result->body_len);
		r->body_len = result->body_len;
	}
	r->status = result->http.status;
	r->index = result->http.nomad_index;
	r->retryable = result->retryable;
	r->retry_after = result->http.retry_after;
}

void lua_request_refuse(struct lua_request *r, const char *code, bool retryable, const char *what)
{
	free(r->message);
	r->ok = false;
	r->message = xasprintf("%s %s: %s", r->call.method, r->call.path, what);
	r->retryable = retryable;
	set_code(r, code);
}

int lua_request_push_error(lua_State *L, const struct lua_request *r)
{
	lua_pushnil(L);
	lua_error_push(L, r->code, r->message ? r->message : "the request failed");
	lua_pushfstring(L, "%s %s", r->call.method, r->call.path);
	lua_setfield(L, -2, "request");
	lua_pushboolean(L, r->retryable);
	lua_setfield(L, -2, "retryable");
	if (r->status > 0) {
		lua_pushinteger(L, r->status);
		lua_setfield(L, -2, "status");
	}
	if (r->retry_after >= 0) {
		lua_pushnumber(L, r->retry_after);
		lua_setfield(L, -2, "retry_after");
	}
	if (r->body) {
		lua_pushlstring(L, r->body, r->body_len);
		lua_setfield(L, -2, "body");
	}
	return 2;
}
