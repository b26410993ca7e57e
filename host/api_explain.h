/* api_explain: the outcome of a request as a code for programs and one sentence for a person.
 *
 * A sentence names the request, the address, what was wrong and what to do; figures that differ
 * from one time to the next (milliseconds, bytes) stay out of it, so that the same trouble reads
 * the same. */
#ifndef API_EXPLAIN_H
#define API_EXPLAIN_H

#include "http.h"

struct api_asked {
	const char *method, *path, *query; /* query may be NULL */
	const char *address;
	bool token;		     /* one was sent */
	double connect, total, idle; /* seconds that were given; 0: none */
	size_t body_max;
};

struct api_explanation {
	const char *code; /* as in api_result */
	bool retryable;
	char *message; /* the caller frees it */
};

/* text: what came with another answer than 2xx, or with a page of HTML; NUL terminated. Only for
 * what failed. */
struct api_explanation api_explain(
	const struct api_asked *asked, const struct http_result *result, const char *text);
/* True for text/html: Nomad never answers a request of its API with it. */
bool api_is_html(const char *content_type);

#endif
