/* stream_pace: how fast a stream is read while its owner has enough to do: 64 KiB for each millisecond since it has.
 *
 * libcurl reads a socket until it is empty, so that whatever the server sends would pile up here while Lua is busy. The
 * rest is better left with the sender; but the reader never stands still, however long Lua takes. */
#ifndef STREAM_PACE_H
#define STREAM_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "api.h"

struct stream_pace {
	uv_timer_t timer;
	struct api_request *held; /* paused until the timer fires; NULL: none */
	int64_t room;		  /* bytes that may still be read; below 0: read ahead */
	size_t taken;		  /* bytes that room does not know of yet */
	uint64_t at;		  /* ns: when room was right */
	uint64_t worked;	  /* ns of processor time, then */
	bool enough;		  /* what the owner said last */
};

/* The timer is the owner's to close; its data is the pace's. */
void stream_pace_init(struct stream_pace *p, uv_loop_t *loop);
/* So many bytes of the request have come; does the owner have enough? Inside libcurl. */
void stream_pace_took(struct stream_pace *p, struct api_request *r, size_t len, bool enough);
/* The request is over. */
void stream_pace_end(struct stream_pace *p);

#endif
