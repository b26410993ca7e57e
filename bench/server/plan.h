/* plan: the lines that the synthetic Nomad sends, as bench/plan.lua wrote them down: templates with places for numbers,
 * and for each line its template and its numbers.
 *
 *     template BYTES SLOTS JOBS        then SLOTS lines, JOBS lines, the bytes, a newline
 *     n OFFSET                         seven digits: the line's number
 *     i OFFSET DELTA                   twelve digits: the line's index + DELTA, times PLAN_SPACING
 *     j ID LEN JOB LEN WANTED          where a job's ID and the job itself stand; WANTED: 1 it is to have a backup, 0 it
 *                                      is not, 2 neither it nor its backup is there, 3 another has to do with it (a run)
 *     lines COUNT                      then COUNT lines: TEMPLATE NUMBER INDEX
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

/* Between the indexes of two lines there is room for those of so many writes: as in Nomad, what comes later has the
 * greater index. */
#define PLAN_SPACING 100000u

enum plan_wanted { PLAN_NO_BACKUP, PLAN_BACKUP, PLAN_GONE, PLAN_RUN };

struct plan_job {
	size_t id, id_len, job, job_len; /* in the template's bytes */
	enum plan_wanted wanted;
};

struct plan_line {
	uint32_t template, number, index;
};

struct plan;

/* Ends the process with a sentence where the file cannot be read. */
struct plan *plan_load(const char *path);
void plan_free(struct plan *p);

size_t plan_count(const struct plan *p);
const struct plan_line *plan_line(const struct plan *p, size_t i);

/* The length of line i, and its bytes written to `out`. */
size_t plan_length(const struct plan *p, size_t i);
void plan_render(const struct plan *p, size_t i, char *out);
size_t plan_longest(const struct plan *p);

/* The greatest index that stands in line i. */
uint64_t plan_index(const struct plan *p, size_t i);

/* The jobs of line i. */
const struct plan_job *plan_jobs(const struct plan *p, size_t i, size_t *count);

#endif
