/* lua_generation: see lua_generation.h. The subscription and the generation's Lua object are in the registry. */
#include "lua_generation.h"

#include <lauxlib.h>
#include <string.h>

#include "block.h"
#include "lua_health.h"
#include "lua_where.h"

/* Next to nothing of the libraries is garbage: looking for some while they load would cost a third of the time. */
#define LIBRARIES 2048 /* KiB */

/* The addresses are the keys in the registry. */
static const char subscription_key, object_key;

static void require(lua_State *L, const char *module)
{
	lua_getglobal(L, "require");
	lua_pushstring(L, module);
	lua_call(L, 1, 1);
}

/* Pushes the object. It is made when it is needed first: by then Nomad has been asked for the stream. */
static void push_object(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	require(L, "operator.generation");
	lua_getfield(L, -1, "new");
	lua_call(L, 0, 1);
	lua_replace(L, -2); /* object */
	lua_getfield(L, -1, "load");
	lua_pushvalue(L, -2);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &subscription_key);
	lua_call(L, 2, 0);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &object_key);
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &subscription_key);
}

/* Pushes the method and the object. */
static void push_method(lua_State *L, const char *name)
{
	push_object(L);
	lua_getfield(L, -1, name);
	lua_insert(L, -2);
}

/* The string at the top, popped; the text lives in the table below it. */
static const char *take_string(lua_State *L, const char *what)
{
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;

	if (!text)
		luaL_error(L, "the subscription has %s of type %s", what, luaL_typename(L, -1));
	lua_pop(L, 1);
	return text;
}

static void too_many(lua_State *L, bool ok)
{
	if (!ok)
		luaL_error(L, "the subscription has more than %d topics, types or namespaces",
			INTERESTS_MAX);
}

/* One, "*" for all, or a list. */
static void read_namespaces(lua_State *L, int index, struct interests *in)
{
	lua_getfield(L, index, "namespace");
	if (!lua_istable(L, -1)) {
		too_many(L, interests_add_namespace(in, take_string(L, "a namespace")));
		return;
	}
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++)
		too_many(L, interests_add_namespace(in, take_string(L, "a namespace")));
	lua_pop(L, 2);
	if (!in->namespaces[0])
		luaL_error(L, "the subscription has no namespace");
}

static void read_topics(lua_State *L, int index, struct interests *in)
{
	lua_getfield(L, index, "topics");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++)
		too_many(L, interests_add_topic(in, take_string(L, "a topic")));
	lua_pop(L, 2);
}

/* The list of types at the top, popped; nil is none. */
static void read_types(
	lua_State *L, struct interests *in, bool (*add)(struct interests *in, const char *type))
{
	if (!lua_isnil(L, -1)) {
		for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++)
			too_many(L, add(in, take_string(L, "a type in pass")));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* The list of programs at the top, popped; nil: everything passes. */
static void read_where(lua_State *L, struct interests *in)
{
	if (!lua_isnil(L, -1)) {
		struct where *where = interests_where(in);

		for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
			lua_where_add(L, lua_gettop(L), where);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
		where_seal(where);
	}
	lua_pop(L, 1);
}

/* What passes of the last topic, at the top: true is all of it, a list some types. */
static void read_rule(lua_State *L, struct interests *in)
{
	if (!lua_istable(L, -1))
		return;
	if (lua_rawlen(L, -1) > 0) {
		lua_pushvalue(L, -1);
		read_types(L, in, interests_add_type);
		return;
	}
	lua_getfield(L, -1, "types");
	read_types(L, in, interests_add_type);
	lua_getfield(L, -1, "always");
	read_types(L, in, interests_add_always);
	lua_getfield(L, -1, "where");
	read_where(L, in);
	lua_getfield(L, -1, "once");
	if (lua_toboolean(L, -1))
		interests_set_once(in);
	lua_pop(L, 1);
}

static void read_pass(lua_State *L, int index, struct interests *in)
{
	lua_getfield(L, index, "pass");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		lua_pushvalue(L, -2); /* pass topic value topic */
		too_many(L, interests_add_pass(in, take_string(L, "a topic in pass")));
		read_rule(L, in);
	}
	lua_pop(L, 1);
}

