/* lua_list: see lua_list.h. The connection is paused while the script is behind. */
#include "lua_list.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lua_context.h"
#include "lua_pick.h"
#include "lua_request.h"
#include "scan.h"

#define READER_META "host.nomad.Reader"

/* Bytes of elements that wait to be read. */
#define PAUSE_ABOVE ((size_t)4 * 1024 * 1024)
#define RESUME_BELOW ((size_t)1024 * 1024)

/* After what the request keeps. */
enum { USER_PICK = LUA_REQUEST_KEPT + 1, USER_COUNT = USER_PICK };

struct element {
	struct element *next;
	size_t len;
	char text[];
};

struct reader {
	struct task_wait wait;
	struct lua_request request;
	struct api_request *sent; /* NULL: answered to the end, or given up */
	struct scan_cutter *cutter;
	struct lua_pick *pick; /* NULL: all elements; its userdata is the user value USER_PICK */
	enum scan_cut cut;
	struct element *first, **tail;
	size_t waiting; /* bytes */
	bool begun;	/* the first piece of an array has come */
	bool paused;
};

static void drop_first(struct reader *r)
{
	struct element *e = r->first;

	r->waiting -= e->len;
	r->first = e->next;
	if (!r->first)
		r->tail = &r->first;
	free(e);
}

static void reader_end(struct reader *r)
{
	if (r->sent)
		api_cancel(r->sent);
	r->sent = NULL;
	scan_cutter_free(r->cutter);
	r->cutter = NULL;
	while (r->first)
		drop_first(r);
}

static void reader_abort(struct task_wait *w)
{
	struct reader *r = (struct reader *)w;

	/* A reader that the script has already is closed by the script, or the collector. */
	if (!r->begun)
		reader_end(r);
}

/* Of close, __close and __gc. */
static int reader_close(lua_State *L)
{
	struct reader *r = luaL_checkudata(L, 1, READER_META);

	task_wake(&r->wait);
	reader_end(r);
	return 0;
}

static int reader_gc(lua_State *L)
{
	struct reader *r = luaL_checkudata(L, 1, READER_META);

	task_forget(&r->wait);
	reader_end(r);
	lua_request_free(&r->request);
	return 0;
}

static void on_element(const char *text, size_t len, void *user)
{
	struct reader *r = user;
	struct element *e;

	if (r->pick && !lua_pick_wants(r->pick, text, len))
		return;
	e = xmalloc(sizeof(*e) + len);
	e->next = NULL;
	e->len = len;
	memcpy(e->text, text, len);
	*r->tail = e;
	r->tail = &e->next;
	r->waiting += len;
}

static bool on_data(struct api_request *sent, const char *data, size_t len, void *user)
{
	struct reader *r = user;

	r->cut = scan_cutter_feed(r->cutter, data, len);
	if (r->cut == SCAN_CUT_NOT_ARRAY || r->cut == SCAN_CUT_TOO_LONG)
		return false;
	r->begun = true;
	r->request.index = api_nomad_index(sent);
	if (r->waiting > PAUSE_ABOVE && !r->paused) {
		r->paused = true;
		api_pause(sent);
	}
	if (r->first)
		task_wake(&r->wait);
	return true;
}

static void on_done(struct api_request *sent, const struct api_result *result, void *user)
{
	struct reader *r = user;

	(void)sent;
	r->sent = NULL;
	lua_request_answer(&r->request, result, false);
	if (r->cut == SCAN_CUT_NOT_ARRAY)
		lua_request_refuse(&r->request, "not_nomad", false,
			"the answer is not a JSON array; is this Nomad's address?");
	else if (r->cut == SCAN_CUT_TOO_LONG)
		lua_request_refuse(&r->request, "too_large", false,
			"an element of the answer is longer than -stream-line-max allows");
	else if (r->request.ok && !r->begun)
		lua_request_refuse(&r->request, "not_nomad", false, "the answer is empty");
	else if (r->request.ok && r->cut != SCAN_CUT_DONE)
		lua_request_refuse(
			&r->request, "cut", true, "the answer ended in the middle of the list");
	task_wake(&r->wait);
}

static int reader_next_k(lua_State *L, int status, lua_KContext context)
{
	struct reader *r = (struct reader *)context;

	(void)status;
	if (r->first) {
		lua_pushlstring(L, r->first->text, r->first->len);
		drop_first(r);
		if (r->paused && r->waiting < RESUME_BELOW && r->sent) {
			r->paused = false;
			api_resume(r->sent);
		}
		return 1;
	}
	if (r->sent)
		return task_wait(L, &r->wait, reader_next_k);
	if (r->cutter && !r->request.ok)
		return lua_request_push_error(L, &r->request);
	lua_pushnil(L);
	return 1;
}

static int reader_next(lua_State *L)
{
	struct reader *r = luaL_checkudata(L, 1, READER_META);

	task_check(L, "reader:next");
	if (r->wait.task)
		return luaL_error(
			L, "reader:next: another task waits for this reader's next element");
	return reader_next_k(L, LUA_OK, (lua_KContext)r);
}

static int reader_index(lua_State *L)
{
	const struct reader *r = luaL_checkudata(L, 1, READER_META);
	const char *name = luaL_checkstring(L, 2);

	if (strcmp(name, "index") == 0)
		lua_pushinteger(L, (lua_Integer)r->request.index);
	else if (strcmp(name, "left_out") == 0)
		lua_pushinteger(L, r->pick ? (lua_Integer)lua_pick_left_out(r->pick) : 0);
	else if (strcmp(name, "has_meta") == 0)
		lua_pushboolean(L, r->pick && lua_pick_has_meta(r->pick));
	else
		lua_getfield(L, lua_upvalueindex(1), name);
	return 1;
}

/* The reader is at 2. */
static int list_begun(lua_State *L, int status, lua_KContext context)
{
	struct reader *r = (struct reader *)context;

	(void)status;
	/* It is woken by the first element, or by the end: an empty list has begun too. */
	if (!r->sent && !r->request.ok && !r->first)
		return lua_request_push_error(L, &r->request);
	lua_settop(L, 2);
	return 1;
}

static int list(lua_State *L)
{
	struct lua_context *c = lua_context(L);
	struct reader *r;

	lua_settop(L, 1);
	task_check(L, "nomad.list");
	r = lua_newuserdatauv(L, sizeof(*r), USER_COUNT);
	*r = (struct reader){.wait.abort = reader_abort, .cut = SCAN_CUT_MORE};
	r->tail = &r->first;
	lua_request_init(&r->request);
	luaL_setmetatable(L, READER_META);
	lua_request_read(L, 1, 2, &r->request, "nomad.list");
	if (lua_getfield(L, 1, "pick") != LUA_TNIL) {
		r->pick = lua_pick_push(L, -1);
		lua_setiuservalue(L, 2, USER_PICK);
	}
	lua_pop(L, 1);
	r->cutter = scan_cutter_new(c->config->stream_line_max, on_element, r);
	r->sent = api_send(c->api, &r->request.call, on_data, on_done, r);
	return task_wait(L, &r->wait, list_begun);
}

void lua_list_add(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"next", reader_next}, {"close", reader_close}, {NULL, NULL}};
	static const luaL_Reg meta[] = {
		{"__gc", reader_gc}, {"__close", reader_close}, {NULL, NULL}};

	(void)luaL_newmetatable(L, READER_META);
	luaL_setfuncs(L, meta, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, reader_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushcfunction(L, list);
	lua_setfield(L, -2, "list");
}
