/* api_count: answers of Nomad, counted by method and status as nomad_requests_total. */
#ifndef API_COUNT_H
#define API_COUNT_H

#include "http.h"
#include "metrics.h"

enum { API_COUNT_KNOWN = 16 };

struct api_count {
	struct metrics *metrics; /* or NULL: nothing is counted */
	/* Names that were needed before; most answers are of the same few kinds. */
	struct api_count_series {
		const char *method;
		long status;
		char *name;
	} known[API_COUNT_KNOWN];
	size_t count;
};

/* By status, or where there was no whole answer by code, one of api_result's. */
void api_count_answer(struct api_count *c, const char *method, const struct http_result *answer,
	const char *code);
void api_count_clear(struct api_count *c);

#endif
