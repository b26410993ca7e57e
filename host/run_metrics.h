/* run_metrics: what is measured at the moment somebody asks, beside what the program counts. */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "run_view.h"

/* Appends the page for Prometheus; false: it does not fit. */
bool run_metrics(const struct run_view *v, struct buf *out) WARN_UNUSED;

#endif
