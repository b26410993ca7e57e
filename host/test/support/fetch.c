/* fetch: requests of http to a scripted server, and what each of them got. */
#include "fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

static const struct http_tls no_tls;

static bool on_data(struct http_request *r, const char *data, size_t len, void *user)
{
	struct fetch *g = user;

	assert_ptr_equal(r, g->request);
	assert_int_equal(g->done, 0);
	assert_true(buf_add(&g->body, data, len));
	g->pieces++;
	g->port = http_local_port(r);
	assert_int_equal(http_status(r), 200);
	if (g->pause && g->pieces == 1)
		http_pause(r);
	return g->stop_at == 0 || g->body.len < g->stop_at;
}

static void on_done(struct http_request *r, const struct http_result *result, void *user)
{
	struct fetch *g = user;

	assert_ptr_equal(r, g->request);
	assert_false(g->inside_send);
	g->result = *result;
	g->done++;
	if (g->then)
		fetch_send_get(g->then, "/then");
	if (g->victim)
		http_cancel(g->victim->request);
	if (g->free_http) {
		http_free(g->f->http);
		g->f->http = NULL;
	}
}

void fetch_send(struct fetch *g, struct http_options *o, const char *path)
{
	char *url = xasprintf("%s%s", server_address(g->f->server), path);

	if (!o->url)
		o->url = url;
	buf_init(&g->body, 1 << 24);
	g->inside_send = true;
	g->request = http_send(g->f->http, o, on_data, on_done, g);
	g->inside_send = false;
	free(url);
}

void fetch_send_get(struct fetch *g, const char *path)
{
	struct http_options o = {.method = "GET", .total_timeout = 5};

	fetch_send(g, &o, path);
}

static bool is_done(void *user)
{
	return ((struct fetch *)user)->done > 0;
}

void fetch_finish(struct fetch *g)
{
	loop_until(g->f->loop, "the end of a request", is_done, g);
	assert_int_equal(g->done, 1);
}

int fetch_setup(void **state)
{
	struct fetch_fixture *f = xcalloc(1, sizeof(*f));

	f->loop = loop_new();
	f->http = http_new(f->loop, &no_tls);
	f->server = server_new(f->loop);
	*state = f;
	return 0;
}

int fetch_teardown(void **state)
{
	struct fetch_fixture *f = *state;

	http_free(f->http);
	server_free(f->server);
	loop_free(f->loop);
	free(f);
	return 0;
}

void fetch_get(struct fetch_fixture *f, struct fetch *g, struct server_reply reply)
{
	memset(g, 0, sizeof(*g));
	g->f = f;
	server_reply(f->server, "", reply);
	fetch_send_get(g, "/x");
	fetch_finish(g);
}

void fetch_assert_body(struct fetch *g, const char *text)
{
	assert_string_equal(buf_text(&g->body), text);
	buf_free(&g->body);
}

void fetch_assert_failure(struct fetch *g, enum http_error error)
{
	assert_int_equal(g->result.error, error);
	assert_string_not_equal(g->result.detail, "");
	buf_free(&g->body);
}
