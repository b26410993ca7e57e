/* http against a scripted server: answers, every way in which one can go wrong, what is sent. */
#include "http.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fetch.h"
#include "support/loop.h"

/* ---- answers ---- */

static void an_answer_with_its_headers(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){
			.bytes = "HTTP/1.1 200 OK\r\ncontent-type: application/json \r\n"
				 "X-NOMAD-INDEX: 18446744073709551615\r\nRetry-After: 7\r\n"
				 "Content-Length: 5\r\n\r\nhello"});
	assert_int_equal(g.result.error, HTTP_OK);
	assert_int_equal(g.result.status, 200);
	assert_string_equal(g.result.detail, "");
	assert_string_equal(g.result.content_type, "application/json");
	assert_true(g.result.nomad_index == UINT64_MAX);
	assert_true(g.result.retry_after > 6.9 && g.result.retry_after < 7.1);
	assert_int_equal(g.result.received, 5);
	assert_int_not_equal(g.port, 0);
	fetch_assert_body(&g, "hello");
}

static void no_headers_are_no_values(void **state)
{
	struct fetch g;

	fetch_get(*state, &g, (struct server_reply){.bytes = FETCH_OK("0", "")});
	assert_int_equal(g.result.error, HTTP_OK);
	assert_true(g.result.retry_after < 0);
	assert_int_equal(g.result.nomad_index, 0);
	assert_string_equal(g.result.content_type, "");
	fetch_assert_body(&g, "");
}

static void a_date_in_retry_after(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = "HTTP/1.1 429 Slow\r\nRetry-After: Fri, 01 Jan 2100 "
					       "00:00:00 GMT\r\n"
					       "Content-Length: 0\r\n\r\n"});
	assert_int_equal(g.result.status, 429);
	assert_true(g.result.retry_after > 3599 && g.result.retry_after < 3601); /* the limit */
	fetch_assert_body(&g, "");
}

static void the_interim_answer_does_not_count(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){
			.bytes = "HTTP/1.1 103 Early\r\nX-Nomad-Index: 5\r\n\r\n" FETCH_OK(
				"2", "ok")});
	assert_int_equal(g.result.status, 200);
	assert_int_equal(g.result.nomad_index, 0);
	fetch_assert_body(&g, "ok");
}

static void byte_by_byte(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){
			.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				 "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
			.piece = 1});
	assert_int_equal(g.result.error, HTTP_OK);
	fetch_assert_body(&g, "hello!");
}

static void a_body_that_ends_with_the_connection(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){
			.bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}\nhalf",
			.end = SERVER_CLOSE});
	assert_int_equal(g.result.error, HTTP_OK);
	fetch_assert_body(&g, "{}\nhalf");
}

static void a_redirect_is_not_followed(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = "HTTP/1.1 307 Elsewhere\r\nLocation: "
					       "/y\r\nContent-Length: 0\r\n\r\n"});
	assert_int_equal(g.result.status, 307);
	assert_int_equal(server_requests(g.f->server, ""), 1);
	fetch_assert_body(&g, "");
}

/* ---- failures ---- */

static void cut_in_the_body(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = FETCH_OK("100", "only this"), .end = SERVER_CLOSE});
	fetch_assert_failure(&g, HTTP_CUT);
	assert_int_equal(g.result.status, 200);
}

static void cut_in_a_chunk(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){
			.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
			.end = SERVER_CLOSE});
	fetch_assert_failure(&g, HTTP_CUT);
}

static void reset_before_the_answer(void **state)
{
	struct fetch g;

	fetch_get(*state, &g, (struct server_reply){.bytes = NULL, .end = SERVER_RESET});
	fetch_assert_failure(&g, HTTP_CUT);
	assert_int_equal(g.result.status, 0);
}

static void closed_before_the_answer(void **state)
{
	struct fetch g;

	fetch_get(*state, &g, (struct server_reply){.bytes = NULL, .end = SERVER_CLOSE});
	fetch_assert_failure(&g, HTTP_CUT);
}

static void http_0_0(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = "HTTP/0.0 200 OK\r\nConnection: close\r\n\r\n{}\n",
			.end = SERVER_HOLD});
	fetch_assert_failure(&g, HTTP_VERSION);
}

static void garbage(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = "\x01\x02 +OK ready\r\n\r\n", .end = SERVER_CLOSE});
	fetch_assert_failure(&g, HTTP_NOT_HTTP);
}

static void an_impossible_length(void **state)
{
	struct fetch g;

	fetch_get(*state, &g,
		(struct server_reply){.bytes = "HTTP/1.1 200 OK\r\nContent-Length: banana\r\n\r\n",
			.end = SERVER_CLOSE});
	fetch_assert_failure(&g, HTTP_NOT_HTTP);
}

static void nobody_listens(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .url = "http://127.0.0.1:1/v1/jobs"};

	fetch_send(&g, &o, "");
	fetch_finish(&g);
	assert_non_null(strstr(g.result.detail, "Connection refused"));
	fetch_assert_failure(&g, HTTP_REFUSED);
}

static void the_host_has_no_address(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .url = "http://nomad.invalid:4646/"};

	fetch_send(&g, &o, "");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_DNS);
}

static void a_cancelled_lookup_does_not_block(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .url = "http://nomad.invalid:4646/"};

	fetch_send(&g, &o, "");
	loop_for(f->loop, 1);
	if (g.done == 0)
		http_cancel(g.request);
	buf_free(&g.body);
}

