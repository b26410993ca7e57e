/* http over TLS: certificates that are trusted and that are not, names, client certificates. */
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

#include "support/fetch.h"
#include "support/tls_server.h"

/* One GET with these settings. */
static void get(struct fetch_fixture *f, struct fetch *g, const struct tls_server *s,
	const struct http_tls *tls)
{
	struct http_options o = {.method = "GET",
		.url = tls_server_address(s),
		.total_timeout = 5,
		.fresh_connection = true};

	memset(g, 0, sizeof(*g));
	g->f = f;
	http_set_tls(f->http, tls);
	fetch_send(g, &o, "");
	fetch_finish(g);
}

static void assert_page(struct fetch *g)
{
	assert_int_equal(g->result.error, HTTP_OK);
	assert_int_equal(g->result.status, 200);
	assert_true(g->result.received > 0);
	buf_free(&g->body);
}

static void the_servers_certificate(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server *s = tls_server_new(f->loop, false);
	const char *cert = tls_server_cert(s);
	struct fetch g;

	get(f, &g, s, &(struct http_tls){.ca_cert = NULL});
	assert_non_null(strstr(g.result.detail, "self-signed certificate"));
	fetch_assert_failure(&g, HTTP_CERT);
	/* The CA is right now, the name is not. */
	get(f, &g, s, &(struct http_tls){.ca_cert = cert});
	assert_non_null(strstr(g.result.detail, "subject name"));
	fetch_assert_failure(&g, HTTP_CERT);
	get(f, &g, s, &(struct http_tls){.ca_cert = cert, .server_name = "client.global.nomad"});
	assert_non_null(strstr(g.result.detail, "subject name"));
	fetch_assert_failure(&g, HTTP_CERT);
	get(f, &g, s, &(struct http_tls){.ca_cert = cert, .server_name = "server.global.nomad"});
	assert_page(&g);
	get(f, &g, s, &(struct http_tls){.skip_verify = true});
	assert_page(&g);
	tls_server_free(s);
}

/* A CA of one's own is the only one: what the system trusts does not count beside it. */
static void another_ca(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server *s = tls_server_new(f->loop, false),
			  *other = tls_server_new(f->loop, false);
	struct fetch g;

	get(f, &g, s,
		&(struct http_tls){
			.ca_cert = tls_server_cert(other), .server_name = "server.global.nomad"});
	fetch_assert_failure(&g, HTTP_CERT);
	tls_server_free(s);
	tls_server_free(other);
}

static void a_client_certificate(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server *s = tls_server_new(f->loop, true);
	struct fetch g;

	get(f, &g, s, &(struct http_tls){.skip_verify = true});
	assert_non_null(strstr(g.result.detail, "alert"));
	fetch_assert_failure(&g, HTTP_TLS);
	get(f, &g, s,
		&(struct http_tls){.skip_verify = true,
			.client_cert = tls_server_cert(s),
			.client_key = "/nonexistent/key.pem"});
	fetch_assert_failure(&g, HTTP_CERT_FILE);
	get(f, &g, s,
		&(struct http_tls){.skip_verify = true,
			.client_cert = tls_server_cert(s),
			.client_key = tls_server_key(s)});
	assert_page(&g);
	tls_server_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_servers_certificate),
		TEST(another_ca),
		TEST(a_client_certificate),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
