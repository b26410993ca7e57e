/* stream_probe: asks for lists with the stream's token and namespace, to learn why it stays
 * silent. */
#ifndef STREAM_PROBE_H
#define STREAM_PROBE_H

#include "api.h"

struct stream_probe;

/* failure: the answer that explains it, NULL where lists are answered. The probe is dead
 * afterwards. */
typedef void stream_probe_cb(const struct api_result *failure, void *user);

struct stream_probe *stream_probe_new(
	struct api *api, const char *ns, double timeout, stream_probe_cb *done, void *user);
/* Not called from done. */
void stream_probe_cancel(struct stream_probe *p);

#endif
