/* stream_set: the event streams of all namespaces that are subscribed to, told of as one.
 *
 * A stream is for "*" or for one namespace, so a token that may read some has one for each. A
 * restart makes before it breaks: the new streams are opened beside the old ones, which are
 * closed when the new ones are there; meanwhile both give their lines. */
#ifndef STREAM_SET_H
#define STREAM_SET_H

#include "stream.h"

enum { STREAM_SET_MAX = 16 /* namespaces */ };

struct stream_set;

/* As for one stream; `failed` is not called. There is a stream when each namespace has one, but
 * for those whose subscription fails while another's does not; it is lost with the last one.
 * `ns` of the options is not read: namespaces is NULL terminated, 1 to STREAM_SET_MAX, copied. */
struct stream_set *stream_set_new(uv_loop_t *loop, struct api *api, struct log *log,
	const struct stream_options *o, const char *const *namespaces,
	const struct stream_callbacks *cb, void *user);
void stream_set_start(struct stream_set *set);
void stream_set_restart(
	struct stream_set *set, const struct stream_options *o, const char *const *namespaces);
/* The port and the reason are those of one that is not live, if there is one; denied: for every
 * namespace, or for those that a restart asks for. */
void stream_set_status(const struct stream_set *set, struct stream_status *out);
/* As stream_free; never from `line`. */
void stream_set_free(struct stream_set *set);

#endif
