/* alarm: a one-shot timer whose owner may forget it at any time.
 *
 * The callback runs inside libuv: it may record, queue a turn_job, set the alarm again or free it. */
#ifndef ALARM_H
#define ALARM_H

#include <stdbool.h>
#include <uv.h>

struct alarm;

typedef void alarm_cb(void *user);

struct alarm *alarm_new(uv_loop_t *loop, alarm_cb *cb, void *user);
/* Stops and frees; the memory goes when libuv has closed the handle. NULL is fine. */
void alarm_free(struct alarm *a);
/* From now on; sets it anew if it was set. Less than 0 counts as 0, more than a year as a year. */
void alarm_set(struct alarm *a, double seconds);
void alarm_stop(struct alarm *a);
bool alarm_is_set(const struct alarm *a);

#endif
