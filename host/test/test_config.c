/* test_config: flags, and the sentences for what is wrong. */
#include "config_fixture.h"

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
	};

	return cmocka_run_group_tests_name("config", tests, clear_env, NULL);
}
