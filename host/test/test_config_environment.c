/* test_config_environment: the variables of Nomad's own, and what a task finds inside Nomad. */
#include <sys/stat.h>
#include <unistd.h>

#include "config_fixture.h"

static void test_environment(void **state)
{
	struct config *c;

	(void)state;
	set_env("NOMAD_ADDR", "https://n:4646");
	set_env("NOMAD_TOKEN", "tok");
	set_env("NOMAD_HTTP_AUTH", "user");
	set_env("NOMAD_NAMESPACE", "apps");
	set_env("NOMAD_REGION", "eu");
	set_env("NOMAD_CACERT", "ca");
	set_env("NOMAD_CAPATH", "cap");
	set_env("NOMAD_CLIENT_CERT", "cc");
	set_env("NOMAD_CLIENT_KEY", "ck");
	set_env("NOMAD_TLS_SERVER_NAME", "sn");
	set_env("NOMAD_SKIP_VERIFY", "1");
	set_env("NOMAD_UNIX_ADDR", "unix:///only/in/a/task.sock");
	c = good("run");
	assert_string_equal(c->address, "https://n:4646");
	assert_null(c->unix_socket);
	assert_string_equal(c->token, "tok");
	assert_string_equal(c->http_auth, "user:");
	assert_int_equal(c->namespace_count, 1);
	assert_string_equal(c->namespaces[0], "apps");
	assert_string_equal(c->region, "eu");
	assert_string_equal(c->ca_cert, "ca");
	assert_string_equal(c->ca_path, "cap");
	assert_string_equal(c->client_cert, "cc");
	assert_string_equal(c->client_key, "ck");
	assert_string_equal(c->tls_server_name, "sn");
	assert_true(c->tls_skip_verify);
	config_free(c);

	c = good("run -address=u:p@h -namespace=b -namespace=c -region=us -tls-skip-verify=false");
	assert_string_equal(c->address, "http://h:4646");
	assert_string_equal(c->http_auth, "u:p");
	assert_int_equal(c->namespace_count, 2);
	assert_string_equal(c->namespaces[0], "b");
	assert_string_equal(c->region, "us");
	assert_false(c->tls_skip_verify);
	config_free(c);

	c = good("run -namespace=x -namespace=* -namespace=y");
	assert_int_equal(c->namespace_count, 0);
	assert_null(c->namespaces[0]);
	config_free(c);
}

static void test_bad_environment(void **state)
{
	(void)state;
	set_env("NOMAD_SKIP_VERIFY", "yes");
	bad("run", "NOMAD_SKIP_VERIFY: \"yes\" is neither true nor false");
	clear_env(NULL);
	set_env("NOMAD_ADDR", "ftp://x");
	bad("run", "NOMAD_ADDR: ");
	clear_env(NULL);
	set_env("NOMAD_TOKEN", "two words");
	bad("run", "the token of NOMAD_TOKEN");
	clear_env(NULL);
	set_env("NOMAD_HTTP_AUTH", "a:b\r\nX: y");
	bad("run", "NOMAD_HTTP_AUTH holds a control character");
	clear_env(NULL);
	set_env("NOMAD_CLIENT_CERT", "cc");
	bad("run", "NOMAD_CLIENT_KEY");
	clear_env(NULL);
	set_env("NOMAD_ADDR", ""); /* as good as unset */
	config_free(good("run"));
}

static void test_which_token_counts(void **state)
{
	struct config *c;

	(void)state;
	set_env("NOMAD_TOKEN", "env");
	set_env("NOMAD_TOKEN_FILE", "/env");
	c = good("run");
	assert_string_equal(c->token_file, "/env");
	config_free(c);
	c = good("run -token=flag");
	assert_string_equal(c->token, "flag");
	assert_null(c->token_file);
	config_free(c);
	c = good("run -token-file=/flag");
	assert_null(c->token);
	assert_string_equal(c->token_file, "/flag");
	config_free(c);
}

static char *new_dir(void)
{
	char *dir = xstrdup("/tmp/test_config-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void test_inside_a_task(void **state)
{
	char *dir = new_dir();
	char *socket = xasprintf("%s/api.sock", dir);
	struct config *c;

	(void)state;
	set_env("NOMAD_ALLOC_ID", "a1b2");
	set_env("NOMAD_NAMESPACE", "ops");
	set_env("NOMAD_REGION", "global");
	set_env("NOMAD_SECRETS_DIR", dir);
	c = good("run");
	assert_int_equal(c->namespace_count, 0);
	assert_null(c->region);
	assert_string_equal(c->address, "http://127.0.0.1:4646"); /* there is no socket */
	config_free(c);

	assert_int_equal(mkdir(socket, 0700), 0); /* it is enough that it is there */
	c = good("run -namespace=apps -region=eu");
	assert_string_equal(c->namespaces[0], "apps");
	assert_string_equal(c->region, "eu");
	assert_string_equal(c->address, "http://127.0.0.1");
	assert_string_equal(c->unix_socket, socket);
	config_free(c);

	set_env("NOMAD_UNIX_ADDR", "unix:///other/api.sock");
	c = good("run");
	assert_string_equal(c->unix_socket, "/other/api.sock");
	config_free(c);

	set_env("NOMAD_ADDR", "http://n:4646");
	c = good("run");
	assert_string_equal(c->address, "http://n:4646");
	assert_null(c->unix_socket);
	config_free(c);
	rmdir(socket);
	rmdir(dir);
	free(socket);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_environment, clear_env),
		cmocka_unit_test_teardown(test_bad_environment, clear_env),
		cmocka_unit_test_teardown(test_which_token_counts, clear_env),
		cmocka_unit_test_teardown(test_inside_a_task, clear_env),
	};

	return cmocka_run_group_tests_name("config_environment", tests, clear_env, NULL);
}
