/* run_json: see run_json.h. */
#include "run_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "version.h"

/* A page is written to its end; whether it fitted is asked once. */
struct page {
	struct buf *out;
	bool ok;
	bool comma; /* before the next value */
};

static void put(struct page *p, const char *text)
{
	p->ok = p->ok && buf_add(p->out, text, strlen(text));
}

static void string(struct page *p, const char *text)
{
	char *escaped = escape_copy(text, strlen(text), ESCAPE_JSON);

	put(p, "\"");
	put(p, escaped);
	put(p, "\"");
	free(escaped);
}

/* name NULL: an element of an array. */
static void begin_value(struct page *p, const char *name)
{
	if (p->comma)
		put(p, ",");
	p->comma = true;
	if (name) {
		string(p, name);
		put(p, ":");
	}
}

static void begin(struct page *p, const char *name, const char *bracket)
{
	begin_value(p, name);
	put(p, bracket);
	p->comma = false;
}

static void end(struct page *p, const char *bracket)
{
	put(p, bracket);
	p->comma = true;
}

/* NULL: null. */
static void put_text(struct page *p, const char *name, const char *text)
{
	begin_value(p, name);
	if (text)
		string(p, text);
	else
		put(p, "null");
}

static void put_bool(struct page *p, const char *name, bool value)
{
	begin_value(p, name);
	put(p, value ? "true" : "false");
}

static void put_integer(struct page *p, const char *name, uint64_t value)
{
	begin_value(p, name);
	p->ok = p->ok && buf_addf(p->out, "%" PRIu64, value);
}

static void put_number(struct page *p, const char *name, double value)
{
	begin_value(p, name);
	p->ok = p->ok && buf_addf(p->out, "%.15g", value);
}

static void put_reasons(struct page *p, struct buf *lines)
{
	const char *line = buf_text(lines), *stop;

	begin(p, "reasons", "[");
	for (; (stop = strchr(line, '\n')); line = stop + 1) {
		char *text = xstrndup(line, (size_t)(stop - line));

		put_text(p, NULL, text);
		free(text);
	}
	end(p, "]");
}

static void put_stream(struct page *p, const struct stream_status *s)
{
	begin(p, "stream", "{");
	put_text(p, "state", stream_state_name(s->state));
	put_integer(p, "local_port", (uint64_t)s->local_port);
	put_integer(p, "epoch", s->epoch);
	put_integer(p, "lines", s->lines);
	put_integer(p, "bytes", s->bytes);
	put_integer(p, "reconnects", s->reconnects);
	put_integer(p, "last_index", s->last_index);
	if (s->last_frame >= 0)
		put_number(p, "last_frame_seconds", s->last_frame);
	else
		put_text(p, "last_frame_seconds", NULL);
	put_text(p, "last_end", s->reason[0] ? s->reason : NULL);
	end(p, "}");
}

static void put_generation(const struct generation *g, const char *role, void *user)
{
	struct page *p = user;

	begin(p, NULL, "{");
	put_integer(p, "number", generation_number(g));
	put_text(p, "role", role);
	put_integer(p, "tasks", generation_tasks(g));
	put_integer(p, "lua_memory_bytes", generation_memory(g));
	put_integer(p, "inbox_bytes", generation_inbox(g));
	end(p, "}");
}

static void put_policies(struct page *p, const struct health *h)
{
	begin(p, "policies", "[");
	for (size_t i = 0; i < h->count; i++) {
		const struct health_policy *one = &h->policies[i];

		begin(p, NULL, "{");
		put_text(p, "name", one->name);
		put_integer(p, "ready", (uint64_t)one->ready);
		put_integer(p, "running", (uint64_t)one->running);
		put_integer(p, "waiting", (uint64_t)one->waiting);
		put_integer(p, "parked", (uint64_t)one->parked);
		put_number(p, "oldest_seconds", one->oldest);
		end(p, "}");
	}
	end(p, "]");
}

static void put_series(const char *series, double value, void *user)
{
	put_number(user, series, value);
}

static void put_process(struct page *p, const struct run_view *v)
{
	const struct lua_context *base = v->base;
	uint64_t sent, refused;

	api_counts(base->api, &sent, &refused);
	begin(p, "requests", "{");
	put_integer(p, "sent", sent);
	put_integer(p, "refused_by_dry_run", refused);
	end(p, "}");
	put_integer(p, "locks_held", store_locks(base->store));
	put_integer(p, "kept_bytes", store_bytes(base->store));
	begin(p, "counters", "{");
	metrics_each(base->metrics, put_series, p);
	end(p, "}");
}

bool run_json(const struct run_view *v, struct buf *out)
{
	struct page p = {out, true, false};
	struct run_facts f;

	run_facts_take(&f, v);
	begin(&p, NULL, "{");
	put_text(&p, "version", VERSION);
	put_text(&p, "instance", v->base->config->instance);
	put_text(&p, "address", api_address(v->base->api));
	put_bool(&p, "dry_run", v->base->config->dry_run);
	put_integer(&p, "uptime_seconds", (uv_hrtime() - v->started) / 1000000000);
	put_bool(&p, "ready", f.ready);
	put_reasons(&p, &f.reasons);
	put_text(&p, "reload_error", generations_refused(v->generations));
	put_stream(&p, &f.stream);
	begin(&p, "generations", "[");
	generations_each(v->generations, put_generation, &p);
	end(&p, "]");
	put_policies(&p, &f.health);
	put_process(&p, v);
	end(&p, "}");
	put(&p, "\n");
	run_facts_free(&f);
	return p.ok;
}
