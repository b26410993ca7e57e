/* ready: see ready.h. */
#include "ready.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

enum { DURATION_MAX = 48 };

struct reasons {
	struct buf *out;
	size_t count;
	bool full;
};

static void PRINTF_LIKE(2, 3) add(struct reasons *r, const char *format, ...)
{
	char text[2048], *line;
	va_list args;

	r->count++;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line = escape_copy(text, strlen(text), ESCAPE_PLAIN);
	r->full = r->full || !buf_addf(r->out, "%s\n", line);
	free(line);
}

static const char *duration(double seconds, char out[DURATION_MAX])
{
	unsigned long s = seconds > 0 ? (unsigned long)seconds : 0;

	if (s < 60)
		(void)snprintf(out, DURATION_MAX, "%lu s", s);
	else if (s < 3600)
		(void)snprintf(out, DURATION_MAX, "%lu min %lu s", s / 60, s % 60);
	else
		(void)snprintf(out, DURATION_MAX, "%lu h %lu min", s / 3600, s / 60 % 60);
	return out;
}

static void check_stream(const struct ready_facts *f, struct reasons *r)
{
	const struct stream_status *s = &f->stream;
	char silent[DURATION_MAX], limit[DURATION_MAX];

	if (!s->connected)
		add(r, "The event stream is not connected (%s): %s", stream_state_name(s->state),
			s->reason[0] ? s->reason : "it has not been so far");
	else if (s->state == STREAM_LIVE && s->last_frame > f->stream_idle)
		add(r, "The event stream has been silent for %s (limit: %s)",
			duration(s->last_frame, silent), duration(f->stream_idle, limit));
}

static void check_token(const struct ready_facts *f, struct reasons *r)
{
	if (f->stream.denied)
		add(r, "Nomad refuses the token: %s", f->stream.reason);
	else if (f->health && f->health->denied)
		add(r, "Nomad refuses the token: %s", f->health->list_error);
}

static void check_lists(const struct ready_facts *f, struct reasons *r)
{
	const struct health *h = f->health;

	if (!h) {
		add(r, "The policies cannot be asked how they are; the log says why");
		return;
	}
	if (h->list_error && !h->denied)
		add(r, "The jobs cannot be listed: %s", h->list_error);
	if (h->epoch == 0)
		add(r, "The first sync is not done: the jobs have not been listed yet");
	else if (f->stream.connected && h->epoch < f->stream.epoch)
		add(r, "The jobs have not been listed since the stream was connected anew");
}

static void check_queues(const struct ready_facts *f, struct reasons *r)
{
	char age[DURATION_MAX], limit[DURATION_MAX];

	for (size_t i = 0; f->health && i < f->health->count; i++) {
		const struct health_policy *p = &f->health->policies[i];

		if (p->oldest > f->queue_age)
			add(r, "Policy %s is behind: a job has waited for %s (limit: %s)", p->name,
				duration(p->oldest, age), duration(f->queue_age, limit));
	}
}

bool ready_check(const struct ready_facts *f, struct buf *reasons)
{
	struct reasons r = {reasons, 0, false};

	if (f->stopping) {
		add(&r, "The operator is shutting down");
		return false;
	}
	check_stream(f, &r);
	check_token(f, &r);
	check_lists(f, &r);
	if (f->refused)
		add(&r,
			"The scripts did not load at the last reload, and generation %u goes on: "
			"%s",
			f->generation, f->refused);
	check_queues(f, &r);
	return r.count == 0;
}
