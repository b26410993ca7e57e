/* api: what it adds to a request, the gate of -dry-run, and one sentence for every way in which
 * an answer can fail. */
#include "api.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/loop.h"
#include "support/server.h"

#define TOKEN "f02b9f04-3aaf-221b-e2f5-1e0c585bbe54"
#define ANSWER(status, text)                                                                       \
	"HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n" text

struct fixture {
	uv_loop_t *loop;
	struct log *log;
	FILE *log_file;
	struct config config;
	struct api *api;
	struct server *server;
};

/* What one request got. */
struct got {
	struct fixture *f;
	struct api_request *request;
	unsigned done;
	bool inside_send;
	enum api_error error;
	struct http_result http;
	char code[32];
	char *message, *body;
	bool retryable;
	char *data;	   /* what the data callback was given */
	struct got *again; /* sent when this one is done */
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->loop = loop_new();
	f->log_file = tmpfile();
	assert_non_null(f->log_file);
	f->log = log_new(f->log_file, LOG_DEBUG, LOG_LOGFMT);
	f->server = server_new(f->loop);
	f->config.address = xstrdup(server_address(f->server));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	api_free(f->api);
	server_free(f->server);
	loop_free(f->loop);
	log_free(f->log);
	fclose(f->log_file);
	free(f->config.address);
	free(f);
	return 0;
}

static bool on_data(struct api_request *r, const char *data, size_t len, void *user)
{
	struct got *g = user;
	char *longer = xasprintf("%s%.*s", g->data ? g->data : "", (int)len, data);

	assert_ptr_equal(r, g->request);
	free(g->data);
	g->data = longer;
	return true;
}

static void send_call(struct got *g, const struct api_call *call, bool stream_it);

static void on_done(struct api_request *r, const struct api_result *result, void *user)
{
	struct got *g = user;

	assert_ptr_equal(r, g->request);
	assert_false(g->inside_send);
	g->done++;
	g->error = result->error;
	g->http = result->http;
	snprintf(g->code, sizeof(g->code), "%s", result->code);
	g->message = result->message ? xstrdup(result->message) : NULL;
	g->body = xstrndup(result->body, result->body_len);
	g->retryable = result->retryable;
	if (g->again)
		send_call(
			g->again, &(struct api_call){.method = "GET", .path = "/v1/again"}, false);
}

static void send_call(struct got *g, const struct api_call *call, bool with_data)
{
	if (!g->f->api)
		g->f->api = api_new(g->f->loop, &g->f->config, g->f->log);
	g->inside_send = true;
	g->request = api_send(g->f->api, call, with_data ? on_data : NULL, on_done, g);
	g->inside_send = false;
}

static bool is_done(void *user)
{
	return ((struct got *)user)->done > 0;
}

static void drop(struct got *g)
{
	free(g->message);
	free(g->body);
	free(g->data);
}

static void call(struct got *g, const struct api_call *c)
{
	send_call(g, c, false);
	loop_until(g->f->loop, "the end of a request", is_done, g);
	assert_int_equal(g->done, 1);
}

static void assert_request(struct fixture *f, const char *line)
{
	assert_memory_equal(server_last(f->server), line, strlen(line));
}

static void assert_sent(struct fixture *f, const char *text)
{
	if (!strstr(server_last(f->server), text))
		fail_msg("not in the request: %s", text);
}

/* ---- what is sent ---- */

static void token_region_and_content_type(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};
	uint64_t sent, refused;
	char token[] = TOKEN, region[] = "eu west", auth[] = "user:pass";

	f->config.token = token;
	f->config.region = region;
	f->config.http_auth = auth;
	server_reply(f->server, "",
		(struct server_reply){.bytes = ANSWER("200 OK", "{}"), .end = SERVER_CLOSE});
	call(&g, &(struct api_call){.method = "POST",
			 .path = "/v1/jobs",
			 .query = "namespace=ops",
			 .body = "{}",
			 .body_len = 2});
	assert_int_equal(g.error, API_OK);
	assert_string_equal(g.code, "ok");
	assert_null(g.message);
	assert_string_equal(g.body, "{}");
	assert_request(f, "POST /v1/jobs?namespace=ops&region=eu%20west HTTP/1.1\r\n");
	assert_sent(f, "\r\nX-Nomad-Token: " TOKEN "\r\n");
	assert_sent(f, "\r\nContent-Type: application/json\r\n");
	assert_sent(f, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n");
	api_counts(f->api, &sent, &refused);
	assert_int_equal(sent, 1);
	assert_int_equal(refused, 0);
	drop(&g);
}

static void a_region_of_the_callers_own(void **state)
{
	static const struct {
		const char *query, *line;
	} cases[] = {
		{"region=us", "GET /v1/jobs?region=us HTTP"},
		{"a=b&region=us", "GET /v1/jobs?a=b&region=us HTTP"},
		{"xregion=us", "GET /v1/jobs?xregion=us&region=eu HTTP"},
		{NULL, "GET /v1/jobs?region=eu HTTP"},
	};
	struct fixture *f = *state;
	char region[] = "eu";

	f->config.region = region;
	server_reply(f->server, "",
		(struct server_reply){.bytes = ANSWER("200 OK", "[]"), .end = SERVER_CLOSE});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct got g = {.f = f};

		call(&g, &(struct api_call){
				 .method = "GET", .path = "/v1/jobs", .query = cases[i].query});
		assert_request(f, cases[i].line);
		drop(&g);
	}
}

