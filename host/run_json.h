/* run_json: what SIGUSR1 shows, as one JSON object for programs. */
#ifndef RUN_JSON_H
#define RUN_JSON_H

#include "run_view.h"

/* false: it does not fit. */
bool run_json(const struct run_view *v, struct buf *out) WARN_UNUSED;

#endif
