/* lua_request: a request to Nomad as Lua gives it, and its failure as Lua gets it. */
#ifndef LUA_REQUEST_H
#define LUA_REQUEST_H

#include <lua.h>

#include "api.h"
#include "buf.h"

/* So many user values of the operation's userdata, from the first, hold the strings of the call. */
#define LUA_REQUEST_KEPT 3

/* In the operation's userdata. */
struct lua_request {
	struct api_call call;
	struct buf query;
	/* What came of it. */
	bool ok;
	char code[24];
	char *message;
	char *body;
	size_t body_len;
	long status;
	uint64_t index;
	bool retryable;
	double retry_after; /* seconds; < 0: none */
};

/* Makes it empty, so that lua_request_free may be called. */
void lua_request_init(struct lua_request *r);
void lua_request_free(struct lua_request *r);
/* Reads the table at index; the operation's userdata, at keep, gets the strings that the call points into (both
 * indices positive). Raises for a caller's mistake; `what` is the function's name. */
void lua_request_read(lua_State *L, int index, int keep, struct lua_request *r, const char *what);
/* Copies what the answer says, from a callback; the body too if it is asked for, or is the text of an error. */
void lua_request_answer(struct lua_request *r, const struct api_result *result, bool body);
/* An answer that is no good after all, in the words of the caller: a sentence. */
void lua_request_refuse(struct lua_request *r, const char *code, bool retryable, const char *what);
/* Pushes nil and the error; returns 2. */
int lua_request_push_error(lua_State *L, const struct lua_request *r);

#endif
