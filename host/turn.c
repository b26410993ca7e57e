/* turn: see turn.h. An idle handle keeps the loop from blocking while jobs are queued. */
#include "turn.h"

#include <stdlib.h>

#include "mem.h"

/* After jobs that have kept the thread for so long (ns) a fifth of that time is left to reading: one turn reads only what
 * is there, and a server that was not listened to has little there yet. */
#define LONG_JOBS ((uint64_t)50 * 1000000)
#define READING_SHARE 5

struct turn {
	uv_check_t check;
	uv_idle_t idle;
	struct turn_job *first, *last; /* queued for the coming check phase */
	struct turn_job *now;	       /* those of the phase that runs */
	uint64_t rest_until;	       /* ns: no job is run before */
	int open;		       /* handles that are not closed yet */
};

static void on_idle(uv_idle_t *handle)
{
	(void)handle;
}

static void unlink_job(struct turn_job *job)
{
	struct turn *t = job->queued;

	if (job->prev)
		job->prev->next = job->next;
	else if (t->now == job)
		t->now = job->next;
	else
		t->first = job->next;
	if (job->next)
		job->next->prev = job->prev;
	else if (t->last == job)
		t->last = job->prev;
	job->prev = NULL;
	job->next = NULL;
	job->queued = NULL;
}

static void on_check(uv_check_t *handle)
{
	struct turn *t = handle->data;
	uint64_t began = uv_hrtime(), took;

	if (began < t->rest_until)
		return;
	t->now = t->first;
	t->first = NULL;
	t->last = NULL;
	while (t->now) {
		struct turn_job *job = t->now;

		unlink_job(job);
		job->cb(job->user);
	}
	took = uv_hrtime() - began;
	if (took > LONG_JOBS)
		t->rest_until = began + took + took / READING_SHARE;
	if (!t->first)
		(void)uv_idle_stop(&t->idle);
}

struct turn *turn_new(uv_loop_t *loop)
{
	struct turn *t = xcalloc(1, sizeof(*t));

	/* These two can only fail for a NULL callback. */
	(void)uv_check_init(loop, &t->check);
	(void)uv_idle_init(loop, &t->idle);
	t->check.data = t;
	t->idle.data = t;
	t->open = 2;
	(void)uv_check_start(&t->check, on_check);
	/* What keeps the loop alive are sockets, timers and queued work, not this. */
	uv_unref((uv_handle_t *)&t->check);
	return t;
}

static void on_closed(uv_handle_t *handle)
{
	struct turn *t = handle->data;

	t->open--;
	if (t->open == 0)
		free(t);
}

void turn_free(struct turn *t)
{
	if (!t)
		return;
	while (t->now)
		unlink_job(t->now);
	while (t->first)
		unlink_job(t->first);
	uv_close((uv_handle_t *)&t->check, on_closed);
	uv_close((uv_handle_t *)&t->idle, on_closed);
}

void turn_job_init(struct turn_job *job, turn_cb *cb, void *user)
{
	*job = (struct turn_job){.cb = cb, .user = user};
}

void turn_add(struct turn *t, struct turn_job *job)
{
	if (job->queued)
		return;
	job->queued = t;
	job->prev = t->last;
	job->next = NULL;
	if (t->last)
		t->last->next = job;
	else
		t->first = job;
	t->last = job;
	(void)uv_idle_start(&t->idle, on_idle);
}

void turn_remove(struct turn_job *job)
{
	if (job->queued)
		unlink_job(job);
}

bool turn_waits(const struct turn *t)
{
	return t->first || t->now;
}

uint64_t turn_deadline(double milliseconds)
{
	return uv_hrtime() + (uint64_t)(milliseconds * 1e6);
}

bool turn_over(uint64_t deadline)
{
	return uv_hrtime() >= deadline;
}
