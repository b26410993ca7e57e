/* ready: is the operator doing its work? Follows progress, not liveness: what it is told are facts, and for each one
 * that stands in the way it has a sentence. */
#ifndef READY_H
#define READY_H

#include "buf.h"
#include "health.h"
#include "stream.h"

struct ready_facts {
	bool stopping;
	struct stream_status stream;
	const struct health *health; /* NULL: the policies cannot be asked */
	const char *refused;	     /* what was wrong with the last reload, or NULL */
	unsigned generation;	     /* the one that goes on */
	/* Limits, in seconds. */
	unsigned stream_idle, queue_age;
};

/* Appends a line for each reason against it; true: there is none. A reason that does not fit is left out. */
bool ready_check(const struct ready_facts *f, struct buf *reasons);

#endif