static void a_new_token_after_reload(void **state)
{
	struct fixture *f = *state;
	struct got first = {.f = f}, second = {.f = f};
	char old[] = "old-token", new[] = "new-token";

	server_reply(f->server, "",
		(struct server_reply){.bytes = ANSWER("200 OK", "[]"), .end = SERVER_CLOSE});
	f->config.token = old;
	call(&first, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_sent(f, "X-Nomad-Token: old-token");
	f->config.token = new;
	api_reload(f->api, &f->config);
	call(&second, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_sent(f, "X-Nomad-Token: new-token");
	drop(&first);
	drop(&second);
}

/* ---- the gate ---- */

static void dry_run_sends_no_write(void **state)
{
	struct fixture *f = *state;
	struct got write = {.f = f}, read = {.f = f};
	uint64_t sent, refused;

	f->config.dry_run = true;
	server_reply(f->server, "/v1/jobs/parse",
		(struct server_reply){.bytes = ANSWER("200 OK", "{}"), .end = SERVER_CLOSE});
	call(&write, &(struct api_call){
			     .method = "POST", .path = "/v1/jobs", .body = "{}", .body_len = 2});
	assert_int_equal(write.error, API_DRY_RUN);
	assert_string_equal(write.code, "dry_run");
	assert_string_equal(write.message, "POST /v1/jobs: not sent: -dry-run lets only reads out");
	assert_false(write.retryable);
	assert_int_equal(server_connections(f->server), 0);
	call(&read,
		&(struct api_call){
			.method = "POST", .path = "/v1/jobs/parse", .body = "{}", .body_len = 2});
	assert_int_equal(read.error, API_OK);
	api_counts(f->api, &sent, &refused);
	assert_int_equal(sent, 1);
	assert_int_equal(refused, 1);
	drop(&write);
	drop(&read);
}

static void cancel_before_the_gate_has_told(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};

	f->config.dry_run = true;
	send_call(&g, &(struct api_call){.method = "DELETE", .path = "/v1/job/a"}, false);
	api_cancel(g.request);
	loop_for(f->loop, 20);
	assert_int_equal(g.done, 0);
}

static void mistakes_of_the_caller(void **state)
{
	static const struct api_call calls[] = {
		{.method = "GET", .path = "/v1/job/a\r\nX-Evil: 1"},
		{.method = "GET", .path = "/v1/job/a b"},
		{.method = "GET", .path = "v1/jobs"},
		{.method = "GET", .path = "/v1/job/a?b=c"},
		{.method = "GET", .path = "/v1/job/a#b"},
		{.method = "GET", .path = "/v1/jobs", .query = "prefix=a\nb"},
		{.method = "GET", .path = "/v1/jobs", .query = "prefix=a#b"},
		{.method = "GE T", .path = "/v1/jobs"},
		{.method = "", .path = "/v1/jobs"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct got g = {.f = f};

		call(&g, &calls[i]);
		assert_int_equal(g.error, API_TRANSPORT);
		assert_string_equal(g.code, "internal");
		assert_null(strpbrk(g.message, "\r\n"));
		drop(&g);
	}
	assert_int_equal(server_connections(f->server), 0);
}

static void a_token_that_would_end_its_header(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};
	char token[] = "secret-one\r\nX-Evil: 1";

	f->config.token = token;
	call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_string_equal(g.code, "internal");
	assert_null(strstr(g.message, "secret"));
	assert_int_equal(server_connections(f->server), 0);
	drop(&g);
}

/* ---- answers ---- */

static void data_comes_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};

	server_reply(f->server, "",
		(struct server_reply){
			.bytes = ANSWER("200 OK", "[{},{}]"), .piece = 1, .end = SERVER_CLOSE});
	send_call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"}, true);
	loop_until(f->loop, "the end", is_done, &g);
	assert_string_equal(g.data, "[{},{}]");
	assert_string_equal(g.body, "");
	drop(&g);
}

static void the_text_of_an_error_is_no_data(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};

	server_reply(f->server, "",
		(struct server_reply){
			.bytes = ANSWER("404 Not Found", "job not found"), .end = SERVER_CLOSE});
	send_call(&g, &(struct api_call){.method = "GET", .path = "/v1/job/x"}, true);
	loop_until(f->loop, "the end", is_done, &g);
	assert_null(g.data);
	assert_string_equal(g.body, "job not found");
	assert_string_equal(g.code, "not_found");
	drop(&g);
}

static void html_instead_of_data(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};

	server_reply(f->server, "",
		(struct server_reply){
			.bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
				 "Content-Length: 15\r\n\r\n<html>hi</html>"});
	send_call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"}, true);
	loop_until(f->loop, "the end", is_done, &g);
	assert_null(g.data);
	assert_int_equal(g.error, API_STATUS);
	assert_string_equal(g.code, "not_nomad");
	drop(&g);
}

