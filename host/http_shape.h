/* http_shape: what requests that follow each other have in common, so that an easy handle can stay
 * configured for the next one.
 *
 * Of such a request only the target (path and query) and the body's bytes are its own. */
#ifndef HTTP_SHAPE_H
#define HTTP_SHAPE_H

#include "buf.h"
#include "http.h"

struct http_shape {
	struct buf texts; /* NUL terminated, one after the other; empty: of no request */
	long connect_ms, total_ms;
	bool body, empty_body;
};

/* The bytes of scheme, host and port at the beginning of the URL of a request that has a shape; what
 * follows is the target. 0: a request that is made from nothing each time: the stream, one that a
 * proxy may forward, one whose URL libcurl has to judge. */
size_t http_shape_origin(const struct http_options *o);

void http_shape_init(struct http_shape *s);
/* Becomes the shape of a request whose origin has that length. */
void http_shape_take(struct http_shape *s, const struct http_options *o, size_t origin);
bool http_shape_fits(const struct http_shape *s, const struct http_options *o, size_t origin);
/* Of no request from now on. */
void http_shape_clear(struct http_shape *s);

/* As Go's client does: a proxy is never asked for this machine. */
bool http_is_direct(const struct http_options *o);
/* The times as libcurl gets them. */
long http_connect_ms(const struct http_options *o);
long http_total_ms(const struct http_options *o); /* 0: none */

#endif
