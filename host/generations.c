/* generations: see generations.h. */
#include "generations.h"

#include <stdlib.h>
#include <string.h>

#include "alarm.h"
#include "report.h"

/* Older generations that may drain at the same time; a reload waits while there are as many. */
#define DRAINING_MAX 2
#define DRAIN_CHECK 0.1 /* seconds between two looks at what drains, if no task ends before */

struct draining {
	struct generation *generation;
	uint64_t deadline;
};

struct generations {
	struct lua_context base;
	struct generations_callbacks cb;
	void *user;
	struct generation *current;		    /* works, or is the first and starts */
	struct generation *candidate;		    /* loaded, starts */
	struct draining draining[DRAINING_MAX + 1]; /* one more, for the current one at the end */
	size_t draining_count;
	struct alarm *alarm;
	struct turn_job job;
	unsigned number; /* of the newest */
	bool working;	 /* current has been told to work */
	bool reload;	 /* one is wanted */
	bool stopping, stopped;
	char *refused; /* what was wrong with the last reload, or NULL */
	/* The connection. */
	bool up, live;
	uint64_t epoch;
};

static void on_started(struct generation *g, const char *error, long result, void *user);

static void look_again(void *user)
{
	struct generations *gs = user;

	turn_add(gs->base.turn, &gs->job);
}

static struct generation *make(struct generations *gs, char **error)
{
	static const struct generation_callbacks cb = {on_started, look_again};
	struct lua_context base = gs->base;
	struct generation *g;

	base.generation = ++gs->number;
	g = generation_new(&base, &cb, gs, error);
	if (g && !generation_load(g, error)) {
		generation_free(g);
		return NULL;
	}
	return g;
}

/* Draining. */

static void drain(struct generations *gs, struct generation *g, const char *reason)
{
	uint64_t patience = (uint64_t)gs->base.config->drain_timeout * 1000000000;

	generation_stop(g, reason);
	gs->draining[gs->draining_count++] = (struct draining){g, uv_hrtime() + patience};
	look_again(gs);
}

static void say_cut(const struct generations *gs, const struct generation *g)
{
	size_t count = generation_tasks(g);
	char *names = generation_task_names(g);
	char *text = xasprintf("Generation %u: %zu %s not end within %u s and %s cancelled: %s",
		generation_number(g), count, count == 1 ? "task did" : "tasks did",
		gs->base.config->drain_timeout, count == 1 ? "is" : "are", names);

	if (count > 0)
		report(gs->base.log, LOG_WARN, generation_number(g), text, NULL);
	free(text);
	free(names);
}

/* Closes it if it is time; false: not yet. */
static bool drained(struct generations *gs, const struct draining *d)
{
	struct generation *g = d->generation;

	if (!generation_idle(g)) {
		if (uv_hrtime() < d->deadline)
			return false;
		say_cut(gs, g);
	}
	generation_free(g);
	return true;
}

static void check_draining(struct generations *gs)
{
	size_t kept = 0;

	for (size_t i = 0; i < gs->draining_count; i++) {
		struct draining d = gs->draining[i];

		if (!drained(gs, &d))
			gs->draining[kept++] = d;
	}
	gs->draining_count = kept;
	if (kept > 0)
		alarm_set(gs->alarm, DRAIN_CHECK);
	else
		alarm_stop(gs->alarm);
}

/* Reload. */

static void say_refused(struct generations *gs, const char *error)
{
	char *text = xasprintf(
		"Reload failed: %s; generation %u goes on", error, generation_number(gs->current));

	report(gs->base.log, LOG_ERROR, generation_number(gs->current), text, NULL);
	(void)metrics_add(gs->base.metrics, "reload_total{result=\"error\"}", 1);
	free(text);
	free(gs->refused);
	gs->refused = xstrdup(error);
}

static void build_candidate(struct generations *gs)
{
	char *error;

	gs->reload = false;
	gs->candidate = make(gs, &error);
	if (!gs->candidate) {
		say_refused(gs, error);
		free(error);
		return;
	}
	if (gs->up)
		generation_set_connected(gs->candidate, gs->epoch, gs->live);
	generation_start(gs->candidate, false);
}

static void swap(struct generations *gs)
{
	struct generation *old = gs->current;

	gs->current = gs->candidate;
	gs->candidate = NULL;
	free(gs->refused);
	gs->refused = NULL;
	(void)metrics_add(gs->base.metrics, "reload_total{result=\"ok\"}", 1);
	generation_work(gs->current);
	gs->cb.swapped(generation_interests(old), generation_interests(gs->current), gs->user);
	drain(gs, old, "reload");
}

static void first_started(struct generations *gs, const char *error)
{
	if (!error) {
		gs->working = true;
		generation_work(gs->current);
	}
	gs->cb.started(error, gs->user);
}

