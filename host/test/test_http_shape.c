/* http: what was asked before leaves no trace in a request, though its handle is used again. */
#include "http_shape.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/fetch.h"
#include "support/loop.h"

struct variant {
	struct http_options options;
	const char *path;
};

static const char *const a_token[] = {"User-Agent: x", "X-Nomad-Token: aaaa", NULL};
static const char *const another[] = {"User-Agent: x", "X-Nomad-Token: bbbb", NULL};
static const char *const one_less[] = {"User-Agent: x", NULL};
static const char *const with_type[] = {"User-Agent: x", "Content-Type: application/json", NULL};

static const struct variant variants[] = {
	{{.method = "GET"}, "/v1/jobs"},
	{{.method = "GET", .headers = a_token}, "/v1/jobs?a=1"},
	{{.method = "GET", .headers = another}, "/v1/jobs?a=1"},
	{{.method = "GET", .headers = one_less}, "/v1/node/1"},
	{{.method = "GET", .headers = a_token, .basic_auth = "user:pass"}, "/v1/jobs"},
	{{.method = "GET", .headers = a_token, .total_timeout = 5, .idle_timeout = 4}, "/x"},
	{{.method = "GET", .fresh_connection = true, .headers = a_token}, "/v1/event/stream"},
	{{.method = "HEAD", .headers = a_token}, "/x"},
	{{.method = "DELETE", .headers = a_token}, "/v1/job/a?purge=true"},
	{{.method = "POST", .headers = with_type, .body = "{\"a\":1}", .body_len = 7}, "/v1/jobs"},
	{{.method = "POST", .headers = with_type, .body = "[]", .body_len = 2}, "/v1/job/b"},
	{{.method = "POST", .headers = with_type, .body = "", .body_len = 0}, "/v1/job/b"},
	{{.method = "POST", .headers = one_less}, "/v1/system/gc"},
	{{.method = "PUT", .headers = with_type, .body = "{}", .body_len = 2}, "/v1/jobs"},
	{{.method = "GET", .headers = with_type, .body = "{}", .body_len = 2}, "/v1/jobs"},
	{{.method = "GET"}, ""},
	{{.method = "GET"}, "?a=b"},
	{{.method = "GET"}, "/a#b"},
	{{.method = "GET"}, "/a/../b%20c//?"},
};
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

/* The caller frees what was sent. */
static char *sent(struct fetch_fixture *f, const struct variant *v)
{
	struct fetch g = {.f = f};
	struct http_options o = v->options;

	fetch_send(&g, &o, v->path);
	fetch_finish(&g);
	assert_int_equal(g.result.error, HTTP_OK);
	assert_int_equal(g.result.status, 200);
	buf_free(&g.body);
	return xstrdup(server_last(f->server));
}

static void a_new_pool(struct fetch_fixture *f)
{
	http_free(f->http);
	f->http = http_new(f->loop, &(struct http_tls){.ca_cert = NULL});
}

/* Whatever is asked, before it whatever was asked, and the first of them once more. */
static void nothing_is_left_of_the_request_before(void **state)
{
	struct fetch_fixture *f = *state;
	char *alone[VARIANTS];

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	for (size_t i = 0; i < VARIANTS; i++) {
		a_new_pool(f);
		alone[i] = sent(f, &variants[i]);
	}
	for (size_t i = 0; i < VARIANTS; i++) {
		for (size_t k = 0; k < VARIANTS; k++) {
			const size_t order[] = {i, k, i};

			a_new_pool(f);
			for (size_t n = 0; n < 3; n++) {
				char *now = sent(f, &variants[order[n]]);

				assert_string_equal(now, alone[order[n]]);
				free(now);
			}
		}
	}
	for (size_t i = 0; i < VARIANTS; i++)
		free(alone[i]);
}

/* The pool's connection ends as the second request arrives: libcurl sends it again, on a new one. */
static void sent_again_on_a_new_connection(void **state)
{
	struct fetch_fixture *f = *state;
	char *first, *second;

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	server_reply(f->server, "", (struct server_reply){.end = SERVER_CLOSE});
	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	first = sent(f, &variants[9]);
	second = sent(f, &variants[10]);
	assert_memory_equal(first, "POST /v1/jobs HTTP/1.1\r\n", 24);
	assert_memory_equal(second, "POST /v1/job/b HTTP/1.1\r\n", 25);
	assert_non_null(strstr(second, "\r\n\r\n[]"));
	assert_int_equal(server_requests(f->server, ""), 3);
	assert_int_equal(server_connections(f->server), 2);
	free(first);
	free(second);
}

static void a_failure_leaves_nothing(void **state)
{
	struct fetch_fixture *f = *state;
	struct http_options o = {.method = "GET", .headers = a_token, .total_timeout = 0.05};
	struct fetch g = {.f = f};
	char *text;

	server_reply(f->server, "/slow", (struct server_reply){.end = SERVER_HOLD});
	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	fetch_send(&g, &o, "/slow");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_TIMEOUT);
	text = sent(f, &variants[1]);
	assert_memory_equal(text, "GET /v1/jobs?a=1 HTTP/1.1\r\n", 27);
	free(text);
}

/* A proxy gets the whole URL, each time that of the request. */
static void through_a_proxy(void **state)
{
	struct fetch_fixture *f = *state;
	static const char *const urls[] = {
		"http://nomad.invalid:4646/v1/jobs?a=b", "http://nomad.invalid:4646/v1/nodes"};

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	setenv("http_proxy", server_address(f->server), 1);
	for (size_t i = 0; i < 2; i++) {
		struct fetch g = {.f = f};
		struct http_options o = {.method = "GET", .url = urls[i]};
		char *line = xasprintf("GET %s HTTP/1.1\r\n", urls[i]);

		fetch_send(&g, &o, "");
		fetch_finish(&g);
		assert_int_equal(g.result.error, HTTP_OK);
		assert_memory_equal(server_last(f->server), line, strlen(line));
		free(line);
		buf_free(&g.body);
	}
	unsetenv("http_proxy");
}

static void which_requests_have_a_shape(void **state)
{
	struct http_options o = {.method = "GET", .url = "http://127.0.0.1:4646/v1/jobs"};

	(void)state;
	assert_int_equal(http_shape_origin(&o), strlen("http://127.0.0.1:4646"));
	o.url = "https://nomad.example/";
	assert_int_equal(http_shape_origin(&o), strlen("https://nomad.example"));
	o.fresh_connection = true;
	assert_int_equal(http_shape_origin(&o), 0);
	o.fresh_connection = false;
	o.url = "file:///etc/hostname";
	assert_int_equal(http_shape_origin(&o), 0);
	o.url = "http:///x";
	assert_int_equal(http_shape_origin(&o), 0);
	o.url = "http://127.0.0.1:4646/a\r\nX-Nomad-Token: b";
	assert_int_equal(http_shape_origin(&o), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_left_of_the_request_before),
		TEST(sent_again_on_a_new_connection),
		TEST(a_failure_leaves_nothing),
		TEST(through_a_proxy),
		cmocka_unit_test(which_requests_have_a_shape),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
