/* run_status: what SIGUSR1 shows: the stream, the generations, the counters. */
#ifndef RUN_STATUS_H
#define RUN_STATUS_H

#include <stdint.h>

#include "generations.h"
#include "stream.h"

/* started: uv_hrtime of the start. stream NULL: none yet. */
void run_status(const struct lua_context *base, const struct stream *stream, struct generations *gs,
	uint64_t started);

#endif
