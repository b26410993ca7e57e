/* world: what the synthetic Nomad knows: the jobs that its lines told of, the jobs that were written, which backups there
 * should be, and what was asked of it meanwhile. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"
#include "bytes.h"
#include "plan.h"

struct world;
struct world_job;

struct world_calls {
	unsigned long writes, removals, reads, lists, parses;
	unsigned long needed; /* writes and removals that the lines ask for */
};

struct world *world_new(const struct plan *p);
void world_free(struct world *w);

/* Line i has happened in the cluster; it is sent, all at once, at this time. */
void world_line(struct world *w, size_t i);
void world_line_sent(struct world *w, size_t i, uint64_t at_ns);

struct world_job *world_find(const struct world *w, struct span id);
uint64_t world_index(const struct world *w);

/* NULL, or why Nomad would refuse. `enforce`: only if its index is `index` (0: only if there is none). */
const char *world_register(
	struct world *w, struct span id, struct span job, bool enforce, uint64_t index);
void world_remove(struct world *w, struct span id, bool purge);

/* The job as GET answers it; false where there is none. */
bool world_show(struct world *w, const struct world_job *job, struct bytes *out);
uint64_t world_job_index(struct world *w, const struct world_job *job);
void world_list(struct world *w, struct bytes *out);

/* The number of jobs that should be a backup and are not there, or are there and should not be. */
long world_wrong(const struct world *w);

/* Prints the first of them. */
void world_print_wrong(const struct world *w);

struct world_calls *world_calls(struct world *w);

/* Nanoseconds from the sending of an event to its call's arrival: that below which `share` of them lie. */
uint64_t world_latency(struct world *w, double share);

#endif