static void on_started(struct generation *g, const char *error, long result, void *user)
{
	struct generations *gs = user;

	(void)result;
	if (g == gs->current) {
		first_started(gs, error);
	} else if (!error) {
		swap(gs);
	} else {
		gs->candidate = NULL;
		say_refused(gs, error);
		generation_free(g);
	}
	look_again(gs);
}

static void look(void *user)
{
	struct generations *gs = user;

	check_draining(gs);
	if (gs->stopping) {
		if (gs->draining_count == 0 && !gs->stopped) {
			gs->stopped = true;
			gs->cb.stopped(gs->user);
		}
		return;
	}
	if (gs->reload && gs->working && !gs->candidate && gs->draining_count < DRAINING_MAX)
		build_candidate(gs);
}

struct generations *generations_new(
	const struct lua_context *base, const struct generations_callbacks *cb, void *user)
{
	struct generations *gs = xcalloc(1, sizeof(*gs));

	gs->base = *base;
	gs->cb = *cb;
	gs->user = user;
	gs->alarm = alarm_new(base->loop, look_again, gs);
	turn_job_init(&gs->job, look, gs);
	return gs;
}

void generations_free(struct generations *gs)
{
	if (!gs)
		return;
	generation_free(gs->candidate);
	generation_free(gs->current);
	for (size_t i = 0; i < gs->draining_count; i++)
		generation_free(gs->draining[i].generation);
	turn_remove(&gs->job);
	alarm_free(gs->alarm);
	free(gs->refused);
	free(gs);
}

bool generations_load(struct generations *gs, char **error)
{
	gs->current = make(gs, error);
	return gs->current != NULL;
}

void generations_start(struct generations *gs)
{
	generation_start(gs->current, true);
}

const struct interests *generations_interests(const struct generations *gs)
{
	return generation_interests(gs->current);
}

void generations_reload(struct generations *gs)
{
	gs->reload = true;
	look_again(gs);
}

void generations_stop(struct generations *gs, const char *reason)
{
	struct generation *current = gs->current;

	gs->stopping = true;
	generation_free(gs->candidate);
	gs->candidate = NULL;
	gs->current = NULL;
	if (gs->working)
		drain(gs, current, reason);
	else
		generation_free(current);
	look_again(gs);
}

void generations_connected(struct generations *gs, uint64_t epoch, bool live)
{
	gs->up = true;
	gs->live = live;
	gs->epoch = epoch;
	if (gs->current)
		generation_connected(gs->current, epoch, live);
	if (gs->candidate)
		generation_connected(gs->candidate, epoch, live);
}

void generations_lost(struct generations *gs, const char *reason)
{
	gs->up = false;
	if (gs->current)
		generation_lost(gs->current, reason);
	if (gs->candidate)
		generation_lost(gs->candidate, reason);
}

void generations_event(struct generations *gs, const struct scan_event *event)
{
	if (gs->current)
		generation_event(gs->current, event);
	if (gs->candidate)
		generation_event(gs->candidate, event);
}

bool generations_full(const struct generations *gs)
{
	return (gs->current && generation_inbox(gs->current) > GENERATION_INBOX_AMPLE) ||
	       (gs->candidate && generation_inbox(gs->candidate) > GENERATION_INBOX_AMPLE);
}

struct generation *generations_current(const struct generations *gs)
{
	return gs->current;
}

const char *generations_refused(const struct generations *gs)
{
	return gs->refused;
}

void generations_each(const struct generations *gs,
	void (*cb)(const struct generation *g, const char *role, void *user), void *user)
{
	if (gs->current)
		cb(gs->current, gs->working ? "working" : "starting", user);
	if (gs->candidate)
		cb(gs->candidate, "candidate", user);
	for (size_t i = 0; i < gs->draining_count; i++)
		cb(gs->draining[i].generation, "draining", user);
}

void generations_approve(struct generations *gs)
{
	if (gs->working)
		generation_approve(gs->current);
}

bool generations_ask(struct generations *gs, const char *what, const char *argument,
	unsigned *status, void (*line)(const char *text, void *user), void *user)
{
	return gs->working && generation_ask(gs->current, what, argument, status, line, user);
}

void generations_status(
	struct generations *gs, void (*line)(const char *text, void *user), void *user)
{
	if (gs->current)
		generation_status(gs->current, line, user);
	if (gs->candidate)
		generation_status(gs->candidate, line, user);
	for (size_t i = 0; i < gs->draining_count; i++) {
		char text[96];

		(void)snprintf(text, sizeof(text), "generation %u: drains, %zu tasks",
			generation_number(gs->draining[i].generation),
			generation_tasks(gs->draining[i].generation));
		line(text, user);
	}
}
