/* stream_backoff: how long to wait before the next attempt. */
#include "stream_backoff.h"

#include <stdint.h>
#include <uv.h>

static double jitter(void)
{
	uint32_t n = UINT32_MAX / 2;

	(void)uv_random(NULL, NULL, &n, sizeof(n), 0, NULL);
	return n / (double)UINT32_MAX;
}

/* A tenth of it is not left to chance: many operators must not come back in step, and one must not
 * spin. */
double stream_backoff(unsigned failures, double base, double max)
{
	double ceiling = base;

	for (unsigned i = 0; i < failures && ceiling < max; i++)
		ceiling *= 2;
	if (ceiling > max)
		ceiling = max;
	return ceiling * (0.1 + 0.9 * jitter());
}
