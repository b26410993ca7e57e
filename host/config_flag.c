/* config_flag: the flags, Nomad's variables for them, and what each takes. */
#include "config_flag.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config_listen.h"
#include "config_value.h"

enum { INSTANCE_MAX = 64 };

const struct config_flag config_flags[] = {
	{"address", "NOMAD_ADDR", false, CONFIG_TEXT, offsetof(struct config, address)},
	{"token", "NOMAD_TOKEN", false, CONFIG_TEXT, offsetof(struct config, token)},
	{"token-file", "NOMAD_TOKEN_FILE", false, CONFIG_TEXT, offsetof(struct config, token_file)},
	{"namespace", "NOMAD_NAMESPACE", true, CONFIG_NAMESPACE, 0},
	{"region", "NOMAD_REGION", true, CONFIG_TEXT, offsetof(struct config, region)},
	{"ca-cert", "NOMAD_CACERT", false, CONFIG_TEXT, offsetof(struct config, ca_cert)},
	{"ca-path", "NOMAD_CAPATH", false, CONFIG_TEXT, offsetof(struct config, ca_path)},
	{"client-cert", "NOMAD_CLIENT_CERT", false, CONFIG_TEXT,
		offsetof(struct config, client_cert)},
	{"client-key", "NOMAD_CLIENT_KEY", false, CONFIG_TEXT, offsetof(struct config, client_key)},
	{"tls-server-name", "NOMAD_TLS_SERVER_NAME", false, CONFIG_TEXT,
		offsetof(struct config, tls_server_name)},
	{"tls-skip-verify", "NOMAD_SKIP_VERIFY", false, CONFIG_BOOL,
		offsetof(struct config, tls_skip_verify)},
	{"log-level", NULL, false, CONFIG_LEVEL, 0},
	{"log-format", NULL, false, CONFIG_FORMAT, 0},
	{"instance", NULL, false, CONFIG_INSTANCE, offsetof(struct config, instance)},
	{"dry-run", NULL, false, CONFIG_BOOL, offsetof(struct config, dry_run)},
	{"yes", NULL, false, CONFIG_BOOL, offsetof(struct config, yes)},
	{"release", NULL, false, CONFIG_BOOL, offsetof(struct config, release)},
	{"json", NULL, false, CONFIG_BOOL, offsetof(struct config, json)},
	{"lenient", NULL, false, CONFIG_BOOL, offsetof(struct config, lenient)},
	{"nomad", NULL, false, CONFIG_TEXT, offsetof(struct config, nomad)},
	{"max-delete", NULL, false, CONFIG_COUNT, offsetof(struct config, max_delete)},
	{"write-rate", NULL, false, CONFIG_COUNT, offsetof(struct config, write_rate)},
	{"allow-cross-namespace", NULL, false, CONFIG_CROSS, 0},
	{"stream-line-max", NULL, false, CONFIG_SIZE, offsetof(struct config, stream_line_max)},
	{"lua-memory-max", NULL, false, CONFIG_SIZE, offsetof(struct config, lua_memory_max)},
	{"drain-timeout", NULL, false, CONFIG_SECONDS, offsetof(struct config, drain_timeout)},
	{"stream-idle", NULL, false, CONFIG_PERIOD, offsetof(struct config, stream_idle)},
	{"http-addr", NULL, false, CONFIG_LISTEN, offsetof(struct config, http_addr)},
	{"ready-queue-age", NULL, false, CONFIG_PERIOD, offsetof(struct config, ready_queue_age)},
	{"lib", NULL, false, CONFIG_TEXT, offsetof(struct config, lib_dir)},
};

_Static_assert(sizeof(config_flags) / sizeof(config_flags[0]) == CONFIG_FLAG_COUNT,
	"the header says how many flags there are");

/* Takes the message over. Always false. */
static bool refuse(char **why, char *message)
{
	*why = message;
	return false;
}

/* Once is enough for each. */
static void add(char ***list, size_t *count, const char *text)
{
	size_t i;

	for (i = 0; i < *count; i++) {
		if (strcmp((*list)[i], text) == 0)
			return;
	}
	*list = xrealloc(*list, (*count + 2) * sizeof(**list));
	(*list)[(*count)++] = xstrdup(text);
	(*list)[*count] = NULL;
}

static void replace(char **text, char *with)
{
	free(*text);
	*text = with;
}

static bool set_text(char **field, const char *source, const char *value, char **why)
{
	if (!config_value_is_plain(value))
		return refuse(why, xasprintf("%s holds a control character", source));
	replace(field, xstrdup(value));
	return true;
}

