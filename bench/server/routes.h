/* routes: what the synthetic Nomad answers, route by route. */
#ifndef BENCH_ROUTES_H
#define BENCH_ROUTES_H

#include <stdint.h>

#include "feed.h"
#include "http.h"
#include "world.h"

struct routes {
	struct world *world;
	struct feed *feed;
	struct span parsed;   /* see parse.h */
	uint64_t write_delay; /* nanoseconds before a write is answered */
	struct bytes answer;
};

void routes_answer(struct routes *s, struct http_conn *c, const struct http_request *r);

#endif
