/* generation: see generation.h. */
#include "generation.h"

#include <malloc.h>
#include <stdlib.h>

#include "alarm.h"
#include "collector.h"
#include "inbox.h"
#include "lua_generation.h"
#include "lua_host.h"
#include "report.h"
#include "told.h"
#include "vm.h"

#define DELIVERY_SLICE 5.0 /* ms of a loop turn for events; reading goes on between */
/* So much comes in a turn also while Lua says that it has enough to do. */
#define DELIVERY_LEAST ((size_t)64 * 1024) /* bytes */
#define DELIVERY_PACE                                                                              \
	((size_t)64 * 1024) /* bytes in each ms meanwhile, so that it comes to an end */
#define NAMES_SHOWN 5

struct generation {
	struct lua_context context;
	struct generation_callbacks cb;
	void *user;
	struct vm *vm;
	struct interests *interests;
	struct inbox *inbox;
	struct collector *collector;
	struct told *told;
	size_t taken_at; /* place of the counter of events taken */
	struct turn_job delivery;
	/* After a long event, while Lua has enough to do, the next one waits: until then at most. */
	struct alarm *patience;
	bool waits;
	struct lua_ending ending;
	struct turn_job ended;
};

static void complain(const struct generation *g, const char *what)
{
	const struct vm_error *error = vm_last_error(g->vm);
	char *text = xasprintf("%s: %s", what, error->message);

	report(g->context.log, LOG_ERROR, g->context.generation, text, error->trace);
	free(text);
}

static const char *item_name(enum inbox_kind kind)
{
	static const char *const names[] = {"an event", "the news that the stream is there",
		"the news that the stream has ended", "the news of a gap"};

	return names[kind];
}

static void look_again(void *user)
{
	struct generation *g = user;

	turn_add(g->context.turn, &g->delivery);
}

/* The alarm, or the end of a task, has it asked again. */
static bool has_to_wait(struct generation *g)
{
	bool busy;

	if (g->waits && alarm_is_set(g->patience)) {
		if (!lua_generation_busy(g->vm, &busy))
			complain(g, "the question whether it is busy");
		if (busy)
			return true;
		alarm_stop(g->patience);
	}
	g->waits = false;
	return false;
}

static void wait_for_work(struct generation *g, size_t bytes)
{
	g->waits = true;
	alarm_set(g->patience, (double)(bytes / DELIVERY_PACE) / 1000);
}

static void deliver(void *user)
{
	struct generation *g = user;
	uint64_t deadline = turn_deadline(DELIVERY_SLICE);
	bool enough = false, busy = false;
	size_t bytes = 0;

	if (has_to_wait(g))
		return;
	while (!inbox_empty(g->inbox) && !enough) {
		struct inbox_item *item = inbox_take(g->inbox);

		if (!lua_generation_deliver(g->vm, item))
			complain(g, item_name(item->kind));
		if (item->tag)
			keyset_remove(g->context.watched, item->tag);
		/* Raw, what waits takes a fraction of what it takes once Lua has it. */
		bytes += item->size;
		busy = item->busy && bytes >= DELIVERY_LEAST;
		enough = busy || turn_over(deadline);
		inbox_done(g->inbox, item);
	}
	if (busy)
		wait_for_work(g, bytes);
	else if (!inbox_empty(g->inbox))
		turn_add(g->context.turn, &g->delivery);
	collector_note(g->collector);
	/* What the events lead to begins at once, where no other events wait: a turn later would be microseconds later. */
	if (inbox_empty(g->inbox))
		tasks_start(g->context.tasks);
}

static void on_ended(void *user)
{
	struct generation *g = user;

	turn_add(g->context.turn, &g->ended);
}

static void tell_started(void *user)
{
	struct generation *g = user;
	const char *message = g->ending.message ? g->ending.message : "it failed";

	/* The message is a sentence; where it came from helps only those who write libraries. */
	if (!g->ending.ok && g->ending.trace && log_enabled(g->context.log, LOG_DEBUG))
		report(g->context.log, LOG_DEBUG, g->context.generation, "where it failed",
			g->ending.trace);
	g->cb.started(g, g->ending.ok ? NULL : message, g->ending.result, g->user);
}