static bool set_namespace(struct config *c, const char *source, const char *value, char **why)
{
	if (strcmp(value, "*") != 0 && !config_value_is_namespace(value))
		return refuse(why, xasprintf("%s: \"%s\" is no namespace: a name has up to 128 "
					     "letters, digits and "
					     "dashes, and -namespace is given once for each",
					   source, value));
	add(&c->namespaces, &c->namespace_count, value);
	return true;
}

static bool set_cross(struct config *c, const char *source, const char *value, char **why)
{
	const char *colon = strchr(value, ':');
	char *from = colon ? xstrndup(value, (size_t)(colon - value)) : NULL;
	bool ok = from && config_value_is_namespace(from) && config_value_is_namespace(colon + 1);

	free(from);
	if (!ok)
		return refuse(why,
			xasprintf("%s: \"%s\" is not of the form FROM:TO, two names of namespaces",
				source, value));
	add(&c->cross_namespace, &c->cross_namespace_count, value);
	return true;
}

static bool set_instance(struct config *c, const char *source, const char *value, char **why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(value);

	if (strspn(value, allowed) != len || len > INSTANCE_MAX)
		return refuse(why,
			xasprintf("%s: \"%s\" is no name of an instance: up to 64 of a-z 0-9 - _ .",
				source, value));
	replace(&c->instance, xstrdup(value));
	return true;
}

static bool set_count(long *field, const char *source, const char *value, char **why)
{
	uint64_t n;

	if (!config_value_number(value, LONG_MAX, &n))
		return refuse(
			why, xasprintf("%s: \"%s\" is not a whole number from 0", source, value));
	*field = (long)n;
	return true;
}

static bool set_size(size_t *field, const char *source, const char *value, char **why)
{
	if (config_value_size(value, field))
		return true;
	return refuse(why, xasprintf("%s: \"%s\" is not a size from 1KiB to 64GiB, as in 65536, "
				     "512KiB, 64MiB, 1GiB",
				   source, value));
}

static bool set_seconds(
	unsigned *field, unsigned least, const char *source, const char *value, char **why)
{
	unsigned seconds;

	if (config_value_seconds(value, &seconds) && seconds >= least) {
		*field = seconds;
		return true;
	}
	return refuse(
		why, xasprintf("%s: \"%s\" is not a time of %sup to an hour, as in 4, 30s, 5m",
			     source, value, least > 0 ? "1 second " : ""));
}

static bool set_listen(char **field, const char *source, const char *value, char **why)
{
	struct config_listen listen;

	if (!config_listen_parse(value, &listen))
		return refuse(why, xasprintf("%s: \"%s\" is no place to listen: 127.0.0.1:4747, "
					     "[::1]:4747, :4747 for every address, or off",
					   source, value));
	replace(field, xstrdup(value));
	return true;
}

static bool set_bool(bool *field, const char *source, const char *value, char **why)
{
	if (config_value_bool(value, field))
		return true;
	return refuse(why, xasprintf("%s: \"%s\" is neither true nor false", source, value));
}

static bool set_log(
	struct config *c, enum config_kind kind, const char *source, const char *value, char **why)
{
	if (kind == CONFIG_LEVEL) {
		if (log_level_parse(value, &c->log_level))
			return true;
		return refuse(why,
			xasprintf("%s: \"%s\" is none of error, warn, info, debug", source, value));
	}
	c->log_format_given = true;
	if (log_format_parse(value, &c->log_format))
		return true;
	return refuse(why, xasprintf("%s: \"%s\" is none of text, logfmt, json", source, value));
}

bool config_flag_set(struct config *c, const struct config_flag *f, const char *source,
	const char *value, char **why)
{
	/* The field's type is what the flag's kind says. */
	void *field = (char *)c + f->at;

	switch (f->kind) {
	case CONFIG_TEXT:
		return set_text(field, source, value, why);
	case CONFIG_BOOL:
		return set_bool(field, source, value, why);
	case CONFIG_NAMESPACE:
		return set_namespace(c, source, value, why);
	case CONFIG_CROSS:
		return set_cross(c, source, value, why);
	case CONFIG_LEVEL:
	case CONFIG_FORMAT:
		return set_log(c, f->kind, source, value, why);
	case CONFIG_INSTANCE:
		return set_instance(c, source, value, why);
	case CONFIG_COUNT:
		return set_count(field, source, value, why);
	case CONFIG_SIZE:
		return set_size(field, source, value, why);
	case CONFIG_SECONDS:
		return set_seconds(field, 0, source, value, why);
	case CONFIG_PERIOD:
		return set_seconds(field, 1, source, value, why);
	case CONFIG_LISTEN:
		return set_listen(field, source, value, why);
	}
	return false;
}

const struct config_flag *config_flag_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < CONFIG_FLAG_COUNT; i++) {
		if (strlen(config_flags[i].name) == len &&
			memcmp(config_flags[i].name, name, len) == 0)
			return &config_flags[i];
	}
	return NULL;
}
