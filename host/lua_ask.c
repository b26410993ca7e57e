/* lua_ask: see lua_ask.h. It blocks the loop: a command has nothing else to do meanwhile. */
#include "lua_ask.h"

#include <lauxlib.h>

#include "confirm.h"
#include "lua_context.h"

static int ask(lua_State *L)
{
	const char *question = luaL_checkstring(L, 1);

	if (lua_context(L)->config->command == COMMAND_RUN)
		return luaL_error(L, "host.ask: the operator runs unattended and asks nobody");
	switch (confirm(question)) {
	case CONFIRM_NOBODY:
		lua_pushnil(L);
		break;
	case CONFIRM_NO:
		lua_pushboolean(L, 0);
		break;
	case CONFIRM_YES:
		lua_pushboolean(L, 1);
		break;
	}
	return 1;
}

void lua_ask_add(lua_State *L)
{
	lua_pushcfunction(L, ask);
	lua_setfield(L, -2, "ask");
}
