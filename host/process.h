/* process: what every command that runs Lua stands on: the loop, the API, the store, the CPU watch. */
#ifndef PROCESS_H
#define PROCESS_H

#include <uv.h>

#include "lua_context.h"

struct process {
	uv_loop_t loop;
	struct lua_context base; /* for generation_new; generation 1 */
};

/* false and a message that the caller frees. */
bool process_open(
	struct process *p, struct config *config, struct log *log, char **error) WARN_UNUSED;
/* What uses it must have been freed; runs the loop until every handle is closed. */
void process_close(struct process *p);

#endif
