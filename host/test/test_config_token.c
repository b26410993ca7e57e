/* test_config_token: the token's file: what is in it, and what is said when that will not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

static struct config *new_config(void)
{
	char *argv[] = {xstrdup("nomad-operator"), xstrdup("run"), xstrdup("-token=before"), NULL};
	char *error;
	struct config *c = config_parse(3, argv, no_env, &error);
	size_t i;

	assert_non_null(c);
	for (i = 0; argv[i]; i++)
		free(argv[i]);
	return c;
}

static char *new_dir(void)
{
	char *dir = xstrdup("/tmp/test_config-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Reads a token file of this content; NULL where that is refused. */
static char *token_of(const char *path, const char *text, size_t len, const char *words)
{
	struct config *c;
	char *error, *token;

	write_file(path, text, len);
	c = new_config();
	c->token_file = xstrdup(path);
	if (config_read_token(c, &error)) {
		assert_null(error);
		token = xstrdup(c->token);
	} else {
		assert_string_equal(c->token, "before");
		assert_non_null(strstr(error, words));
		assert_non_null(strstr(error, path));
		assert_null(strstr(error, "s3cret"));
		free(error);
		token = NULL;
	}
	config_free(c);
	return token;
}

static void test_token_file(void **state)
{
	char *dir = new_dir();
	char *path = xasprintf("%s/token", dir);
	char *big = xmalloc(70000), *token, *error;
	struct config *c;

	(void)state;
	token = token_of(path, "  s3cret-1\r\n\n", 13, "");
	assert_string_equal(token, "s3cret-1");
	free(token);
	assert_null(token_of(path, "", 0, "is empty"));
	assert_null(token_of(path, " \n", 2, "is empty"));
	assert_null(token_of(path, "s3cret two", 10, "more than one word"));
	assert_null(token_of(path, "s3cret\nX: y\n", 12, "more than one word"));
	assert_null(token_of(path, "s3cret\0y", 8, "cannot be read"));
	memset(big, 'x', 70000);
	assert_null(token_of(path, big, 70000, "File too large"));
	unlink(path);

	c = new_config();
	assert_true(config_read_token(c, &error));
	c->token_file = xstrdup(path);
	assert_false(config_read_token(c, &error));
	assert_non_null(strstr(error, "No such file"));
	free(error);
	free(c->token_file);
	c->token_file = xstrdup(dir);
	assert_false(config_read_token(c, &error));
	assert_non_null(strstr(error, "Is a directory"));
	free(error);
	config_free(c);
	rmdir(dir);
	free(big);
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_token_file)};

	return cmocka_run_group_tests_name("config_token", tests, NULL, NULL);
}