static void the_limit_of_a_body(void **state)
{
	struct fixture *f = *state;
	struct got over = {.f = f}, at = {.f = f};

	server_reply(f->server, "",
		(struct server_reply){
			.bytes = ANSWER("200 OK", "0123456789"), .end = SERVER_CLOSE});
	call(&over, &(struct api_call){.method = "GET", .path = "/v1/jobs", .body_max = 9});
	assert_int_equal(over.error, API_TRANSPORT);
	assert_int_equal(over.http.error, HTTP_TOO_LARGE);
	assert_string_equal(over.code, "too_large");
	assert_non_null(strstr(over.message, "9 bytes"));
	call(&at, &(struct api_call){.method = "GET", .path = "/v1/jobs", .body_max = 10});
	assert_int_equal(at.error, API_OK);
	assert_string_equal(at.body, "0123456789");
	drop(&over);
	drop(&at);
}

/* The text of an error is cut in what is kept and again in what is shown. */
static void an_endless_error(void **state)
{
	enum { LEN = 300 * 1024 };
	static const char head[] = "HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\n";
	struct fixture *f = *state;
	struct got g = {.f = f};
	char *bytes = xmalloc(LEN);

	memset(bytes, 'x', LEN);
	memcpy(bytes, head, sizeof(head) - 1);
	server_reply(f->server, "",
		(struct server_reply){.bytes = bytes, .len = LEN, .end = SERVER_HOLD});
	call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_int_equal(g.error, API_STATUS);
	assert_string_equal(g.code, "server");
	assert_int_equal(strlen(g.body), 64 * 1024);
	assert_in_range(strlen(g.message), 500, 700);
	drop(&g);
	free(bytes);
}

static void retry_after_is_in_the_result(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};

	server_reply(f->server, "",
		(struct server_reply){.bytes =
					      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n"
					      "Content-Length: 4\r\n\r\nslow"});
	call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_string_equal(g.code, "rate_limited");
	assert_true(g.retryable);
	assert_true(g.http.retry_after > 2.9 && g.http.retry_after < 3.1);
	drop(&g);
}

static void the_token_is_in_no_message_and_no_log(void **state)
{
	struct fixture *f = *state;
	struct got g = {.f = f};
	char token[] = TOKEN, text[4096];
	size_t n;

	f->config.token = token;
	server_reply(f->server, "",
		(struct server_reply){
			.bytes = ANSWER("500 Oh", "bad token: " TOKEN ", I said " TOKEN),
			.end = SERVER_CLOSE});
	call(&g, &(struct api_call){.method = "GET", .path = "/v1/jobs"});
	assert_null(strstr(g.message, TOKEN));
	assert_null(strstr(g.body, TOKEN));
	assert_non_null(strstr(g.message, ", I said "));
	log_printf(f->log, LOG_INFO, "what a script says: %s", TOKEN);
	fflush(f->log_file);
	rewind(f->log_file);
	n = fread(text, 1, sizeof(text) - 1, f->log_file);
	text[n] = '\0';
	assert_non_null(strstr(text, "what a script says"));
	assert_null(strstr(text, TOKEN));
	drop(&g);
}

static void a_request_from_a_done_callback(void **state)
{
	struct fixture *f = *state;
	struct got second = {.f = f}, first = {.f = f, .again = &second};

	f->config.dry_run = true;
	server_reply(f->server, "",
		(struct server_reply){.bytes = ANSWER("200 OK", "[]"), .end = SERVER_CLOSE});
	call(&first, &(struct api_call){.method = "DELETE", .path = "/v1/job/a"});
	loop_until(f->loop, "the second request", is_done, &second);
	assert_int_equal(second.error, API_OK);
	drop(&first);
	drop(&second);
}

static void free_with_requests_under_way(void **state)
{
	struct fixture *f = *state;
	struct got sent = {.f = f}, unsent = {.f = f};

	f->config.dry_run = true;
	server_reply(f->server, "", (struct server_reply){.end = SERVER_HOLD});
	send_call(&sent, &(struct api_call){.method = "GET", .path = "/v1/jobs"}, false);
	send_call(&unsent, &(struct api_call){.method = "PUT", .path = "/v1/jobs"}, false);
	api_free(f->api);
	f->api = NULL;
	loop_for(f->loop, 20);
	assert_int_equal(sent.done + unsent.done, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(token_region_and_content_type),
		TEST(a_region_of_the_callers_own),
		TEST(a_new_token_after_reload),
		TEST(dry_run_sends_no_write),
		TEST(cancel_before_the_gate_has_told),
		TEST(mistakes_of_the_caller),
		TEST(a_token_that_would_end_its_header),
		TEST(data_comes_as_it_is),
		TEST(the_text_of_an_error_is_no_data),
		TEST(html_instead_of_data),
		TEST(the_limit_of_a_body),
		TEST(an_endless_error),
		TEST(retry_after_is_in_the_result),
		TEST(the_token_is_in_no_message_and_no_log),
		TEST(a_request_from_a_done_callback),
		TEST(free_with_requests_under_way),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
