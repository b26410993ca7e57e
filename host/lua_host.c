/* lua_host: see lua_host.h. */
#include "lua_host.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "json_lazy.h"
#include "lua_ask.h"
#include "lua_buf.h"
#include "lua_context.h"
#include "lua_files.h"
#include "lua_keys.h"
#include "lua_library.h"
#include "lua_list.h"
#include "lua_lock.h"
#include "lua_log.h"
#include "lua_nomad.h"
#include "lua_signal.h"
#include "lua_store.h"
#include "lua_time.h"
#include "lua_watch.h"
#include "version.h"

enum { NAMESPACES_MAX = 4096 };

/* reason, namespaces or nil */
static int resubscribe(lua_State *L)
{
	const struct lua_wishes *wishes = lua_context(L)->wishes;
	const char *reason = luaL_checkstring(L, 1);
	const char **list = NULL;
	bool taken = false;

	lua_settop(L, 2);
	if (!lua_isnil(L, 2)) {
		lua_Unsigned count;

		luaL_checktype(L, 2, LUA_TTABLE);
		json_lazy_touch(L, 2);
		count = lua_rawlen(L, 2);
		luaL_argcheck(L, count <= NAMESPACES_MAX, 2, "too many namespaces");
		list = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*list), 0);
		for (lua_Unsigned i = 0; i < count; i++) {
			/* The table keeps the string while it is used here. */
			luaL_argcheck(L, lua_rawgeti(L, 2, (lua_Integer)i + 1) == LUA_TSTRING, 2,
				"list of names expected");
			list[i] = lua_tostring(L, -1);
			lua_pop(L, 1);
		}
		list[count] = NULL;
	}
	if (wishes)
		taken = wishes->resubscribe(reason, list, wishes->user);
	lua_pushboolean(L, taken);
	return 1;
}

static int random_(lua_State *L)
{
	uint64_t bits = 0;

	/* Synchronous without a callback; it cannot fail on Linux once the system is up. */
	if (uv_random(NULL, NULL, &bits, sizeof(bits), 0, NULL) != 0)
		return luaL_error(L, "the system has no random numbers");
	lua_pushnumber(L, (lua_Number)(bits >> 11) * 0x1p-53);
	return 1;
}

static int spawn(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (lua_gettop(L) < 3)
		lua_settop(L, 3);
	luaL_argexpected(L, lua_isnil(L, 3) || lua_isfunction(L, 3), 3, "function or nil");
	/* name fn done args… → name done fn args… */
	lua_pushvalue(L, 2);
	lua_copy(L, 3, 2);
	lua_replace(L, 3);
	(void)task_spawn(L, lua_context(L)->tasks, name, lua_gettop(L) - 3);
	lua_settop(L, 2); /* name task */
	return 1;
}

static void push_list(lua_State *L, char *const *list, size_t count)
{
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, list[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static const char *command_name(enum command command)
{
	switch (command) {
	case COMMAND_RUN:
		return "run";
	case COMMAND_PLAN:
		return "plan";
	case COMMAND_CHECK:
		return "check";
	case COMMAND_EXEC:
		return "exec";
	case COMMAND_PRUNE:
		return "prune";
	case COMMAND_ACL:
		return "acl";
	case COMMAND_JOBSPEC:
		return "jobspec";
	case COMMAND_HELP:
	case COMMAND_VERSION:
	case COMMAND_INIT:
	case COMMAND_STATUS:
	case COMMAND_RELOAD:
	case COMMAND_APPROVE:
	case COMMAND_RETRY:
		break;
	}
	return "";
}

static void push_options(lua_State *L, const struct lua_context *c)
{
	static const char *const formats[] = {"text", "logfmt", "json"};
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	const struct config *config = c->config;

	lua_createtable(L, 0, 17);
	lua_pushstring(L, command_name(config->command));
	lua_setfield(L, -2, "command");
	push_list(L, config->args, config->arg_count);
	lua_setfield(L, -2, "args");
	lua_pushstring(L, config->instance);
	lua_setfield(L, -2, "instance");
	push_list(L, config->namespaces, config->namespace_count);
	lua_setfield(L, -2, "namespaces");
	lua_pushstring(L, config->region); /* nil for NULL */
	lua_setfield(L, -2, "region");
	lua_pushboolean(L, config->dry_run);
	lua_setfield(L, -2, "dry_run");
	lua_pushboolean(L, config->yes);
	lua_setfield(L, -2, "yes");
	lua_pushboolean(L, config->release);
	lua_setfield(L, -2, "release");
	lua_pushboolean(L, config->json);
	lua_setfield(L, -2, "json");
	lua_pushboolean(L, config->lenient);
	lua_setfield(L, -2, "lenient");
	lua_pushstring(L, config->nomad); /* nil for NULL */
	lua_setfield(L, -2, "nomad");
	lua_pushinteger(L, config->max_delete);
	lua_setfield(L, -2, "max_delete");
	lua_pushinteger(L, config->write_rate);
	lua_setfield(L, -2, "write_rate");
	push_list(L, config->cross_namespace, config->cross_namespace_count);
	lua_setfield(L, -2, "cross_namespace");
	lua_pushstring(L, formats[log_format(c->log)]);
	lua_setfield(L, -2, "log_format");
	lua_pushstring(L, levels[config->log_level]);
	lua_setfield(L, -2, "log_level");
	lua_pushinteger(L, (lua_Integer)c->generation);
	lua_setfield(L, -2, "generation");
	lua_pushstring(L, config->unix_socket ? config->unix_socket : config->address);
	lua_setfield(L, -2, "address");
}

static int open_host(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"random", random_}, {"spawn", spawn}, {"resubscribe", resubscribe}, {NULL, NULL}};

	luaL_newlib(L, functions);
	lua_pushliteral(L, VERSION);
	lua_setfield(L, -2, "version");
	push_options(L, lua_context(L));
	lua_setfield(L, -2, "options");
	lua_time_add(L);
	lua_signal_add(L);
	lua_lock_add(L);
	lua_store_add(L);
	lua_log_add(L);
	lua_files_add(L);
	lua_ask_add(L);
	lua_watch_add(L);
	lua_keys_add(L);
	return 1;
}

static int open_nomad(lua_State *L)
{
	lua_newtable(L);
	lua_nomad_add(L);
	lua_list_add(L);
	return 1;
}

void lua_host_open(lua_State *L)
{
	task_open(L);
	lua_library_preload(L, "host", open_host);
	lua_library_preload(L, "host.nomad", open_nomad);
}
