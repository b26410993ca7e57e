/* metrics: named numbers that the program counts about itself, shown by status.
 *
 * A series is a name without the prefix nomad_operator_ and, perhaps, labels, already written as
 * Prometheus writes them: `writes_total{policy="backup",verb="updated"}`. */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "mem.h"

/* So that a script which puts a job's name in a label cannot grow the process without end. */
#define METRICS_SERIES_MAX 10000

struct metrics;

typedef void metrics_cb(const char *series, double value, void *user);

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
/* false: the series would be one too many; nothing was counted. */
bool metrics_add(struct metrics *m, const char *series, double value);
/* The same for who adds to one series again and again: *at is where it was last time, 0 at first. */
bool metrics_add_at(struct metrics *m, size_t *at, const char *series, double value);
/* The same for a name with labels: name, value, name, value, NULL, by the names' order. */
bool metrics_add_with(struct metrics *m, double value, const char *name, ...);
/* Appends name="value", escaped as Prometheus wants it. */
bool metrics_put_label(struct buf *b, const char *name, const char *value, size_t len) WARN_UNUSED;
double metrics_get(const struct metrics *m, const char *series); /* 0 for what was never counted */
/* In the order of their names. */
void metrics_each(const struct metrics *m, metrics_cb *cb, void *user);

#endif