static int load(lua_State *L)
{
	struct interests **out = lua_touserdata(L, 1);

	(void)lua_gc(L, LUA_GCSTEP, -LIBRARIES);
	require(L, "operator.subscription");
	lua_getfield(L, -1, "load");
	lua_call(L, 0, 1);
	luaL_checktype(L, -1, LUA_TTABLE);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &subscription_key);
	lua_getfield(L, -1, "interests");
	luaL_checktype(L, -1, LUA_TTABLE);
	*out = interests_new();
	read_namespaces(L, lua_gettop(L), *out);
	read_topics(L, lua_gettop(L), *out);
	read_pass(L, lua_gettop(L), *out);
	return 0;
}

bool lua_generation_load(struct vm *vm, struct interests **out)
{
	*out = NULL;
	return vm_call(vm, load, out, VM_CPU_LOAD);
}

/* Tasks that C waits for. */

struct spawn {
	struct tasks *tasks;
	const char *name;
	struct lua_ending *ending;
	bool first;
};

static int finish_start(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 0;
}

/* In the task: the rest of the libraries is loaded here. */
static int run_start(lua_State *L)
{
	/* first */
	push_method(L, "start");
	lua_pushvalue(L, 1);
	lua_callk(L, 2, 0, 0, finish_start);
	return finish_start(L, LUA_OK, 0);
}

static int spawn_start(lua_State *L)
{
	const struct spawn *s = lua_touserdata(L, 1);

	lua_ending_push(L, s->ending);
	lua_pushcfunction(L, run_start);
	lua_pushboolean(L, s->first);
	(void)task_spawn(L, s->tasks, "start", 1);
	return 0;
}

bool lua_generation_spawn_start(struct vm *vm, struct tasks *ts, bool first, struct lua_ending *e)
{
	struct spawn s = {.tasks = ts, .first = first, .ending = e};

	return vm_call(vm, spawn_start, &s, VM_CPU_CALL);
}

/* In the task: the libraries are loaded here too. */
static int finish_command(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 1;
}

static int run_command(lua_State *L)
{
	/* name */
	require(L, "operator.command");
	lua_pushvalue(L, 1);
	if (lua_gettable(L, -2) != LUA_TFUNCTION)
		return luaL_error(L, "there is no command %s", lua_tostring(L, 1));
	require(L, "host");
	lua_getfield(L, -1, "options");
	lua_getfield(L, -1, "args"); /* … function host options args */
	lua_replace(L, -3);
	lua_pop(L, 1);
	lua_callk(L, 1, 1, 0, finish_command);
	return finish_command(L, LUA_OK, 0);
}

static int spawn_command(lua_State *L)
{
	const struct spawn *s = lua_touserdata(L, 1);

	lua_ending_push(L, s->ending);
	lua_pushcfunction(L, run_command);
	lua_pushstring(L, s->name);
	(void)task_spawn(L, s->tasks, s->name, 1);
	return 0;
}

bool lua_command_spawn(struct vm *vm, struct tasks *ts, const char *name, struct lua_ending *e)
{
	struct spawn s = {.tasks = ts, .name = name, .ending = e};

	return vm_call(vm, spawn_command, &s, VM_CPU_CALL);
}

/* Plain calls. */

struct connection {
	uint64_t epoch;
	bool live;
};

static int connected(lua_State *L)
{
	const struct connection *c = lua_touserdata(L, 1);

	push_method(L, "connected");
	lua_pushinteger(L, (lua_Integer)c->epoch);
	lua_pushboolean(L, c->live);
	lua_call(L, 3, 0);
	return 0;
}

bool lua_generation_connected(struct vm *vm, uint64_t epoch, bool live)
{
	struct connection c = {epoch, live};

	return vm_call(vm, connected, &c, VM_CPU_CALL);
}

static int event(lua_State *L)
{
	struct inbox_item *item = lua_touserdata(L, 1);

	if (item->payload_len >= BLOCK_LEAST)
		vm_expect_long(L, item->payload_len);
	push_method(L, "event");
	lua_pushlstring(L, item->topic, item->topic_len);
	lua_pushlstring(L, item->type, item->type_len);
	lua_pushlstring(L, item->key, item->key_len);
	lua_pushlstring(L, item->ns, item->ns_len);
	lua_pushinteger(L, (lua_Integer)item->index);
	lua_pushlstring(L, item->payload, item->payload_len);
	inbox_forget(item);
	if (item->sure)
		lua_pushinteger(L, (lua_Integer)item->holds);
	else
		lua_pushnil(L);
	lua_call(L, 8, 1);
	item->busy = lua_toboolean(L, -1);
	return 0;
}

struct words {
	const char *method, *text;
};

