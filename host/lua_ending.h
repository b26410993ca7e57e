/* lua_ending: how a task that C has started came to its end. */
#ifndef LUA_ENDING_H
#define LUA_ENDING_H

#include <lua.h>
#include <stdbool.h>

struct lua_ending {
	bool ok;
	long result;   /* of a command: its exit code */
	char *message; /* of the error */
	char *trace;
	void (*cb)(void *user); /* within Lua: may only record */
	void *user;
};

/* Frees the strings. */
void lua_ending_free(struct lua_ending *e);
/* Pushes the task's done callback, which fills it in. May raise. */
void lua_ending_push(lua_State *L, struct lua_ending *e);

#endif
