/* die: what the synthetic Nomad does about what must not happen: it ends with a sentence. */
#ifndef BENCH_DIE_H
#define BENCH_DIE_H

#include <stdint.h>

_Noreturn void die(const char *why);

/* Memory that is there; without it the process ends. */
void *need(void *memory);

/* Nanoseconds of the clock that only goes forward. */
uint64_t now_ns(void);

#endif
