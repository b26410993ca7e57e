/* metrics_text: the numbers as Prometheus reads them (text format 0.0.4), and what each of them means. */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include "metrics.h"

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends every family that is known, with its series of both sets; a counter without labels that was never
 * counted is 0. What is counted but not known here comes last, untyped. false: the buffer is full. */
bool metrics_text(
	struct buf *out, const struct metrics *counted, const struct metrics *measured) WARN_UNUSED;

#endif
