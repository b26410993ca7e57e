/* stream_backoff: how long to wait before the next attempt. */
#ifndef STREAM_BACKOFF_H
#define STREAM_BACKOFF_H

/* Seconds after that many failures in a row: doubling from base up to max, with full jitter. */
double stream_backoff(unsigned failures, double base, double max);

#endif
