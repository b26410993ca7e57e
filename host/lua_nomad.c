/* lua_nomad: see lua_nomad.h. */
#include "lua_nomad.h"

#include <lauxlib.h>

#include "lua_buf.h"
#include "lua_context.h"
#include "lua_error.h"
#include "lua_request.h"

#define REQUEST_META "host.nomad.request"
#define REQUEST_AT 2 /* on the stack of the function that waits */

struct request {
	struct task_wait wait;
	struct lua_request request;
	struct api_request *sent; /* NULL: answered, or given up */
};

static void give_up(struct request *r)
{
	if (r->sent)
		api_cancel(r->sent);
	r->sent = NULL;
}

static void request_abort(struct task_wait *w)
{
	give_up((struct request *)w);
}

static int request_gc(lua_State *L)
{
	struct request *r = luaL_checkudata(L, 1, REQUEST_META);

	task_forget(&r->wait);
	give_up(r);
	lua_request_free(&r->request);
	return 0;
}

static void on_done(struct api_request *sent, const struct api_result *result, void *user)
{
	struct request *r = user;

	(void)sent;
	r->sent = NULL;
	lua_request_answer(&r->request, result, true);
	task_wake(&r->wait);
}

static int push_response(lua_State *L, const struct lua_request *r)
{
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, r->status);
	lua_setfield(L, -2, "status");
	lua_pushlstring(L, r->body ? r->body : "", r->body_len);
	lua_setfield(L, -2, "body");
	if (r->index) {
		lua_pushinteger(L, (lua_Integer)r->index);
		lua_setfield(L, -2, "index");
	}
	return 1;
}

static int request_over(lua_State *L, int status, lua_KContext context)
{
	struct request *r = (struct request *)context;
	int results = r->request.ok ? push_response(L, &r->request)
				    : lua_request_push_error(L, &r->request);

	(void)status;
	/* The body may be large, and the collector comes late. Then it has nothing to call any more. */
	lua_request_free(&r->request);
	lua_pushnil(L);
	lua_setmetatable(L, REQUEST_AT);
	return results;
}

static int request(lua_State *L)
{
	struct lua_context *c = lua_context(L);
	struct request *r;

	lua_settop(L, 1);
	task_check(L, "nomad.request");
	r = lua_newuserdatauv(L, sizeof(*r), LUA_REQUEST_KEPT); /* at REQUEST_AT */
	*r = (struct request){.wait.abort = request_abort};
	lua_request_init(&r->request);
	luaL_setmetatable(L, REQUEST_META);
	lua_request_read(L, 1, REQUEST_AT, &r->request, "nomad.request");
	r->sent = api_send(c->api, &r->request.call, NULL, on_done, r);
	return task_wait(L, &r->wait, request_over);
}

static int escape(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf *b = lua_buf_push(L, SIZE_MAX);

	if (!api_escape(b, text, len))
		return luaL_error(L, "nomad.escape: the text is too long");
	lua_pushlstring(L, b->data ? b->data : "", b->len);
	buf_free(b);
	return 1;
}

static int error_(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_error_mark(L, 1);
	return 1;
}

void lua_nomad_add(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"request", request}, {"escape", escape}, {"error", error_}, {NULL, NULL}};

	(void)luaL_newmetatable(L, REQUEST_META);
	lua_pushcfunction(L, request_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
