/* health: what the Lua half of a generation says of its own progress (lib/operator/health.lua). */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct health_policy {
	char *name;
	long ready, running, waiting, parked; /* keys */
	double oldest;			      /* seconds; 0: none */
};

/* All of it belongs to the struct. */
struct health {
	uint64_t epoch;	  /* of the connection that the last whole list belongs to; 0: none yet */
	char *list_error; /* why there is no list at the moment, or NULL */
	bool denied;	  /* that is a refusal of the token */
	struct health_policy *policies;
	size_t count;
};

/* The new one; valid until the next call. */
struct health_policy *health_add(struct health *h, const char *name);
void health_free(struct health *h); /* what it holds, not the struct; makes it empty */

#endif
