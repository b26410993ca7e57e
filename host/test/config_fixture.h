/* config_fixture: command lines, and an environment of a test's own, for the tests of config. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

enum { WORDS_MAX = 32 };

/* An environment of a test's own: getenv sees variables with this in front. */
#define OWN "TEST_CONFIG_"

static const char *const variables[] = {"NOMAD_ADDR", "NOMAD_UNIX_ADDR", "NOMAD_SECRETS_DIR",
	"NOMAD_ALLOC_ID", "NOMAD_TOKEN", "NOMAD_TOKEN_FILE", "NOMAD_HTTP_AUTH", "NOMAD_NAMESPACE",
	"NOMAD_REGION", "NOMAD_CACERT", "NOMAD_CAPATH", "NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY",
	"NOMAD_TLS_SERVER_NAME", "NOMAD_SKIP_VERIFY"};

static inline const char *env(const char *name)
{
	char own[64];

	snprintf(own, sizeof(own), OWN "%s", name);
	return getenv(own);
}

static inline void set_env(const char *name, const char *value)
{
	char own[64];

	snprintf(own, sizeof(own), OWN "%s", name);
	assert_int_equal(setenv(own, value, 1), 0);
}

static inline int clear_env(void **state)
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
static inline struct config *parse(const char *line, char **error)
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

static inline struct config *good(const char *line)
{
	char *error;
	struct config *c = parse(line, &error);

	if (!c)
		fail_msg("%s: %s", line, error);
	assert_null(error);
	return c;
}

/* The command line is refused, and the sentence holds `words`. */
static inline void bad(const char *line, const char *words)
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

#endif
