/* interests: see interests.h. Here it is decided which events a generation sees.
 *
 * An event that a policy's `where` does not hold for matters all the same, for one of these reasons; nothing is left
 * out that has one.
 * - Its key is known: it matched before (so that the one by which it stops matching is seen, and with watch.changes =
 *   "any" its status), it is a child that exists or is stopped, or it owns one. Lua says so with host.watch, before
 *   it returns from what made the key known. An event that waits in the inbox makes its key known too, for what Lua
 *   will know when it has read it: else the next one of the same job, left out, would be missed.
 * - It carries our mark (a program of its own): a child that another process or generation made, or that we made and
 *   have no answer for yet.
 * - It says that the job went (`always`, and whatever is Deleted): the payload may show the job as it was, lists that
 *   run need the tombstone, handlers are told, and it counts for known keys however they are spelt. Deregistrations
 *   in evaluations, which are all that Nomad before 1.7.5 says of a purge, have no `where`.
 * - A policy has no `where`, on which its handlers (`on`) depend too: they are told of what matches, and of what went.
 * - It cannot be told from the raw text: no such object, JSON that is broken where it is looked at, escapes.
 * What is left out still counts for one thing: how new the cluster is. Its ModifyIndex is kept, so that a list that is
 * older, or a snapshot that was restored, is known for what it is.
 *
 * And one that has a reason is left out when it repeats another (`once`): a job's specification, which its
 * JobModifyIndex tells from the next one, is told of once, however often its status changes after that (in a busy
 * cluster most events of a job are such). So it is while the key is watched, as it is from the event before on: it
 * matters to Lua all the time, which has looked at that version, or has it in its inbox. Only then, and only where no
 * policy has handlers (`on`) or wants status too (watch.changes = "any"), and where for each policy that the event
 * holds for the one before held too; of those that passed lately (told.c), within one connection.
 *
 * Generations have their own keys. One that has not listed yet knows none, but its list is asked for after the stream
 * is there: what was left out before is in it, or its job is read when the list makes it matter. */
#include "interests.h"

#include <stdlib.h>
#include <string.h>

struct interests *interests_new(void)
{
	struct interests *in = xcalloc(1, sizeof(*in));

	in->namespaces = xcalloc(INTERESTS_MAX + 1, sizeof(*in->namespaces));
	in->topics = xcalloc(INTERESTS_MAX + 1, sizeof(*in->topics));
	in->pass = xcalloc(INTERESTS_MAX, sizeof(*in->pass));
	return in;
}

static void free_list(char **list)
{
	for (char **at = list; at && *at; at++)
		free(*at);
	free(list);
}

void interests_free(struct interests *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->pass_count; i++) {
		free(in->pass[i].topic);
		free_list(in->pass[i].types);
		free_list(in->pass[i].always);
		where_free(in->pass[i].where);
	}
	free(in->pass);
	free_list(in->topics);
	free_list(in->namespaces);
	free(in);
}

static bool add(char **list, const char *text)
{
	size_t count = 0;

	while (list[count])
		count++;
	if (count == INTERESTS_MAX)
		return false;
	list[count] = xstrdup(text);
	return true;
}

bool interests_add_topic(struct interests *in, const char *topic)
{
	return add(in->topics, topic);
}

bool interests_add_namespace(struct interests *in, const char *ns)
{
	return add(in->namespaces, ns);
}

bool interests_add_pass(struct interests *in, const char *topic)
{
	if (in->pass_count == INTERESTS_MAX)
		return false;
	in->pass[in->pass_count++].topic = xstrdup(topic);
	return true;
}

static struct interest *last(struct interests *in)
{
	return &in->pass[in->pass_count - 1];
}

static bool add_type(char ***list, const char *type)
{
	if (!*list)
		*list = xcalloc(INTERESTS_MAX + 1, sizeof(**list));
	return add(*list, type);
}

bool interests_add_type(struct interests *in, const char *type)
{
	return add_type(&last(in)->types, type);
}

