/* run_metrics: see run_metrics.h. A name that is new here needs its line in metrics_text.c and docs/metrics.md. */
#include "run_metrics.h"

#include <stdio.h>
#include <time.h>

#include "metrics_text.h"

static double wall_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One too many of them shows in metrics_refused_total of the next page. */
static void set(struct metrics *m, const char *name, double value)
{
	(void)metrics_add(m, name, value);
}

static void measure_stream(struct metrics *m, const struct stream_status *s)
{
	set(m, "stream_connected", s->state == STREAM_LIVE ? 1 : 0);
	set(m, "stream_reconnects_total", (double)s->reconnects);
	if (s->last_frame >= 0)
		set(m, "stream_last_frame_timestamp_seconds", wall_clock() - s->last_frame);
}

static void measure_depth(struct metrics *m, const char *policy, const char *state, long keys)
{
	(void)metrics_add_with(
		m, (double)keys, "queue_depth", "policy", policy, "state", state, NULL);
}

static void measure_policy(struct metrics *m, const struct health_policy *p)
{
	measure_depth(m, p->name, "ready", p->ready);
	measure_depth(m, p->name, "running", p->running);
	measure_depth(m, p->name, "waiting", p->waiting);
	measure_depth(m, p->name, "parked", p->parked);
	(void)metrics_add_with(m, (double)p->parked, "reconcile_parked", "policy", p->name, NULL);
	(void)metrics_add_with(m, p->oldest, "queue_oldest_seconds", "policy", p->name, NULL);
}

static void measure_generation(const struct generation *g, const char *role, void *user)
{
	char number[16];

	(void)role;
	(void)snprintf(number, sizeof(number), "%u", generation_number(g));
	(void)metrics_add_with(
		user, (double)generation_memory(g), "lua_memory_bytes", "generation", number, NULL);
}

static void measure(struct metrics *m, const struct run_view *v, const struct run_facts *f)
{
	const struct generation *current = generations_current(v->generations);
	uint64_t sent, refused;

	api_counts(v->base->api, &sent, &refused);
	set(m, "ready", f->ready ? 1 : 0);
	set(m, "start_time_seconds", wall_clock() - (double)(uv_hrtime() - v->started) / 1e9);
	set(m, "dry_run_refused_total", (double)refused);
	if (current)
		set(m, "generation", generation_number(current));
	measure_stream(m, &f->stream);
	for (size_t i = 0; i < f->health.count; i++)
		measure_policy(m, &f->health.policies[i]);
	generations_each(v->generations, measure_generation, m);
}

bool run_metrics(const struct run_view *v, struct buf *out)
{
	struct metrics *measured = metrics_new();
	struct run_facts f;
	bool ok;

	run_facts_take(&f, v);
	measure(measured, v, &f);
	ok = metrics_text(out, v->base->metrics, measured);
	run_facts_free(&f);
	metrics_free(measured);
	return ok;
}