static void other_protocols_are_refused(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .url = "file:///etc/hostname"};

	fetch_send(&g, &o, "");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_INTERNAL);
	assert_int_equal(g.result.received, 0);
}

static void tls_to_a_plain_port(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	char *url = xasprintf("https%s/", server_address(f->server) + strlen("http"));
	struct http_options o = {.method = "GET", .url = url};

	server_greet(f->server, (struct server_reply){.bytes = "HTTP/1.1 400 Bad Request\r\n\r\n",
					.end = SERVER_CLOSE});
	fetch_send(&g, &o, "");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_TLS);
	free(url);
}

static void a_certificate_file_that_is_missing(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	char *url = xasprintf("https%s/", server_address(f->server) + strlen("http"));
	struct http_options o = {.method = "GET", .url = url};

	http_set_tls(f->http, &(struct http_tls){.ca_cert = "/nonexistent/ca.pem"});
	fetch_send(&g, &o, "");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_CERT_FILE);
	free(url);
}

/* ---- what is sent ---- */

static void a_body_is_copied_and_sent(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	char *body = xstrdup("{\"Job\":{}}");
	const char *headers[] = {"Content-Type: application/json", "X-Nomad-Token: secret", NULL};
	struct http_options o = {.method = "PUT",
		.body = body,
		.body_len = strlen(body),
		.headers = headers,
		.basic_auth = "user:pass"};

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	fetch_send(&g, &o, "/v1/jobs");
	memset(body, 'x', strlen(body));
	free(body);
	fetch_finish(&g);
	assert_memory_equal(server_last(f->server), "PUT /v1/jobs HTTP/1.1\r\n", 23);
	assert_non_null(strstr(server_last(f->server), "\r\n\r\n{\"Job\":{}}"));
	assert_non_null(strstr(server_last(f->server), "\r\nX-Nomad-Token: secret\r\n"));
	assert_non_null(strstr(server_last(f->server), "\r\nContent-Type: application/json\r\n"));
	assert_non_null(
		strstr(server_last(f->server), "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
	assert_null(strstr(server_last(f->server), "Expect"));
	assert_null(strstr(server_last(f->server), "Accept-Encoding"));
	fetch_assert_body(&g, "ok");
}

static void methods_without_a_body(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE"};
	struct fetch_fixture *f = *state;

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("0", "")});
	for (size_t i = 0; i < 3; i++) {
		struct fetch g = {.f = f};
		struct http_options o = {.method = methods[i]};

		fetch_send(&g, &o, "/x%2Fy/../z?a=b%20c");
		fetch_finish(&g);
		assert_int_equal(g.result.error, HTTP_OK);
		assert_memory_equal(server_last(f->server), methods[i], strlen(methods[i]));
		/* The path goes out as it is. */
		assert_non_null(
			strstr(server_last(f->server), " /x%2Fy/../z?a=b%20c HTTP/1.1\r\n"));
		assert_null(strstr(server_last(f->server), "Content-Type"));
		buf_free(&g.body);
	}
}

static void a_head_request_has_no_body(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "HEAD", .total_timeout = 5};

	server_reply(f->server, "",
		(struct server_reply){.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"});
	fetch_send(&g, &o, "/x");
	fetch_finish(&g);
	assert_int_equal(g.result.error, HTTP_OK);
	buf_free(&g.body);
}

static void a_unix_socket(void **state)
{
	struct fetch_fixture *f = *state;
	char dir[] = "/tmp/test_http.XXXXXX";
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET"};
	char *path;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/api.sock", dir);
	server_free(f->server);
	f->server = server_new_unix(f->loop, path);
	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	o.unix_socket = path;
	/* A proxy is not asked for it. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	fetch_send(&g, &o, "/v1/jobs");
	fetch_finish(&g);
	unsetenv("http_proxy");
	fetch_assert_body(&g, "ok");
	unlink(path);
	rmdir(dir);
	free(path);
}

static void a_missing_unix_socket(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .unix_socket = "/nonexistent/api.sock"};

	fetch_send(&g, &o, "/v1/jobs");
	fetch_finish(&g);
	assert_non_null(strstr(g.result.detail, "No such file"));
	fetch_assert_failure(&g, HTTP_REFUSED);
}

static void no_proxy_for_this_machine(void **state)
{
	struct fetch g;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	fetch_get(*state, &g, (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	unsetenv("http_proxy");
	fetch_assert_body(&g, "ok");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_with_its_headers),
		TEST(no_headers_are_no_values),
		TEST(a_date_in_retry_after),
		TEST(the_interim_answer_does_not_count),
		TEST(byte_by_byte),
		TEST(a_body_that_ends_with_the_connection),
		TEST(a_redirect_is_not_followed),
		TEST(cut_in_the_body),
		TEST(cut_in_a_chunk),
		TEST(reset_before_the_answer),
		TEST(closed_before_the_answer),
		TEST(http_0_0),
		TEST(garbage),
		TEST(an_impossible_length),
		TEST(nobody_listens),
		TEST(the_host_has_no_address),
		TEST(a_cancelled_lookup_does_not_block),
		TEST(other_protocols_are_refused),
		TEST(tls_to_a_plain_port),
		TEST(a_certificate_file_that_is_missing),
		TEST(a_body_is_copied_and_sent),
		TEST(methods_without_a_body),
		TEST(a_head_request_has_no_body),
		TEST(a_unix_socket),
		TEST(a_missing_unix_socket),
		TEST(no_proxy_for_this_machine),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
