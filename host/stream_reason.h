/* stream_reason: why an event stream ended, in one sentence for a person. */
#ifndef STREAM_REASON_H
#define STREAM_REASON_H

#include "api.h"

struct stream_end {
	const struct api_result *result;
	const char *address;
	const char *
		rest; /* what came after the last newline: half a line, or the server's last words */
	size_t rest_len;
	const char *stray; /* a line that is no event, or NULL */
	size_t stray_len;
	bool too_long;
	size_t line_max;
};

/* The caller frees the string. */
char *stream_reason(const struct stream_end *end);
/* Of a subscription without a line, while other requests are answered. The caller frees the
 * string. */
char *stream_reason_silence(const char *address, const char *ns);
/* True where the answer says that this Nomad has no stream for anybody: lists have to do. */
bool stream_reason_is_lasting(const struct api_result *result);

#endif
