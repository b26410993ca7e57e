/* test_config: flags, variables, and the sentences for what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

enum { WORDS_MAX = 32 };

/* An environment of a test's own: getenv sees variables with this in front. */
#define OWN "TEST_CONFIG_"

static const char *const variables[] = {"NOMAD_ADDR", "NOMAD_UNIX_ADDR", "NOMAD_SECRETS_DIR",
	"NOMAD_ALLOC_ID", "NOMAD_TOKEN", "NOMAD_TOKEN_FILE", "NOMAD_HTTP_AUTH", "NOMAD_NAMESPACE",
	"NOMAD_REGION", "NOMAD_CACERT", "NOMAD_CAPATH", "NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY",
	"NOMAD_TLS_SERVER_NAME", "NOMAD_SKIP_VERIFY"};

static const char *env(const char *name)
{
	char own[64];

	snprintf(own, sizeof(own), OWN "%s", name);
	return getenv(own);
}

static void set_env(const char *name, const char *value)
{
	char own[64];

	snprintf(own, sizeof(own), OWN "%s", name);
	assert_int_equal(setenv(own, value, 1), 0);
}

static int clear_env(void **state)
{
	char own[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		snprintf(own, sizeof(own), OWN "%s", variables[i]);
		unsetenv(own);
	}
	return 0;
}

/* The words of a command line, parted by single spaces. */
static struct config *parse(const char *line, char **error)
{
	char *copy = xstrdup(line), *argv[WORDS_MAX + 1], *at = copy;
	struct config *c;
	int argc = 1;

	argv[0] = copy + strlen(copy);
	while (*at && argc < WORDS_MAX) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = '\0';
	}
	argv[argc] = NULL;
	c = config_parse(argc, argv, env, error);
	free(copy);
	return c;
}

static struct config *good(const char *line)
{
	char *error;
	struct config *c = parse(line, &error);

	if (!c)
		fail_msg("%s: %s", line, error);
	assert_null(error);
	return c;
}

