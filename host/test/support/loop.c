/* loop: a libuv loop for one test. */
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <stdlib.h>

#include "mem.h"

enum { DEADLINE_MS = 10000, TICK_MS = 5 };

uv_loop_t *loop_new(void)
{
	uv_loop_t *loop = xmalloc(sizeof(*loop));

	assert_int_equal(uv_loop_init(loop), 0);
	return loop;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer; /* only ends the poll: a turn may have done its work before it */
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Turns of the loop until the condition holds or the time is over. */
static bool turn_until(uv_loop_t *loop, unsigned ms, loop_condition *holds, void *user)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
	uv_timer_t *tick = xmalloc(sizeof(*tick));
	bool held;

	uv_timer_init(loop, tick);
	uv_update_time(loop);
	uv_timer_start(tick, on_tick, TICK_MS, TICK_MS);
	for (held = holds(user); !held && uv_hrtime() < end; held = holds(user))
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)tick, on_closed);
	return held;
}

void loop_until(uv_loop_t *loop, const char *what, loop_condition *holds, void *user)
{
	if (!turn_until(loop, DEADLINE_MS, holds, user))
		fail_msg("waited in vain: %s", what);
}

static bool never(void *user)
{
	(void)user;
	return false;
}

void loop_for(uv_loop_t *loop, unsigned ms)
{
	(void)turn_until(loop, ms, never, NULL);
}

void loop_free(uv_loop_t *loop)
{
	uint64_t end = uv_hrtime() + (uint64_t)DEADLINE_MS * 1000000;
	uv_timer_t tick;

	uv_timer_init(loop, &tick);
	uv_timer_start(&tick, on_tick, TICK_MS, TICK_MS);
	uv_unref((uv_handle_t *)&tick);
	while (uv_loop_alive(loop) && uv_hrtime() < end)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(loop), 0);
	free(loop);
}
