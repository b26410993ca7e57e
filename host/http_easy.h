/* http_easy: one request and the certificates, as settings of a libcurl easy handle. */
#ifndef HTTP_EASY_H
#define HTTP_EASY_H

#include <curl/curl.h>

#include "http.h"

/* What libcurl only borrows while the request runs. The handle itself is the caller's. */
struct http_easy {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	void *body;
	char error[CURL_ERROR_SIZE];
};

/* e->curl is fresh or reset, the rest empty. All strings are copied. */
bool http_easy_setup(
	struct http_easy *e, const struct http_options *o, const struct http_tls *tls) WARN_UNUSED;
/* Frees what setup made; the handle has left libcurl's multi before. */
void http_easy_clear(struct http_easy *e);

/* out's strings are copies, to be freed by http_tls_clear. */
void http_tls_copy(struct http_tls *out, const struct http_tls *from);
void http_tls_clear(struct http_tls *t);

#endif
