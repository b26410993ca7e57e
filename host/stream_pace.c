/* stream_pace: see stream_pace.h. */
#include "stream_pace.h"

#define BYTES_PER_MS 65536
#define ROOM_MAX ((int64_t)64 * 1024 * 1024)
#define NS_PER_MS 1000000

void stream_pace_init(struct stream_pace *p, uv_loop_t *loop)
{
	*p = (struct stream_pace){.at = uv_hrtime()};
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

void stream_pace_took(struct stream_pace *p, struct api_request *r, size_t len, bool enough)
{
	uint64_t now = uv_hrtime(), passed = (now - p->at) / NS_PER_MS;
	int64_t wait;

	if (!enough || !p->enough) {
		p->at = now;
		p->room = 0;
		passed = 0;
	}
	p->enough = enough;
	if (!enough)
		return;
	if (passed > (uint64_t)ROOM_MAX / BYTES_PER_MS)
		passed = (uint64_t)ROOM_MAX / BYTES_PER_MS;
	p->at = passed > 0 ? now : p->at;
	p->room += (int64_t)passed * BYTES_PER_MS;
	if (p->room > ROOM_MAX)
		p->room = ROOM_MAX;
	p->room -= (int64_t)len;
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
