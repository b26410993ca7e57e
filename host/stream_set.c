/* stream_set: see stream_set.h. */
#include "stream_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct group;

struct member {
	struct group *group;
	struct stream *stream;
	bool told, live; /* connected, and how */
	bool failed;	 /* it is tried again */
};

/* Streams that were opened together. */
struct group {
	struct stream_set *set;
	size_t count;
	struct member members[];
};

struct stream_set {
	uv_loop_t *loop;
	struct api *api;
	struct log *log;
	struct stream_callbacks cb;
	void *user;
	struct group *current, *next; /* next: NULL unless a restart is under way */
	bool started, told;
	uint64_t epoch;
	struct stream_status past; /* counts of groups that are closed */
};

static size_t count_told(const struct group *g)
{
	size_t told = 0;

	for (size_t i = 0; i < g->count; i++)
		told += g->members[i].told;
	return told;
}

static bool is_ready(const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (!g->members[i].told && !g->members[i].failed)
			return false;
	}
	return count_told(g) > 0;
}

static bool is_live(const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->members[i].told && !g->members[i].live)
			return false;
	}
	return true;
}

static void add_counts(struct stream_status *sum, const struct group *g)
{
	for (size_t i = 0; g && i < g->count; i++) {
		struct stream_status s;

		stream_status(g->members[i].stream, &s);
		sum->lines += s.lines;
		sum->bytes += s.bytes;
		sum->reconnects += s.reconnects;
		if (s.last_index > sum->last_index)
			sum->last_index = s.last_index;
	}
}

static void close_group(struct stream_set *set, struct group *g)
{
	if (!g)
		return;
	add_counts(&set->past, g);
	set->past.reconnects++;
	for (size_t i = 0; i < g->count; i++)
		stream_free(g->members[i].stream);
	free(g);
}

static void promote(struct stream_set *set)
{
	struct group *old = set->current;

	set->current = set->next;
	set->next = NULL;
	close_group(set, old);
}

/* A member has a stream, or has failed to get one. The last act may free the set. */
static void look_at(struct group *g)
{
	struct stream_set *set = g->set;

	if (!is_ready(g))
		return;
	if (g == set->next)
		promote(set);
	set->told = true;
	set->cb.connected(++set->epoch, is_live(g), set->user);
}

static void on_connected(uint64_t epoch, bool live, void *user)
{
	struct member *m = user;

	(void)epoch;
	m->told = true;
	m->live = live;
	m->failed = false;
	look_at(m->group);
}

static void on_failed(const char *reason, void *user)
{
	struct member *m = user;
	bool known = m->failed;

	(void)reason;
	m->failed = true;
	if (!known)
		look_at(m->group);
}

static void on_lost(const char *reason, void *user)
{
	struct member *m = user;
	struct group *g = m->group;
	struct stream_set *set = g->set;

	m->told = false;
	m->failed = true;
	if (g == set->next || count_told(g) > 0)
		return;
	/* The reason dies with the stream, so the owner is told first; it may have begun anew. */
	set->told = false;
	set->cb.lost(reason, set->user);
}

static void on_line(const char *line, size_t len, void *user)
{
	struct stream_set *set = ((struct member *)user)->group->set;

	set->cb.line(line, len, set->user);
}

static void on_wake(void *user)
{
	struct stream_set *set = ((struct member *)user)->group->set;

	set->cb.wake(set->user);
}

static bool on_full(void *user)
{
	const struct stream_set *set = ((struct member *)user)->group->set;

	return set->cb.full && set->cb.full(set->user);
}

static struct group *open_group(
	struct stream_set *set, const struct stream_options *o, const char *const *namespaces)
{
	static const struct stream_callbacks cb = {
		on_connected, on_lost, on_failed, on_line, on_wake, on_full};
	struct group *g;
	size_t count = 0;

	while (namespaces[count])
		count++;
	assert(count > 0 && count <= STREAM_SET_MAX);
	g = xcalloc(1, sizeof(*g) + count * sizeof(g->members[0]));
	g->set = set;
	g->count = count;
	for (size_t i = 0; i < count; i++) {
		struct stream_options one = *o;

		one.ns = namespaces[i];
		g->members[i].group = g;
		g->members[i].stream =
			stream_new(set->loop, set->api, set->log, &one, &cb, &g->members[i]);
		if (set->started)
			stream_start(g->members[i].stream);
	}
	return g;
}

struct stream_set *stream_set_new(uv_loop_t *loop, struct api *api, struct log *log,
	const struct stream_options *o, const char *const *namespaces,
	const struct stream_callbacks *cb, void *user)
{
	struct stream_set *set = xcalloc(1, sizeof(*set));

	set->loop = loop;
	set->api = api;
	set->log = log;
	set->cb = *cb;
	set->user = user;
	set->current = open_group(set, o, namespaces);
	return set;
}

void stream_set_start(struct stream_set *set)
{
	set->started = true;
	for (size_t i = 0; i < set->current->count; i++)
		stream_start(set->current->members[i].stream);
}

void stream_set_restart(
	struct stream_set *set, const struct stream_options *o, const char *const *namespaces)
{
	close_group(set, set->next);
	set->next = open_group(set, o, namespaces);
	/* Nothing is lost with what does not work. */
	if (!set->told)
		promote(set);
}

/* The one that tells how the group is. */
static struct stream_status worst(const struct group *g)
{
	struct stream_status s;

	for (size_t i = 0; i < g->count; i++) {
		stream_status(g->members[i].stream, &s);
		if (s.state != STREAM_LIVE)
			return s;
	}
	stream_status(g->members[0].stream, &s);
	return s;
}

void stream_set_status(const struct stream_set *set, struct stream_status *out)
{
	struct stream_status next, sum = set->past;

	*out = worst(set->current);
	add_counts(&sum, set->current);
	add_counts(&sum, set->next);
	out->epoch = set->epoch;
	out->connected = set->told;
	out->denied = out->denied && count_told(set->current) == 0;
	out->lines = sum.lines;
	out->bytes = sum.bytes;
	out->reconnects = sum.reconnects;
	out->last_index = sum.last_index;
	for (size_t i = 0; i < set->current->count; i++) {
		struct stream_status s;

		stream_status(set->current->members[i].stream, &s);
		if (s.last_frame > out->last_frame)
			out->last_frame = s.last_frame;
	}
	if (!set->next)
		return;
	next = worst(set->next);
	if (next.reason[0])
		out->reason = next.reason;
	out->denied = out->denied || (next.denied && count_told(set->next) == 0);
}

void stream_set_free(struct stream_set *set)
{
	if (!set)
		return;
	close_group(set, set->next);
	close_group(set, set->current);
	free(set);
}