/* The command line is refused, and the sentence holds `words`. */
static void bad(const char *line, const char *words)
{
	char *error = NULL;
	struct config *c = parse(line, &error);

	assert_null(c);
	assert_non_null(error);
	if (!strstr(error, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", line, error, words);
	assert_null(strchr(error, '\n'));
	free(error);
}

static void test_defaults(void **state)
{
	struct config *c = good("run");

	(void)state;
	assert_int_equal(c->command, COMMAND_RUN);
	assert_int_equal(c->arg_count, 0);
	assert_null(c->args[0]);
	assert_string_equal(c->address, "http://127.0.0.1:4646");
	assert_null(c->unix_socket);
	assert_null(c->http_auth);
	assert_null(c->token);
	assert_null(c->region);
	assert_int_equal(c->namespace_count, 0);
	assert_null(c->namespaces[0]);
	assert_false(c->tls_skip_verify);
	assert_int_equal(c->log_level, LOG_INFO);
	assert_false(c->log_format_given);
	assert_string_equal(c->instance, "default");
	assert_false(c->dry_run);
	assert_int_equal(c->max_delete, -1);
	assert_int_equal(c->write_rate, 0);
	assert_int_equal(c->stream_line_max, 64 * 1024 * 1024);
	assert_int_equal(c->lua_memory_max, 512 * 1024 * 1024);
	assert_int_equal(c->drain_timeout, 4);
	assert_string_equal(c->http_addr, "127.0.0.1:4747");
	assert_int_equal(c->stream_idle, 75);
	assert_int_equal(c->ready_queue_age, 300);
	assert_null(c->lib_dir);
	config_free(c);
	config_free(NULL);
}

static void test_plan_is_a_dry_run(void **state)
{
	struct config *c = good("plan scripts/");

	(void)state;
	assert_int_equal(c->command, COMMAND_PLAN);
	assert_true(c->dry_run);
	config_free(c);
	c = good("run scripts/");
	assert_false(c->dry_run);
	config_free(c);
}

static void test_every_flag(void **state)
{
	struct config *c;

	(void)state;
	c = good("run -address=https://n:1 -token t -namespace a --namespace=b -namespace a "
		 "-region=eu -ca-cert ca.pem -client-cert=c -client-key=k scripts/ -dry-run");
	assert_int_equal(c->command, COMMAND_RUN);
	assert_string_equal(c->address, "https://n:1");
	assert_string_equal(c->token, "t");
	assert_int_equal(c->namespace_count, 2);
	assert_string_equal(c->namespaces[0], "a");
	assert_string_equal(c->namespaces[1], "b");
	assert_null(c->namespaces[2]);
	assert_string_equal(c->region, "eu");
	assert_string_equal(c->ca_cert, "ca.pem");
	assert_string_equal(c->client_cert, "c");
	assert_string_equal(c->client_key, "k");
	assert_true(c->dry_run);
	assert_int_equal(c->arg_count, 1);
	assert_string_equal(c->args[0], "scripts/");
	assert_null(c->args[1]);
	config_free(c);

	c = good("-ca-path=d -tls-server-name=s --tls-skip-verify -token-file f -log-level=debug "
		 "-log-format json -instance=blue-1 -max-delete=0 "
		 "-write-rate=7 -lib=lib run");
	assert_string_equal(c->ca_path, "d");
	assert_string_equal(c->tls_server_name, "s");
	assert_true(c->tls_skip_verify);
	assert_string_equal(c->token_file, "f");
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->log_format, LOG_JSON);
	assert_true(c->log_format_given);
	assert_string_equal(c->instance, "blue-1");
	assert_int_equal(c->max_delete, 0);
	assert_int_equal(c->write_rate, 7);
	assert_string_equal(c->lib_dir, "lib");
	config_free(c);

	c = good("run -allow-cross-namespace=a:b -allow-cross-namespace a:c -stream-line-max=1MiB "
		 "-lua-memory-max=100000 -drain-timeout=2m -dry-run=false -- -odd.lua");
	assert_int_equal(c->cross_namespace_count, 2);
	assert_string_equal(c->cross_namespace[0], "a:b");
	assert_string_equal(c->cross_namespace[1], "a:c");
	assert_null(c->cross_namespace[2]);
	assert_int_equal(c->stream_line_max, 1024 * 1024);
	assert_int_equal(c->lua_memory_max, 100000);
	assert_int_equal(c->drain_timeout, 120);
	assert_false(c->dry_run);
	assert_string_equal(c->args[0], "-odd.lua");
	config_free(c);
}

static void test_what_watches_the_work(void **state)
{
	struct config *c = good("run -http-addr=[::1]:0 -stream-idle=90 -ready-queue-age 10m");

	(void)state;
	assert_string_equal(c->http_addr, "[::1]:0");
	assert_int_equal(c->stream_idle, 90);
	assert_int_equal(c->ready_queue_age, 600);
	config_free(c);
	c = good("run -http-addr=off");
	assert_string_equal(c->http_addr, "off");
	config_free(c);
	bad("run -http-addr=example.com:80", "no place to listen");
	bad("run -stream-idle=0", "a time of 1 second up to an hour");
	bad("run -ready-queue-age=x", "a time of 1 second up to an hour");
}

static void test_exec_leaves_the_programs_flags_alone(void **state)
{
	struct config *c = good("exec -token=t p.lua -token x -- -help");

	(void)state;
	assert_int_equal(c->command, COMMAND_EXEC);
	assert_string_equal(c->token, "t");
	assert_int_equal(c->arg_count, 5);
	assert_string_equal(c->args[1], "-token");
	assert_string_equal(c->args[4], "-help");
	config_free(c);
}

static void check_help(const char *line, const char *topic)
{
	struct config *c;

	/* Help must not depend on an environment that is in order. */
	set_env("NOMAD_ADDR", "ftp://x");
	c = good(line);
	assert_int_equal(c->command, COMMAND_HELP);
	if (topic)
		assert_string_equal(c->help_topic, topic);
	else
		assert_null(c->help_topic);
	config_free(c);
}

static void test_help(void **state)
{
	struct config *c;

	(void)state;
	check_help("", NULL);
	check_help("help", NULL);
	check_help("-help", NULL);
	check_help("--help", NULL);
	check_help("-h", NULL);
	check_help("help run", "run");
	check_help("run -help", "run");
	check_help("plan scripts/ --help", "plan");
	check_help("prune -help", "prune");
	check_help("acl -help", "acl");
	check_help("approve -help", "approve");
	check_help("jobspec diff -help", "jobspec");
	c = good("version");
	assert_int_equal(c->command, COMMAND_VERSION);
	config_free(c);
	c = good("--version");
	assert_int_equal(c->command, COMMAND_VERSION);
	config_free(c);
	bad("help rnu", "did you mean \"run\"?");
	bad("help run plan", "takes no more arguments");
}

static void test_help_texts(void **state)
{
	static const char *const topics[] = {
		"run", "plan", "check", "jobspec", "init", "exec", "help", "version"};
	static const char *const words[] = {"-address", "-allow-cross-namespace",
		"NOMAD_TOKEN_FILE", "-http-addr", "-stream-line-max", "-drain-timeout",
		"Exit codes", "80", "443", "SIGHUP"};
	const char *overview = config_help(NULL);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strstr(overview, words[i]))
			fail_msg("the overview does not name %s", words[i]);
	}
	for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		char *first = xasprintf("nomad-operator %s", topics[i]);

		assert_non_null(strstr(overview, first));
		assert_int_equal(strncmp(config_help(topics[i]), first, strlen(first)), 0);
		free(first);
	}
	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		/* What Nomad itself sets inside a task is nothing for a person to set. */
		if (strcmp(variables[i], "NOMAD_UNIX_ADDR") == 0 ||
			strcmp(variables[i], "NOMAD_SECRETS_DIR") == 0 ||
			strcmp(variables[i], "NOMAD_ALLOC_ID") == 0)
			continue;
		if (!strstr(overview, variables[i]))
			fail_msg("the overview does not name %s", variables[i]);
	}
}

