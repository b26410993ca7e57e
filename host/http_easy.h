/* http_easy: one request and the certificates, as settings of a libcurl easy handle.
 *
 * A handle stays configured: for the next request of the same shape only the target and the body
 * are set. */
#ifndef HTTP_EASY_H
#define HTTP_EASY_H

#include <curl/curl.h>

#include "http.h"
#include "http_shape.h"

struct http_easy {
	CURL *curl;
	struct http_shape shape;
	unsigned tls_age; /* of the certificates that it is configured for */
	/* What libcurl only borrows. */
	struct curl_slist *headers, *connect_to;
	CURLU *url;
	void *body;
	char error[CURL_ERROR_SIZE];
};

struct http_easy *http_easy_new(void);
void http_easy_free(struct http_easy *e);
/* Is it configured for such a request? origin: of http_shape_origin. */
bool http_easy_fits(
	const struct http_easy *e, const struct http_options *o, size_t origin, unsigned tls_age);
/* Sets what is the request's own; for a handle that fits. All strings are copied. */
bool http_easy_again(struct http_easy *e, const struct http_options *o, size_t origin) WARN_UNUSED;
/* Configures it from nothing, but for the callbacks, which are not its affair. */
bool http_easy_setup(struct http_easy *e, const struct http_options *o, size_t origin,
	const struct http_tls *tls, unsigned tls_age) WARN_UNUSED;
/* The handle has left libcurl's multi. Keeps the configuration for the next request, if there can be
 * one like it. */
void http_easy_end(struct http_easy *e);
/* As new. */
void http_easy_reset(struct http_easy *e);

/* out's strings are copies, to be freed by http_tls_clear. */
void http_tls_copy(struct http_tls *out, const struct http_tls *from);
void http_tls_clear(struct http_tls *t);

#endif
