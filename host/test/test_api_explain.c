/* api_explain: every failure has its code, says whether a retry can help, and reads as a
 * sentence of its own. */
#include "api_explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"

#define ADDRESS "http://127.0.0.1:4646"

struct outcome {
	const char *method, *path, *query; /* NULL: GET /v1/jobs */
	bool no_token;
	enum http_error error;
	const char *detail;
	long status;
	const char *type, *text;
	/* what it becomes */
	const char *code;
	bool retryable;
	const char *says; /* what the sentence holds */
};

static struct api_explanation explain(const struct outcome *o)
{
	struct api_asked asked = {
		.method = o->method ? o->method : "GET",
		.path = o->path ? o->path : "/v1/jobs",
		.query = o->query,
		.address = ADDRESS,
		.token = !o->no_token,
		.connect = 10,
		.total = 60,
		.idle = 75,
		.body_max = 1000,
	};
	struct http_result result = {.error = o->error, .status = o->status};

	if (o->detail)
		memcpy(result.detail, o->detail, strlen(o->detail) + 1);
	if (o->type)
		memcpy(result.content_type, o->type, strlen(o->type) + 1);
	return api_explain(&asked, &result, o->text ? o->text : "");
}

static const struct outcome outcomes[] = {
	/* No answer. */
	{.error = HTTP_DNS,
		.detail = "Could not resolve host: x",
		.code = "dns",
		.retryable = true,
		.says = "has no address (Could not resolve host: x); check -address or NOMAD_ADDR"},
	{.error = HTTP_REFUSED,
		.detail = "Failed to connect to x after 3 ms: (Connection refused)",
		.code = "refused",
		.retryable = true,
		.says = "refuses the connection (Connection refused); is Nomad running there? Else "
			"set -address or NOMAD_ADDR"},
	{.error = HTTP_TLS,
		.detail = "error:0A00010B:SSL routines::wrong version number",
		.code = "tls",
		.says = "does not speak TLS; use http://"},
	{.error = HTTP_TLS,
		.detail = "error:0A00045C:SSL routines::tlsv13 alert certificate required",
		.code = "tls",
		.says = "wants a client certificate that it trusts; set -client-cert"},
	{.error = HTTP_TLS,
		.detail = "unsupported protocol",
		.code = "tls",
		.says = "the TLS handshake with " ADDRESS " failed"},
	{.error = HTTP_CERT,
		.detail = "self-signed certificate",
		.code = "tls",
		.says = "is not trusted (self-signed certificate); give the CA that signed it with "
			"-ca-cert or NOMAD_CACERT"},
	{.error = HTTP_CERT,
		.detail =
			"SSL: no alternative certificate subject name matches target host name 'x'",
		.code = "tls",
		.says = "set -tls-server-name or NOMAD_TLS_SERVER_NAME"},
	{.error = HTTP_CERT,
		.detail = "certificate has expired",
		.code = "tls",
		.says = "has expired"},
	{.error = HTTP_CERT_FILE,
		.detail = "no such file: ca.pem",
		.code = "tls",
		.says = "file cannot be used (no such file: ca.pem)"},
	{.error = HTTP_TIMEOUT,
		.detail = "Connection timed out after 10001 milliseconds",
		.code = "timeout",
		.retryable = true,
		.says = "takes no connection within 10 s"},
	{.error = HTTP_TIMEOUT,
		.detail = "Operation timed out after 60000 milliseconds",
		.code = "timeout",
		.retryable = true,
		.says = "did not answer within 60 s"},
	{.error = HTTP_IDLE, .code = "idle", .retryable = true, .says = "sent nothing for 75 s"},
	{.error = HTTP_CUT,
		.code = "cut",
		.retryable = true,
		.says = "broke before the answer was complete"},
	{.error = HTTP_VERSION,
		.code = "version",
		.says = "Nomad 1.11.2 does (HTTP/0.0); upgrade Nomad to 1.11.3"},
	{.error = HTTP_NOT_HTTP, .code = "not_http", .says = "does not speak HTTP; check -address"},
	{.error = HTTP_TOO_LARGE, .code = "too_large", .says = "larger than 1000 bytes"},
	{.error = HTTP_INTERNAL, .detail = "odd", .code = "internal", .says = "failed (odd)"},

	/* Another server, or the other protocol. */
	{.status = 400,
		.text = "Client sent an HTTP request to an HTTPS server.\n",
		.code = "tls",
		.says = "speaks TLS; use https://"},
	{.status = 404,
		.type = "text/html",
		.text = "<h1>404</h1>",
		.code = "not_nomad",
		.says = "answers, but not as Nomad (404, text/html); check -address"},
	{.status = 404,
		.text = "404 page not found\n",
		.code = "not_nomad",
		.says = "not as Nomad"},
	{.status = 404,
		.type = "application/json",
		.text = "{\"error\":1}",
		.code = "not_nomad",
		.says = "not as Nomad"},
	{.status = 200,
		.type = "text/html; charset=utf-8",
		.text = "<html>",
		.code = "not_nomad",
		.says = "not as Nomad (200,"},
	{.status = 403,
		.type = "text/html",
		.text = "<html>Forbidden",
		.code = "not_nomad",
		.says = "not as Nomad"},
	{.status = 301, .code = "not_nomad", .says = "not as Nomad (301, no content type)"},
	{.status = 502,
		.type = "text/html",
		.text = "<html>Bad gateway",
		.code = "server",
		.retryable = true,
		.says = "what stands before Nomad at " ADDRESS " answers 502"},

	/* Rights. */
	{.status = 403,
		.text = "ACL token not found",
		.code = "denied",
		.says = "does not know the token"},
	{.status = 500,
		.text = "rpc error: ACL token not found\n",
		.code = "denied",
		.says = "does not know the token"},
	{.status = 403, .text = "ACL token expired", .code = "denied", .says = "has expired"},
	{.status = 403,
		.text = "Permission denied",
		.code = "denied",
		.says = "the token lacks list-jobs in namespace \"default\""},
	{.status = 403,
		.query = "prefix=a&namespace=ops&x=y",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks list-jobs in namespace \"ops\""},
	{.status = 403,
		.query = "namespace=%2A",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks list-jobs in every namespace"},
	{.status = 500,
		.text = "rpc error: Permission denied",
		.code = "denied",
		.says = "lacks list-jobs"},
	{.status = 403,
		.no_token = true,
		.text = "Permission denied",
		.code = "denied",
		.says = "asks for a token and none was given; set -token, NOMAD_TOKEN or "
			"-token-file"},
	{.status = 401,
		.no_token = true,
		.text = "Unauthorized",
		.code = "denied",
		.says = "none was given"},
	{.status = 403,
		.method = "PUT",
		.path = "/v1/jobs",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks submit-job"},
	{.status = 403,
		.method = "POST",
		.path = "/v1/jobs/parse",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks parse-job"},
	{.status = 403,
		.path = "/v1/job/a%2Fb",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks read-job"},
	{.status = 403,
		.path = "/v1/nodes",
		.text = "Permission denied",
		.code = "denied",
		.says = "lacks a capability for it"},
	{.status = 500,
		.text = "acl token lookup failed: index error: UUID must be 36 characters",
		.code = "denied",
		.says = "takes no token of this form"},
	{.status = 403,
		.method = "PUT",
		.path = "/v1/jobs",
		.code = "frozen",
		.retryable = true,
		.text = "Job registration, dispatch, and scale are disabled by the scheduler "
			"configuration",
		.says = "refuses registrations for now"},

	/* What was asked for. */
	{.status = 404,
		.path = "/v1/job/x",
		.text = "job not found",
		.code = "not_found",
		.says = "has no such object in namespace \"default\": job not found"},
	{.status = 404,
		.path = "/v1/node/x",
		.text = "",
		.code = "not_found",
		.says = "has no such object"},
	{.status = 500,
		.method = "PUT",
		.code = "conflict",
		.text = "rpc error: Enforcing job modify index 5: job exists with conflicting job "
			"modify index: 306",
		.says = "changed meanwhile by another: rpc error: Enforcing job modify index 5"},
	{.status = 409,
		.method = "PUT",
		.path = "/v1/var/x",
		.text = "{\"Path\":\"x\"}",
		.code = "conflict",
		.says = "changed meanwhile"},
	{.status = 429,
		.text = "Your IP is issuing too many concurrent connections",
		.code = "rate_limited",
		.retryable = true,
		.says = "asks for fewer requests (429): Your IP"},

	/* The server's state. */
	{.status = 500,
		.text = "No cluster leader",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now (500): No cluster leader"},
	{.status = 500,
		.text = "Not ready to serve consistent reads",
		.code = "server",
		.retryable = true,
		.says = "cannot serve"},
	{.status = 500,
		.text = "rpc error: EOF",
		.code = "server",
		.retryable = true,
		.says = "cannot serve"},
	{.status = 500,
		.text = "no servers",
		.code = "server",
		.retryable = true,
		.says = "cannot serve"},
	{.status = 500,
		.text = "rpc error: failed to get conn",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: lead thread didn't get connection",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: failed to start stream",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: shutdown",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: session shutdown",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: stream closed",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: connection reset",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: connection refused",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: broken pipe",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: connection write timeout",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: keepalive timeout",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: i/o deadline reached",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: i/o timeout",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: node is not the leader",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: leadership lost while committing log",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: leadership transfer in progress",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: snapshot restored while committing log",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: raft is already shutdown",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 500,
		.text = "rpc error: timed out enqueuing operation",
		.code = "server",
		.retryable = true,
		.says = "cannot serve it now"},
	{.status = 502, .text = "bad", .code = "server", .retryable = true, .says = "(502)"},
	{.status = 503, .text = "bad", .code = "server", .retryable = true, .says = "(503)"},
	{.status = 504, .text = "bad", .code = "server", .retryable = true, .says = "(504)"},
	{.status = 500,
		.text = "No path to region",
		.code = "server",
		.says = "check -region or NOMAD_REGION"},
	{.status = 500,
		.text = "1 error occurred:\n\t* Missing job datacenters\n\n",
		.code = "server",
		.says = "refuses it (500): 1 error occurred: * Missing job datacenters"},
	{.status = 501, .text = "x", .code = "server", .says = "(501)"},
	{.status = 400,
		.text = "Job spec is empty",
		.code = "http",
		.says = "refuses it (400): Job spec is empty"},
	{.status = 405, .text = "Invalid method", .code = "http", .says = "(405): Invalid method"},
};
enum { OUTCOMES = sizeof(outcomes) / sizeof(outcomes[0]) };

static void each_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < OUTCOMES; i++) {
		const struct outcome *o = &outcomes[i];
		struct api_explanation e = explain(o);
		char *start = xasprintf(
			"%s %s: ", o->method ? o->method : "GET", o->path ? o->path : "/v1/jobs");

		if (strcmp(e.code, o->code) != 0 || e.retryable != o->retryable ||
			!strstr(e.message, o->says))
			fail_msg("%s, %s: %s\nwanted %s: %s", e.code,
				e.retryable ? "retry" : "final", e.message, o->code, o->says);
		assert_memory_equal(e.message, start, strlen(start));
		assert_null(strchr(e.message, '\n'));
		free(start);
		free(e.message);
	}
}

/* A person has to be able to tell them apart: no two kinds of trouble share a sentence. */
static void kinds_have_their_own_sentences(void **state)
{
	static const enum http_error errors[] = {HTTP_DNS, HTTP_REFUSED, HTTP_TLS, HTTP_CERT,
		HTTP_CERT_FILE, HTTP_TIMEOUT, HTTP_IDLE, HTTP_CUT, HTTP_VERSION, HTTP_NOT_HTTP,
		HTTP_TOO_LARGE, HTTP_REJECTED, HTTP_INTERNAL};
	enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };
	struct api_explanation e[ERRORS];

	(void)state;
	for (size_t i = 0; i < ERRORS; i++) {
		e[i] = explain(&(struct outcome){.error = errors[i], .detail = "same"});
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(e[i].message, e[j].message);
	}
	for (size_t i = 0; i < ERRORS; i++)
		free(e[i].message);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char text[2001];
	struct api_explanation e;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	text[2000] = '\0';
	for (int shift = 0; shift < 2; shift++) {
		text[0] = 'x'; /* two bytes of ASCII, or one and an invalid one: every alignment */
		text[1] = shift ? ' ' : 'x';
		e = explain(&(struct outcome){.status = 500, .text = text + shift});
		assert_non_null(strstr(e.message, "ä…"));
		assert_null(strstr(e.message, "\\x"));
		assert_in_range(strlen(e.message), 450, 650);
		free(e.message);
	}
}

static void foreign_bytes_are_escaped(void **state)
{
	struct api_explanation e = explain(
		&(struct outcome){.status = 500, .path = "/v1/job/x", .text = "a\x1b[31mb\x07"});

	(void)state;
	assert_non_null(strstr(e.message, "a\\x1b[31mb\\x07"));
	free(e.message);
}

static void a_long_path_is_cut(void **state)
{
	char path[5000];
	struct api_explanation e;

	(void)state;
	memset(path, 'a', sizeof(path));
	memcpy(path, "/v1/job/", 8);
	path[sizeof(path) - 1] = '\0';
	e = explain(&(struct outcome){.status = 404, .path = path, .text = "job not found"});
	assert_in_range(strlen(e.message), 160, 400);
	assert_non_null(strstr(e.message, "a…: Nomad"));
	free(e.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome),
		cmocka_unit_test(kinds_have_their_own_sentences),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(a_long_path_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