static void on_task_ended(void *user)
{
	struct generation *g = user;

	if (g->collector)
		collector_note(g->collector);
	if (g->waits)
		turn_add(g->context.turn, &g->delivery);
	if (g->cb.task_ended)
		g->cb.task_ended(g->user);
}

static int open_host(lua_State *L)
{
	lua_host_open(L);
	return 0;
}

struct generation *generation_new(const struct lua_context *base,
	const struct generation_callbacks *cb, void *user, char **error)
{
	struct generation *g = xcalloc(1, sizeof(*g));
	struct vm_options options = {.memory_max = base->config->lua_memory_max,
		.cpu = base->cpu,
		.lib_dir = base->config->lib_dir,
		.user = &g->context};
	struct tasks_options tasks = {.turn = base->turn,
		.log = base->log,
		.generation = base->generation,
		.ended = on_task_ended,
		.user = g};

	g->context = *base;
	g->context.tasks = NULL;
	g->context.watched = keyset_new();
	g->cb = *cb;
	g->user = user;
	g->ending.cb = on_ended;
	g->ending.user = g;
	turn_job_init(&g->delivery, deliver, g);
	turn_job_init(&g->ended, tell_started, g);
	g->inbox = inbox_new(GENERATION_INBOX_MAX);
	g->told = told_new();
	g->patience = alarm_new(base->loop, look_again, g);
	g->vm = vm_new(&options, error);
	if (!g->vm) {
		generation_free(g);
		return NULL;
	}
	tasks.vm = g->vm;
	g->context.tasks = tasks_new(&tasks);
	g->collector = collector_new(base->loop, base->turn, g->vm);
	if (!vm_call(g->vm, open_host, NULL, VM_CPU_LOAD)) {
		*error = xstrdup(vm_last_error(g->vm)->message);
		generation_free(g);
		return NULL;
	}
	return g;
}

void generation_free(struct generation *g)
{
	if (!g)
		return;
	alarm_free(g->patience);
	g->waits = false;
	if (g->context.tasks)
		tasks_cancel_all(g->context.tasks);
	turn_remove(&g->delivery);
	turn_remove(&g->ended);
	collector_free(g->collector);
	g->collector = NULL;
	vm_free(g->vm);
	tasks_free(g->context.tasks);
	lua_ending_free(&g->ending);
	inbox_free(g->inbox);
	told_free(g->told);
	interests_free(g->interests);
	keyset_free(g->context.watched);
	free(g);
	/* A state is thousands of small pieces: without this the process would keep most of the pages. */
	(void)malloc_trim(0);
}

bool generation_load(struct generation *g, char **error)
{
	if (lua_generation_load(g->vm, &g->interests))
		return true;
	*error = xstrdup(vm_last_error(g->vm)->message);
	if (log_enabled(g->context.log, LOG_DEBUG))
		report(g->context.log, LOG_DEBUG, g->context.generation,
			"where the scripts failed to load", vm_last_error(g->vm)->trace);
	return false;
}

const struct interests *generation_interests(const struct generation *g)
{
	return g->interests;
}

/* The task could not even be made: its end is told all the same. */
static void spawned(struct generation *g, bool ok)
{
	if (ok)
		return;
	lua_ending_free(&g->ending);
	g->ending.ok = false;
	g->ending.message = xstrdup(vm_last_error(g->vm)->message);
	turn_add(g->context.turn, &g->ended);
}

void generation_start(struct generation *g, bool first)
{
	spawned(g, lua_generation_spawn_start(g->vm, g->context.tasks, first, &g->ending));
}

void generation_command(struct generation *g, const char *name)
{
	spawned(g, lua_command_spawn(g->vm, g->context.tasks, name, &g->ending));
}

void generation_set_connected(struct generation *g, uint64_t epoch, bool live)
{
	if (!lua_generation_connected(g->vm, epoch, live))
		complain(g, item_name(INBOX_CONNECTED));
}

void generation_connected(struct generation *g, uint64_t epoch, bool live)
{
	if (g->context.newest > g->context.newest_before)
		g->context.newest_before = g->context.newest;
	g->context.newest = 0;
	told_forget(g->told);
	inbox_connected(g->inbox, epoch, live);
	turn_add(g->context.turn, &g->delivery);
}

