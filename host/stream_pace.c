/* stream_pace: see stream_pace.h. */
#include "stream_pace.h"

#include <time.h>

#define BYTES_PER_MS 65536
#define ROOM_MAX ((int64_t)64 * 1024 * 1024)
#define NS_PER_MS 1000000
/* The clock is asked after so many bytes, where nothing is held back: it costs as much as reading a line. */
#define SELDOM (1024 * 1024)
#define GAP_MAX                                                                                    \
	((uint64_t)1000 * NS_PER_MS) /* of a longer time between two pieces no more counts */

/* The processor time of this thread, ns. */
static uint64_t worked(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 * NS_PER_MS + (uint64_t)t.tv_nsec;
}

void stream_pace_init(struct stream_pace *p, uv_loop_t *loop)
{
	*p = (struct stream_pace){.at = uv_hrtime(), .worked = worked()};
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
}

static void on_timer(uv_timer_t *timer)
{
	struct stream_pace *p = timer->data;
	struct api_request *r = p->held;

	p->held = NULL;
	if (r)
		api_resume(r);
}

/* While the owner has enough all time counts, and before only that in which we worked: what was not read while Lua kept the
 * thread may be read then, but an idle stream gathers no room for a burst. */
static void add_room(struct stream_pace *p, bool enough)
{
	uint64_t now = uv_hrtime(), done = worked();
	uint64_t passed = enough && p->enough ? now - p->at : done - p->worked;

	if (passed > GAP_MAX)
		passed = GAP_MAX;
	p->room += (int64_t)(passed * BYTES_PER_MS / NS_PER_MS);
	if (p->room > ROOM_MAX)
		p->room = ROOM_MAX;
	p->at = now;
	p->worked = done;
	p->enough = enough;
}

void stream_pace_took(struct stream_pace *p, struct api_request *r, size_t len, bool enough)
{
	int64_t wait;

	if (!enough && !p->enough && p->taken < SELDOM) {
		p->taken += len;
		return;
	}
	add_room(p, enough);
	if (p->taken > 0) {
		/* What was read ahead while nothing was held back is no debt. */
		p->room = p->room > (int64_t)p->taken ? p->room - (int64_t)p->taken : 0;
		p->taken = 0;
	}
	p->room -= (int64_t)len;
	if (!enough && p->room < 0)
		p->room = 0;
	if (p->room >= 0 || p->held)
		return;
	wait = 1 - p->room / BYTES_PER_MS;
	p->held = r;
	api_pause(r);
	(void)uv_timer_start(&p->timer, on_timer, (uint64_t)wait, 0);
}

void stream_pace_end(struct stream_pace *p)
{
	p->held = NULL;
	(void)uv_timer_stop(&p->timer);
}
