/* generations: the one that works, the candidate that is to follow it, and those that drain; the reload.
 *
 * Only when a candidate has loaded and started does it take over. A reload that is asked for meanwhile is
 * remembered once. None of this may be called from within Lua; the connection's news may come at any time. */
#ifndef GENERATIONS_H
#define GENERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "generation.h"

struct generations;

struct generations_callbacks {
	/* The first generation works, or (error) was refused. */
	void (*started)(const char *error, void *user);
	/* Another generation has taken over; its interests may differ from `before`. */
	void (*swapped)(const struct interests *before, const struct interests *now, void *user);
	/* After generations_stop: all are closed. */
	void (*stopped)(void *user);
};

struct generations *generations_new(
	const struct lua_context *base, const struct generations_callbacks *cb, void *user);
/* Closes what is left at once. */
void generations_free(struct generations *gs);

/* Loads the first one; false and a message that the caller frees. */
bool generations_load(struct generations *gs, char **error) WARN_UNUSED;
void generations_start(struct generations *gs);
/* What the current one subscribes to. */
const struct interests *generations_interests(const struct generations *gs);
void generations_reload(struct generations *gs);
void generations_stop(struct generations *gs, const char *reason);

void generations_connected(struct generations *gs, uint64_t epoch, bool live);
void generations_lost(struct generations *gs, const char *reason);
/* Do more events wait than there is to do for a while? */
bool generations_full(const struct generations *gs);
void generations_event(struct generations *gs, const struct scan_event *event);

/* The current one, or NULL once they are stopped. */
struct generation *generations_current(const struct generations *gs);
/* What was wrong with the last reload, or NULL where it went well or there was none. */
const char *generations_refused(const struct generations *gs);
/* All that live; the role is "working", "starting", "candidate" or "draining". */
void generations_each(const struct generations *gs,
	void (*cb)(const struct generation *g, const char *role, void *user), void *user);
/* A person confirms the removals that the budget refuses; before there is a generation that works, none are. */
void generations_approve(struct generations *gs);
/* What a person asks of those that work; false: none does yet, or it failed, which is logged. */
bool generations_ask(struct generations *gs, const char *what, const char *argument,
	unsigned *status, void (*line)(const char *text, void *user), void *user) WARN_UNUSED;
void generations_status(
	struct generations *gs, void (*line)(const char *text, void *user), void *user);

#endif