static void test_unknown_words(void **state)
{
	(void)state;
	bad("rum", "did you mean \"run\"?");
	bad("frobnicate", "there is no command \"frobnicate\"");
	bad("scripts/", "nomad-operator run scripts/");
	bad("backup.lua", "nomad-operator run backup.lua");
	bad("-dry-run", "there is no command; \"nomad-operator run\" starts");
	bad("run -namspace=x", "there is no flag -namspace, did you mean -namespace?");
	bad("run --addr=x", "did you mean -address?");
	bad("run -frobnicate", "there is no flag -frobnicate;");
	bad("run -=x", "there is no flag");
	bad("ru\x1b[2Jn", "ru\\x1b[2Jn");
	bad("run -tokn=s3cret", "did you mean -token?");
}

static void test_no_secret_in_a_sentence(void **state)
{
	static const char *const lines[] = {"run -tokn=s3cret", "run -address=http://u:s3cret@",
		"run -address=u:s3cret/x@h", "run -address=ftp://u:s3cret@h",
		"run -address=http://u:s3cret%zz@h", "run -address=u://s3cret@h",
		"run -token=s3cret\x01", "run -token=s3cret\xc3\xa9"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *error = NULL;

		assert_null(parse(lines[i], &error));
		if (strstr(error, "s3cret"))
			fail_msg("%s", error);
		free(error);
	}
}

static void test_bad_values(void **state)
{
	(void)state;
	bad("run -address", "-address needs a value");
	bad("run -address -dry-run", "-address needs a value");
	bad("run -token=", "-token needs a value");
	bad("run -token=a -token-file=b", "-token and -token-file");
	bad("run -namespace=a,b", "-namespace is given once for each");
	bad("run -instance=Blue", "a-z 0-9 - _ .");
	bad("run -instance=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"64");
	bad("run -max-delete=-1", "not a whole number");
	bad("run -max-delete=5x", "not a whole number");
	bad("run -write-rate=fast", "not a whole number");
	bad("run -max-delete=99999999999999999999", "not a whole number");
	bad("run -stream-line-max=64XB", "512KiB");
	bad("run -stream-line-max=1", "from 1KiB");
	bad("run -stream-line-max=99999999999GiB", "to 64GiB");
	bad("run -drain-timeout=2d", "as in 4, 30s, 5m");
	bad("run -drain-timeout=2h", "up to an hour");
	bad("run -log-level=loud", "error, warn, info, debug");
	bad("run -log-format=xml", "text, logfmt, json");
	bad("run -dry-run=maybe", "neither true nor false");
	bad("run -allow-cross-namespace=a", "FROM:TO");
	bad("run -allow-cross-namespace=a:", "FROM:TO");
	bad("run -allow-cross-namespace=a:b:c", "FROM:TO");
	bad("run -client-cert=c", "client certificate without its key");
	bad("run -client-key=k", "client key without its certificate");
	bad("run -region=a\x01", "control character");
	bad("init", "nomad-operator init DIR");
	bad("init a b", "nomad-operator init DIR");
	bad("check", "check SCRIPT|DIR");
	bad("exec", "exec FILE.lua");
}

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
		cmocka_unit_test_teardown(test_defaults, clear_env),
		cmocka_unit_test_teardown(test_every_flag, clear_env),
		cmocka_unit_test_teardown(test_plan_is_a_dry_run, clear_env),
		cmocka_unit_test_teardown(test_what_watches_the_work, clear_env),
		cmocka_unit_test_teardown(test_exec_leaves_the_programs_flags_alone, clear_env),
		cmocka_unit_test_teardown(test_help, clear_env),
		cmocka_unit_test_teardown(test_help_texts, clear_env),
		cmocka_unit_test_teardown(test_unknown_words, clear_env),
		cmocka_unit_test_teardown(test_no_secret_in_a_sentence, clear_env),
		cmocka_unit_test_teardown(test_bad_values, clear_env),
		cmocka_unit_test_teardown(test_environment, clear_env),
		cmocka_unit_test_teardown(test_bad_environment, clear_env),
		cmocka_unit_test_teardown(test_which_token_counts, clear_env),
		cmocka_unit_test_teardown(test_inside_a_task, clear_env),
	};

	return cmocka_run_group_tests_name("config", tests, clear_env, NULL);
}
