/* scan: see scan.h. Nothing is looked at twice but the few strings that are wanted. */
#include "scan.h"

#include <string.h>

struct event {
	struct scan_job job;
	struct span topic, type, parent;
	bool stop, deleted;
};

typedef const char *(*on_member)(
	struct event *e, struct span name, const char *value, const char *end);

/* The members of the object at `at`, each given to `member`, which returns where its value ends. */
static const char *members(struct event *e, const char *at, const char *end, on_member member)
{
	at++;
	while (at < end && *at == '"') {
		struct span name = json_string(json_value(at, end));

		at = member(e, name, name.at + name.len + 2, end);
		if (*at == ',')
			at++;
	}
	return at + 1;
}

static struct span take(const char **at, const char *end)
{
	struct span v = json_value(*at, end);

	*at = v.at + v.len;
	return v;
}

static const char *meta_member(struct event *e, struct span name, const char *at, const char *end)
{
	struct span v = take(&at, end);

	if (span_is(name, "auto-backup"))
		e->job.enabled = span_is(v, "\"true\"");
	else if (span_is(name, "backup-schedule"))
		e->job.schedule = json_string(v);
	else if (span_is(name, "backup-target-db"))
		e->job.target = json_string(v);
	return at;
}

static const char *job_member(struct event *e, struct span name, const char *at, const char *end)
{
	struct span v;

	if (*at == '{' && span_is(name, "Meta"))
		return members(e, at, end, meta_member);
	v = take(&at, end);
	if (span_is(name, "ID"))
		e->job.id = json_string(v);
	else if (span_is(name, "Namespace"))
		e->job.namespace = json_string(v);
	else if (span_is(name, "ParentID"))
		e->parent = json_string(v);
	else if (span_is(name, "Stop"))
		e->stop = span_is(v, "true");
	return at;
}

static const char *payload_member(
	struct event *e, struct span name, const char *at, const char *end)
{
	struct span v;

	if (*at == '{' && span_is(name, "Job"))
		return members(e, at, end, job_member);
	v = take(&at, end);
	if (span_is(name, "Deleted"))
		e->deleted = span_is(v, "true");
	return at;
}

static const char *event_member(struct event *e, struct span name, const char *at, const char *end)
{
	struct span v;

	if (*at == '{' && span_is(name, "Payload"))
		return members(e, at, end, payload_member);
	v = take(&at, end);
	if (span_is(name, "Topic"))
		e->topic = json_string(v);
	else if (span_is(name, "Type"))
		e->type = json_string(v);
	return at;
}

void scan_line(const char *at, const char *end,
	void (*on_job)(void *user, const struct scan_job *job), void *user)
{
	at = memchr(at, '[', (size_t)(end - at));
	while (at && at + 1 < end && at[1] == '{') {
		struct event e = {0};
		bool registered, deregistered;

		at = members(&e, at + 1, end, event_member);
		registered = span_is(e.type, "JobRegistered");
		deregistered = span_is(e.type, "JobDeregistered");
		e.job.gone = e.stop || e.deleted || deregistered;
		if (span_is(e.topic, "Job") && (registered || deregistered) && e.parent.len == 0)
			on_job(user, &e.job);
	}
}
