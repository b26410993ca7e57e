/* feed: sends the plan's lines down the newest stream, as fast as it takes them or so many a second; heartbeats meanwhile. */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "plan.h"
#include "world.h"

struct feed_options {
	size_t initial; /* lines that have happened before anybody listened */
	double rate;	/* lines a second; 0: as fast as they are taken */
	uint64_t
		settle; /* nanoseconds from the subscription to the first line; UINT64_MAX: feed_go says when */
	uint64_t heartbeat; /* nanoseconds between two */
};

struct feed;

struct feed *feed_new(const struct plan *p, struct world *w, const struct feed_options *o);
void feed_free(struct feed *f);

void feed_subscribe(struct feed *f, struct http_conn *c);
void feed_closed(struct feed *f, const struct http_conn *c);
void feed_drained(struct feed *f, struct http_conn *c);
void feed_go(struct feed *f);

/* Sends what is due; returns when there is something to do again. */
uint64_t feed_tick(struct feed *f, uint64_t now);

/* All lines are with the kernel. */
bool feed_is_over(const struct feed *f);

/* When the first line went; 0: it has not. */
uint64_t feed_began(const struct feed *f);

#endif