void generation_lost(struct generation *g, const char *reason)
{
	inbox_lost(g->inbox, reason);
	turn_add(g->context.turn, &g->delivery);
}

void generation_event(struct generation *g, const struct scan_event *event)
{
	struct interests_verdict verdict;
	struct inbox_item *item;

	if (!interests_want(g->interests, event, g->context.watched, &verdict) ||
		(keyset_has(g->context.watched, verdict.key) && told_has(g->told, &verdict))) {
		if (verdict.version > g->context.newest)
			g->context.newest = verdict.version;
		return;
	}
	item = inbox_event(g->inbox, event);
	if (item) {
		item->tag = verdict.key;
		item->holds = verdict.holds;
		item->sure = verdict.sure;
		(void)metrics_add_at(g->context.metrics, &g->taken_at, "events_taken_total", 1);
		if (verdict.key)
			keyset_add(g->context.watched, verdict.key);
		told_add(g->told, &verdict);
	} else {
		(void)metrics_add(g->context.metrics, "events_dropped_total", 1);
	}
	turn_add(g->context.turn, &g->delivery);
}

void generation_work(struct generation *g)
{
	if (!lua_generation_work(g->vm))
		complain(g, "the start of work");
}

void generation_stop(struct generation *g, const char *reason)
{
	struct inbox_item *item;

	alarm_stop(g->patience);
	g->waits = false;
	turn_remove(&g->delivery);
	for (item = inbox_take(g->inbox); item; item = inbox_take(g->inbox))
		inbox_done(g->inbox, item);
	if (!lua_generation_stop(g->vm, reason))
		complain(g, "the stop of the generation");
}

bool generation_idle(struct generation *g)
{
	bool idle;

	if (lua_generation_idle(g->vm, &idle))
		return idle;
	complain(g, "the question whether the generation is idle");
	return true;
}

unsigned generation_number(const struct generation *g)
{
	return g->context.generation;
}

size_t generation_tasks(const struct generation *g)
{
	return tasks_count(g->context.tasks);
}

size_t generation_memory(const struct generation *g)
{
	return vm_memory(g->vm);
}

size_t generation_inbox(const struct generation *g)
{
	return inbox_bytes(g->inbox);
}

bool generation_health(struct generation *g, struct health *out)
{
	if (lua_generation_health(g->vm, out))
		return true;
	complain(g, "the question for the generation's health");
	return false;
}

struct names {
	struct buf text;
	size_t count;
};

static void add_name(const char *name, void *user)
{
	struct names *n = user;

	n->count++;
	if (n->count <= NAMES_SHOWN && !buf_addf(&n->text, "%s%s", n->count > 1 ? ", " : "", name))
		n->count = NAMES_SHOWN; /* it is full: no more are shown */
}

char *generation_task_names(const struct generation *g)
{
	struct names n = {.count = 0};
	char *text;

	buf_init(&n.text, 4096);
	tasks_each(g->context.tasks, add_name, &n);
	if (n.count > NAMES_SHOWN)
		text = xasprintf("%s and %zu more", buf_text(&n.text), n.count - NAMES_SHOWN);
	else
		text = xstrdup(buf_text(&n.text));
	buf_free(&n.text);
	return text;
}

void generation_approve(struct generation *g)
{
	if (!lua_generation_approve(g->vm))
		complain(g, "approve");
}

bool generation_ask(struct generation *g, const char *what, const char *argument, unsigned *status,
	void (*line)(const char *text, void *user), void *user)
{
	bool ok = lua_generation_ask(g->vm, what, argument, status, line, user);

	if (!ok)
		complain(g, "ask");
	return ok;
}

void generation_status(struct generation *g, void (*line)(const char *text, void *user), void *user)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		"generation %u: %zu tasks, %zu KiB of Lua memory, %zu bytes of events waiting",
		g->context.generation, generation_tasks(g), vm_memory(g->vm) / 1024,
		inbox_bytes(g->inbox));
	line(text, user);
	if (g->interests && !lua_generation_status(g->vm, line, user))
		complain(g, "status");
}
