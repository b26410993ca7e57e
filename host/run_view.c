/* run_view: see run_view.h. */
#include "run_view.h"

#define REASONS_MAX ((size_t)64 * 1024) /* bytes */

void run_facts_take(struct run_facts *f, const struct run_view *v)
{
	struct generation *g = generations_current(v->generations);
	struct ready_facts facts = {
		.stopping = v->stopping,
		.refused = generations_refused(v->generations),
		.stream_idle = v->base->config->stream_idle,
		.queue_age = v->base->config->ready_queue_age,
	};

	*f = (struct run_facts){.stream = {.state = STREAM_IDLE, .last_frame = -1, .reason = ""}};
	buf_init(&f->reasons, REASONS_MAX);
	if (v->stream)
		stream_set_status(v->stream, &f->stream);
	facts.stream = f->stream;
	if (g) {
		facts.generation = generation_number(g);
		if (generation_health(g, &f->health))
			facts.health = &f->health;
	}
	f->ready = ready_check(&facts, &f->reasons);
}

void run_facts_free(struct run_facts *f)
{
	health_free(&f->health);
	buf_free(&f->reasons);
}