/* A method with one string. */
static int say(lua_State *L)
{
	const struct words *w = lua_touserdata(L, 1);

	push_method(L, w->method);
	lua_pushstring(L, w->text);
	lua_call(L, 2, 0);
	return 0;
}

static bool deliver_gap(struct vm *vm, uint64_t dropped)
{
	char text[96];
	struct words w = {"gap", text};

	(void)snprintf(text, sizeof(text), "%llu events did not fit into the inbox",
		(unsigned long long)dropped);
	return vm_call(vm, say, &w, VM_CPU_CALL);
}

bool lua_generation_deliver(struct vm *vm, struct inbox_item *item)
{
	struct words w = {"lost", item->payload};

	switch (item->kind) {
	case INBOX_EVENT:
		return vm_call(vm, event, item, VM_CPU_CALL);
	case INBOX_CONNECTED:
		return lua_generation_connected(vm, item->index, item->live);
	case INBOX_LOST:
		return vm_call(vm, say, &w, VM_CPU_CALL);
	case INBOX_GAP:
		return deliver_gap(vm, item->index);
	}
	return true;
}

static int work(lua_State *L)
{
	push_method(L, "work");
	lua_call(L, 1, 0);
	return 0;
}

bool lua_generation_work(struct vm *vm)
{
	return vm_call(vm, work, NULL, VM_CPU_CALL);
}

bool lua_generation_stop(struct vm *vm, const char *reason)
{
	struct words w = {"stop", reason};

	return vm_call(vm, say, &w, VM_CPU_CALL);
}

static int approve(lua_State *L)
{
	push_method(L, "approve");
	lua_call(L, 1, 0);
	return 0;
}

bool lua_generation_approve(struct vm *vm)
{
	return vm_call(vm, approve, NULL, VM_CPU_CALL);
}

struct question {
	const char *what, *argument;
	unsigned *status;
	void (*line)(const char *text, void *user);
	void *user;
};

static int ask(lua_State *L)
{
	const struct question *q = lua_touserdata(L, 1);

	push_method(L, "ask");
	lua_pushstring(L, q->what);
	lua_pushstring(L, q->argument);
	lua_call(L, 3, 1);
	luaL_checktype(L, -1, LUA_TTABLE);
	lua_getfield(L, -1, "status");
	*q->status = (unsigned)luaL_checkinteger(L, -1);
	lua_getfield(L, -2, "lines");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
		q->line(luaL_checkstring(L, -1), q->user);
		lua_pop(L, 1);
	}
	return 0;
}

bool lua_generation_ask(struct vm *vm, const char *what, const char *argument, unsigned *status,
	void (*line)(const char *text, void *user), void *user)
{
	struct question q = {what, argument, status, line, user};

	return vm_call(vm, ask, &q, VM_CPU_CALL);
}

static int idle(lua_State *L)
{
	bool *out = lua_touserdata(L, 1);

	push_method(L, "idle");
	lua_call(L, 1, 1);
	*out = lua_toboolean(L, -1);
	return 0;
}

static int busy(lua_State *L)
{
	bool *out = lua_touserdata(L, 1);

	push_method(L, "busy");
	lua_call(L, 1, 1);
	*out = lua_toboolean(L, -1);
	return 0;
}

bool lua_generation_busy(struct vm *vm, bool *out)
{
	*out = false;
	return vm_call(vm, busy, out, VM_CPU_CALL);
}

bool lua_generation_idle(struct vm *vm, bool *out)
{
	*out = false;
	return vm_call(vm, idle, out, VM_CPU_CALL);
}

static int health(lua_State *L)
{
	struct health *out = lua_touserdata(L, 1);

	push_method(L, "health");
	lua_call(L, 1, 1);
	lua_health_read(L, out);
	return 0;
}

bool lua_generation_health(struct vm *vm, struct health *out)
{
	*out = (struct health){.epoch = 0};
	return vm_call(vm, health, out, VM_CPU_CALL);
}

struct listener {
	void (*line)(const char *text, void *user);
	void *user;
};

static int status(lua_State *L)
{
	const struct listener *l = lua_touserdata(L, 1);

	push_method(L, "status");
	lua_call(L, 1, 1);
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
		l->line(luaL_tolstring(L, -1, NULL), l->user);
		lua_pop(L, 2);
	}
	return 0;
}

bool lua_generation_status(struct vm *vm, void (*line)(const char *text, void *user), void *user)
{
	struct listener l = {line, user};

	return vm_call(vm, status, &l, VM_CPU_CALL);
}
