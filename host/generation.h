/* generation: one lua_State with the libraries and the policies, its tasks, and its inbox of events.
 *
 *   new → load → start → (started) → work → stop → (idle) → free
 *
 * None of this may be called from within Lua, nor from a library's callback, but for the three functions that
 * only put something into the inbox. */
#ifndef GENERATION_H
#define GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "health.h"
#include "interests.h"
#include "lua_context.h"

#define GENERATION_INBOX_AMPLE                                                                     \
	((size_t)1024 * 1024) /* bytes: above, the stream is read at a pace */
#define GENERATION_INBOX_MAX                                                                       \
	((size_t)64 * 1024 * 1024) /* bytes of events that are not delivered yet */

struct generation;

struct generation_callbacks {
	/* The start task, or the command, has ended; error is NULL where it went well. Not for a generation that is
	 * freed before. May free the generation. */
	void (*started)(struct generation *g, const char *error, long result, void *user);
	/* A task has ended. Within others' work: may only queue. */
	void (*task_ended)(void *user);
};

/* base is copied; its tasks are set here. NULL and a message that the caller frees. */
struct generation *generation_new(const struct lua_context *base,
	const struct generation_callbacks *cb, void *user, char **error) WARN_UNUSED;
/* Cancels what is left of the tasks and closes the state. */
void generation_free(struct generation *g);

/* Loads the scripts; false and the message of the script's error. */
bool generation_load(struct generation *g, char **error) WARN_UNUSED;
const struct interests *generation_interests(const struct generation *g);
void generation_start(struct generation *g, bool first);
/* Runs a command of lib/operator/command.lua instead of a generation's life. */
void generation_command(struct generation *g, const char *name);

/* To be called before start, when the stream is there already. */
void generation_set_connected(struct generation *g, uint64_t epoch, bool live);
void generation_connected(struct generation *g, uint64_t epoch, bool live);
void generation_lost(struct generation *g, const char *reason);
void generation_event(struct generation *g, const struct scan_event *event); /* if it wants it */

void generation_work(struct generation *g);
void generation_stop(struct generation *g, const char *reason);
bool generation_idle(struct generation *g);

unsigned generation_number(const struct generation *g);
size_t generation_tasks(const struct generation *g);
/* "a, b, c and 4 more": the tasks that live. The caller frees it. */
char *generation_task_names(const struct generation *g);
size_t generation_memory(const struct generation *g); /* bytes of Lua */
size_t generation_inbox(const struct generation *g);  /* bytes of events that wait */
/* false: it could not be asked, which is logged. *out is to be freed whatever comes of it. */
bool generation_health(struct generation *g, struct health *out) WARN_UNUSED;
/* A person confirms the removals that the budget refuses. */
void generation_approve(struct generation *g);
/* What a person asks (lib/operator/ask.lua). false: it could not be asked, which is logged. */
bool generation_ask(struct generation *g, const char *what, const char *argument, unsigned *status,
	void (*line)(const char *text, void *user), void *user) WARN_UNUSED;
void generation_status(
	struct generation *g, void (*line)(const char *text, void *user), void *user);

#endif
