/* alarm: see alarm.h. */
#include "alarm.h"

#include <stdlib.h>

#include "mem.h"

#define ALARM_MAX (366.0 * 24 * 3600)

struct alarm {
	uv_timer_t timer;
	alarm_cb *cb;
	void *user;
};

struct alarm *alarm_new(uv_loop_t *loop, alarm_cb *cb, void *user)
{
	struct alarm *a = xcalloc(1, sizeof(*a));

	(void)uv_timer_init(loop, &a->timer); /* cannot fail */
	a->timer.data = a;
	a->cb = cb;
	a->user = user;
	return a;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void alarm_free(struct alarm *a)
{
	if (a)
		uv_close((uv_handle_t *)&a->timer, on_closed);
}

static void on_timer(uv_timer_t *timer)
{
	const struct alarm *a = timer->data;

	a->cb(a->user);
}

void alarm_set(struct alarm *a, double seconds)
{
	if (!(seconds > 0)) /* also not a number */
		seconds = 0;
	if (seconds > ALARM_MAX)
		seconds = ALARM_MAX;
	/* libuv counts from the start of the loop turn, which Lua may have stretched since. */
	uv_update_time(a->timer.loop);
	/* A fraction of a millisecond is rounded up, and so is the one that libuv's clock leaves out of
	 * now: never early. */
	(void)uv_timer_start(
		&a->timer, on_timer, seconds > 0 ? (uint64_t)(seconds * 1000 + 1.999) : 0, 0);
}

void alarm_stop(struct alarm *a)
{
	(void)uv_timer_stop(&a->timer);
}

bool alarm_is_set(const struct alarm *a)
{
	return uv_is_active((const uv_handle_t *)&a->timer);
}
