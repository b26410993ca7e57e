/* run_status: what SIGUSR1 shows: readiness, the stream, the generations, the counters. */
#ifndef RUN_STATUS_H
#define RUN_STATUS_H

#include "run_view.h"

void run_status(const struct run_view *v);
/* The same, a line at a time. Is it ready? */
bool run_status_lines(
	const struct run_view *v, void (*fn)(const char *text, void *user), void *user);

#endif
