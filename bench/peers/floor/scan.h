/* scan: the jobs of a line, found in its raw text by one pass over it. */
#ifndef BENCH_FLOOR_SCAN_H
#define BENCH_FLOOR_SCAN_H

#include <stdbool.h>

#include "../../json.h"

struct scan_job {
	struct span id, namespace, schedule, target;
	bool enabled, gone; /* as its meta says; stopped or purged */
};

/* Calls for each event that registers or deregisters a job that is no run of another. */
void scan_line(const char *at, const char *end,
	void (*on_job)(void *user, const struct scan_job *job), void *user);

#endif
