/* run_status: see run_status.h. On a terminal one block, elsewhere a record for each line. */
#include "run_status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

#define STATUS_MAX ((size_t)256 * 1024) /* bytes */

struct page {
	void (*line)(const char *text, void *user);
	void *user;
};

static void line(const char *text, void *user)
{
	const struct page *p = user;

	p->line(text, p->user);
}

/* What is said on standard error. */
struct said {
	struct log *log;
	struct buf block; /* used on a terminal */
};

static void say(const char *text, void *user)
{
	struct said *p = user;

	if (log_format(p->log) != LOG_TEXT)
		log_record(p->log, LOG_INFO, text, strlen(text), NULL, 0);
	else if (!buf_addf(&p->block, "    %s\n", text))
		return; /* the page is full */
}

static void show_stream(const struct stream_status *s, struct page *p)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"stream: %s, local port %d, epoch %" PRIu64 ", %" PRIu64 " lines, %" PRIu64
		" bytes, %" PRIu64 " reconnects, index %" PRIu64,
		stream_state_name(s->state), s->local_port, s->epoch, s->lines, s->bytes,
		s->reconnects, s->last_index);
	line(text, p);
	if (s->last_frame >= 0) {
		(void)snprintf(text, sizeof(text), "stream: last frame %.1f s ago", s->last_frame);
		line(text, p);
	}
	if (s->reason[0]) {
		(void)snprintf(text, sizeof(text), "stream: ended last because: %s", s->reason);
		line(text, p);
	}
}

static void show_metric(const char *series, double value, void *user)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s %.15g", series, value);
	line(text, user);
}

/* "ready", or a line for each reason against it. */
static void show_ready(struct run_facts *f, struct page *p)
{
	char *lines = xstrdup(f->ready ? "ready\n" : buf_text(&f->reasons)), *rest = NULL;
	char *one;

	for (one = strtok_r(lines, "\n", &rest); one; one = strtok_r(NULL, "\n", &rest)) {
		char *text = xasprintf("%s%s", f->ready ? "" : "not ready: ", one);

		line(text, p);
		free(text);
	}
	free(lines);
}

static void show_process(const struct lua_context *base, struct page *p)
{
	uint64_t sent, refused;
	char text[128];

	api_counts(base->api, &sent, &refused);
	(void)snprintf(text, sizeof(text),
		"requests: %" PRIu64 " sent, %" PRIu64 " refused by -dry-run", sent, refused);
	line(text, p);
	(void)snprintf(text, sizeof(text), "locks held: %zu, kept: %zu bytes",
		store_locks(base->store), store_bytes(base->store));
	line(text, p);
}

bool run_status_lines(
	const struct run_view *v, void (*fn)(const char *text, void *user), void *user)
{
	struct page p = {fn, user};
	struct run_facts f;
	char text[128];
	bool ready;

	(void)snprintf(text, sizeof(text), "nomad-operator %s, up for %" PRIu64 " s", VERSION,
		(uv_hrtime() - v->started) / 1000000000);
	line(text, &p);
	run_facts_take(&f, v);
	ready = f.ready;
	show_ready(&f, &p);
	if (v->stream)
		show_stream(&f.stream, &p);
	run_facts_free(&f);
	generations_status(v->generations, line, &p);
	show_process(v->base, &p);
	metrics_each(v->base->metrics, show_metric, &p);
	return ready;
}

void run_status(const struct run_view *v)
{
	struct said s = {.log = v->base->log};

	buf_init(&s.block, STATUS_MAX);
	if (!buf_addf(&s.block, "==> Status\n"))
		return;
	(void)run_status_lines(v, say, &s);
	if (log_format(s.log) == LOG_TEXT)
		log_block(s.log, s.block.data, s.block.len);
	buf_free(&s.block);
}
