/* stream_probe: asks for lists with the stream's token and namespace, to learn why it stays
 * silent. */
#include "stream_probe.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 64 * 1024 /* a longer answer is an answer too */ };

/* The first is what a resync asks; the second needs read-job, as the stream does. */
static const char *const routes[] = {"/v1/jobs", "/v1/evaluations"};
enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

struct stream_probe {
	struct api *api;
	struct api_request *request;
	char *query;
	double timeout;
	size_t next; /* in routes */
	stream_probe_cb *done;
	void *user;
};

static void free_probe(struct stream_probe *p)
{
	free(p->query);
	free(p);
}

static void on_answer(struct api_request *r, const struct api_result *result, void *user);

static void send_next(struct stream_probe *p)
{
	struct api_call call = {
		.method = "GET",
		.path = routes[p->next],
		.query = p->query,
		.timeout = p->timeout,
		.body_max = BODY_MAX,
	};

	p->next++;
	p->request = api_send(p->api, &call, NULL, on_answer, p);
}

static void on_answer(struct api_request *r, const struct api_result *result, void *user)
{
	struct stream_probe *p = user;
	bool answered = result->error == API_OK || strcmp(result->code, "too_large") == 0;
	bool first = p->next == 1;

	(void)r;
	if (answered && p->next < ROUTES) {
		send_next(p);
		return;
	}
	/* Of the later routes only a refusal says something about the stream. */
	if (!first && strcmp(result->code, "denied") != 0)
		answered = true;
	p->done(answered ? NULL : result, p->user);
	free_probe(p);
}

struct stream_probe *stream_probe_new(
	struct api *api, const char *ns, double timeout, stream_probe_cb *done, void *user)
{
	struct stream_probe *p = xcalloc(1, sizeof(*p));
	struct buf query;

	buf_init(&query, SIZE_MAX);
	if (!buf_addf(&query, "per_page=1&namespace=") || !api_escape(&query, ns, strlen(ns)))
		abort(); /* the buffer has no limit */
	p->query = xstrdup(buf_text(&query));
	buf_free(&query);
	p->api = api;
	p->timeout = timeout;
	p->done = done;
	p->user = user;
	send_next(p);
	return p;
}

void stream_probe_cancel(struct stream_probe *p)
{
	if (!p)
		return;
	api_cancel(p->request);
	free_probe(p);
}
