/* lua_ask: see lua_ask.h. It blocks the loop: a command has nothing else to do meanwhile. */
#include "lua_ask.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lua_context.h"

/* Anything but a yes is a no; so is the end of the input. */
static bool read_yes(void)
{
	char line[16] = "";
	int c;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (!strchr(line, '\n')) {
		while ((c = getchar()) != EOF && c != '\n')
			;
		return false;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

static int ask(lua_State *L)
{
	const char *question = luaL_checkstring(L, 1);

	if (lua_context(L)->config->command == COMMAND_RUN)
		return luaL_error(L, "host.ask: the operator runs unattended and asks nobody");
	if (!isatty(STDIN_FILENO)) {
		lua_pushnil(L);
		return 1;
	}
	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	lua_pushboolean(L, read_yes());
	return 1;
}

void lua_ask_add(lua_State *L)
{
	lua_pushcfunction(L, ask);
	lua_setfield(L, -2, "ask");
}