bool interests_add_always(struct interests *in, const char *type)
{
	return add_type(&last(in)->always, type);
}

struct where *interests_where(struct interests *in)
{
	struct interest *one = last(in);

	if (!one->where)
		one->where = where_new(one->topic);
	return one->where;
}

void interests_set_once(struct interests *in)
{
	last(in)->once = true;
}

/* Topics and types are plain words: one that is written with escapes is not known to us. */
static bool equal(const struct scan_span *span, const char *text)
{
	size_t len = strlen(text);

	return span->p && !span->escaped && span->n == len && memcmp(span->p, text, len) == 0;
}

static bool is_one_of(const struct scan_span *type, char *const *list)
{
	for (; list && *list; list++)
		if (equal(type, *list))
			return true;
	return false;
}

/* The inside of a string at `at`. Returns the end. */
static char *put(char *at, const struct scan_span *s)
{
	if (s->escaped) {
		long n = scan_unescape(s->p, s->n, at);

		return n > 0 ? at + n : at;
	}
	memcpy(at, s->p, s->n);
	return at + s->n;
}

static const struct scan_span nowhere = {.p = "default", .n = 7};

/* `alone`: the ID, without a namespace. */
static uint64_t key_of(
	const char *topic, const struct scan_span *ns, const struct scan_span *id, bool alone)
{
	char small[512], *text = small, *end;
	uint64_t hash;

	if (!ns->p || ns->n == 0)
		ns = &nowhere;
	if (ns->n + id->n + 1 > sizeof(small))
		text = xmalloc(ns->n + id->n + 1);
	end = text;
	if (!alone) {
		end = put(end, ns);
		*end++ = '/';
	}
	if (id->p)
		end = put(end, id);
	hash = keyset_hash(topic, strlen(topic), text, (size_t)(end - text));
	if (text != small)
		free(text);
	return hash;
}

uint64_t interests_key(const char *topic, const struct scan_span *ns, const struct scan_span *id)
{
	return key_of(topic, ns, id, false);
}

static bool is_watched(const struct interest *one, const struct scan_event *event,
	const struct keyset *watched, uint64_t key)
{
	if (keyset_has(watched, key))
		return true;
	return event->ns.n == 0 &&
	       keyset_has(watched, key_of(one->topic, &event->ns, &event->key, true));
}

static bool want(const struct interest *one, const struct scan_event *event,
	const struct keyset *watched, struct interests_verdict *out)
{
	struct where_seen seen;
	bool always, passes;

	if (one->types && !is_one_of(&event->type, one->types))
		return false;
	if (!one->where)
		return true;
	out->key = interests_key(one->topic, &event->ns, &event->key);
	if (!event->payload.p)
		return true;
	always = is_one_of(&event->type, one->always);
	passes = always || is_watched(one, event, watched, out->key);
	/* What holds of one that passes always is told too: Lua would take longer to find it. */
	if (passes && !always && !one->once)
		return true;
	where_skip(one->where, &event->longest);
	if (where_payload(one->where, event->payload.p, event->payload.n, &seen) != WHERE_NO)
		passes = true;
	out->version = seen.version;
	out->sure = seen.sure;
	out->holds = seen.holds;
	if (one->once && seen.sure && !always)
		out->spec = seen.spec;
	return passes;
}

bool interests_want(const struct interests *in, const struct scan_event *event,
	const struct keyset *watched, struct interests_verdict *out)
{
	*out = (struct interests_verdict){0};
	for (size_t i = 0; i < in->pass_count; i++)
		if (equal(&event->topic, in->pass[i].topic))
			return want(&in->pass[i], event, watched, out);
	return false;
}

static bool same_list(char *const *a, char *const *b)
{
	while (*a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return !*a && !*b;
}

bool interests_same_stream(const struct interests *a, const struct interests *b)
{
	return same_list(a->topics, b->topics) && same_list(a->namespaces, b->namespaces);
}
