/* feed: see feed.h. A line is a chunk, as Nomad writes it. */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

/* Bytes that are made at once: they should fit the processor's cache. */
#define BATCH ((size_t)256 * 1024)

static const char heartbeat[] = "3\r\n{}\n\r\n";

struct feed {
	const struct plan *plan;
	struct world *world;
	struct feed_options options;
	struct http_conn *conn; /* NULL: nobody listens */
	size_t next;		/* line */
	size_t told;		/* tenths of the lines that are said to be gone */
	uint64_t start, began, beat;
	bool full; /* what was added last is not all with the kernel */
};

struct feed *feed_new(const struct plan *p, struct world *w, const struct feed_options *o)
{
	struct feed *f = need(calloc(1, sizeof(*f)));
	size_t i;

	f->plan = p;
	f->world = w;
	f->options = *o;
	f->start = UINT64_MAX;
	for (i = 0; i < o->initial && i < plan_count(p); i++)
		world_line(w, i);
	f->next = i;
	return f;
}

void feed_free(struct feed *f)
{
	free(f);
}

void feed_subscribe(struct feed *f, struct http_conn *c)
{
	uint64_t now = now_ns();

	f->conn = c;
	f->full = false;
	f->beat = now + f->options.heartbeat;
	if (f->start == UINT64_MAX && f->options.settle != UINT64_MAX)
		f->start = now + f->options.settle;
	bytes_add(http_out(c), heartbeat, sizeof(heartbeat) - 1);
	http_flush(c);
}

void feed_closed(struct feed *f, const struct http_conn *c)
{
	if (f->conn == c)
		f->conn = NULL;
}

void feed_drained(struct feed *f, struct http_conn *c)
{
	if (f->conn == c)
		f->full = false;
}

void feed_go(struct feed *f)
{
	f->start = now_ns();
}

static void add_line(struct feed *f, struct bytes *out)
{
	size_t len = plan_length(f->plan, f->next);
	char head[32];

	bytes_add(out, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", len));
	plan_render(f->plan, f->next, bytes_reserve(out, len));
	out->len += len;
	bytes_text(out, "\r\n");
	world_line(f->world, f->next);
	f->next++;
}

static void tell(struct feed *f)
{
	size_t all = plan_count(f->plan) - f->options.initial;
	size_t done = (f->next - f->options.initial) * 10 / all;

	for (; f->told < done; f->told++)
		printf("tenth %zu\n", f->told + 1);
	fflush(stdout);
}

static void send_batch(struct feed *f)
{
	struct bytes *out = http_out(f->conn);

	while (f->next < plan_count(f->plan) && out->len < BATCH)
		add_line(f, out);
	f->full = true;
	http_flush(f->conn);
	tell(f);
}

/* One line at its time. Its calls are timed from just before the kernel is given it: the peer may be running before
 * the kernel has come back to us. */
static uint64_t send_one(struct feed *f, uint64_t now)
{
	double done = (double)(f->next - f->options.initial);
	uint64_t due = f->began + (uint64_t)(done * 1e9 / f->options.rate);

	if (now < due)
		return due;
	add_line(f, http_out(f->conn));
	world_line_sent(f->world, f->next - 1, now_ns());
	f->full = true;
	http_flush(f->conn);
	return f->began + (uint64_t)((done + 1) * 1e9 / f->options.rate);
}

static uint64_t send_heartbeat(struct feed *f, uint64_t now)
{
	if (now >= f->beat) {
		bytes_add(http_out(f->conn), heartbeat, sizeof(heartbeat) - 1);
		f->full = true;
		http_flush(f->conn);
		f->beat = now + f->options.heartbeat;
	}
	return f->beat < f->start || now >= f->start ? f->beat : f->start;
}

uint64_t feed_tick(struct feed *f, uint64_t now)
{
	if (!f->conn || f->full)
		return UINT64_MAX;
	if (now < f->start || f->next == plan_count(f->plan))
		return send_heartbeat(f, now);
	if (f->began == 0)
		f->began = now_ns();
	if (f->options.rate > 0)
		return send_one(f, now);
	send_batch(f);
	return f->full ? UINT64_MAX : 0;
}

bool feed_is_over(const struct feed *f)
{
	return f->next == plan_count(f->plan) && !f->full;
}

uint64_t feed_began(const struct feed *f)
{
	return f->began;
}
