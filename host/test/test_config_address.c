/* test_config_address: what may be written as an address, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_address.h"

static void check_same(const char *got, const char *expected)
{
	if (expected)
		assert_string_equal(got, expected);
	else
		assert_null(got);
}

static void check_address(const char *text, const char *url, const char *socket, const char *auth)
{
	struct config_address a;
	char *error = NULL;

	if (!config_address_parse(text, &a, &error))
		fail_msg("%s", error);
	check_same(a.url, url);
	check_same(a.unix_socket, socket);
	check_same(a.http_auth, auth);
	free(a.url);
	free(a.unix_socket);
	free(a.http_auth);
}

/* Refused with a sentence that holds `words`. */
static void bad(const char *text, const char *words)
{
	struct config_address a;
	char *error = NULL;

	assert_false(config_address_parse(text, &a, &error));
	if (!strstr(error, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, error, words);
	assert_null(strstr(error, "s3cret"));
	free(error);
}

static void test_addresses(void **state)
{
	(void)state;
	check_address("nomad.service.consul", "http://nomad.service.consul:4646", NULL, NULL);
	check_address("nomad.service.consul/ui/", "http://nomad.service.consul:4646", NULL, NULL);
	check_address("10.0.0.1:80", "http://10.0.0.1:80", NULL, NULL);
	check_address("[::1]", "http://[::1]:4646", NULL, NULL);
	check_address("[::1]:4647", "http://[::1]:4647", NULL, NULL);
	check_address("[fe80::1%25eth0]:1", "http://[fe80::1%25eth0]:1", NULL, NULL);
	check_address("http://x", "http://x", NULL, NULL);
	check_address("HTTPS://x/", "https://x", NULL, NULL);
	check_address("https://x:4646/v1?a#b", "https://x:4646", NULL, NULL);
	check_address("http://me:p%40ss@x:1", "http://x:1", NULL, "me:p@ss");
	check_address("me:p@ss@x", "http://x:4646", NULL, "me:p@ss");
	check_address("https://me@x", "https://x", NULL, "me:");
	check_address("http://@x", "http://x", NULL, NULL);
	check_address("unix:///secrets/api.sock", "http://127.0.0.1", "/secrets/api.sock", NULL);
	check_address("unix://me:pw@/a.sock", "http://127.0.0.1", "/a.sock", "me:pw");
}

static void test_bad_addresses(void **state)
{
	char path[120];

	(void)state;
	bad("ftp://x", "it begins with http://, https:// or unix://");
	bad("http://", "there is no host");
	bad(":4646", "no host name");
	bad("x:", "the port is a number");
	bad("x:0", "the port is a number");
	bad("x:65536", "the port is a number");
	bad("x:46a", "the port is a number");
	bad("::1", "needs brackets");
	bad("[::1", "no IPv6 address");
	bad("[::g]", "no IPv6 address");
	bad("[::1%]", "no IPv6 address");
	bad("[::1]x", "the port is a number");
	bad("a$b", "no host name");
	bad("http://u%zz@x", "two hex digits");
	bad("http://u%0a@x", "control character");
	bad("unix://a.sock", "begins with a slash");
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	memcpy(path, "unix:///", 8);
	bad(path, "at most 107 bytes");
}

static void test_passwords_stay_in(void **state)
{
	(void)state;
	bad("http://u:s3cret@", "\"http://(hidden)@\"");
	bad("u:s3cret/x@h", "(hidden)@h");
	bad("ftp://u:s3cret@h", "(hidden)@h");
	bad("http://u:s3cret%zz@h", "(hidden)@h");
	bad("s3cret://s3cret@h", "(hidden)@h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_passwords_stay_in),
	};

	return cmocka_run_group_tests_name("config_address", tests, NULL, NULL);
}
