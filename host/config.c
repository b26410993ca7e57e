/* config: the command line and the NOMAD_* environment, read once into one struct. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_address.h"
#include "config_flag.h"
#include "config_value.h"

#define DEFAULT_ADDRESS "http://127.0.0.1:4646"
#define DEFAULT_HTTP_ADDR "127.0.0.1:4747"

/* Seconds. */
enum { DRAIN_DEFAULT = 4, STREAM_IDLE_DEFAULT = 75, QUEUE_AGE_DEFAULT = 300 };

static const size_t line_max_default = (size_t)64 << 20;
static const size_t memory_max_default = (size_t)512 << 20;

struct command_info {
	const char *name;
	enum command command;
	size_t min, max; /* how many arguments */
	const char *use;
};

static const struct command_info commands[] = {
	{"run", COMMAND_RUN, 0, SIZE_MAX, "run [SCRIPT|DIR ...]"},
	{"plan", COMMAND_PLAN, 0, SIZE_MAX, "plan [SCRIPT|DIR ...]"},
	{"check", COMMAND_CHECK, 1, SIZE_MAX, "check SCRIPT|DIR ..."},
	{"prune", COMMAND_PRUNE, 0, SIZE_MAX, "prune [SCRIPT|DIR ...]"},
	{"acl", COMMAND_ACL, 0, SIZE_MAX, "acl [SCRIPT|DIR ...]"},
	{"status", COMMAND_STATUS, 0, 0, "status"},
	{"reload", COMMAND_RELOAD, 0, 0, "reload"},
	{"approve", COMMAND_APPROVE, 0, 1, "approve [POLICY]"},
	{"retry", COMMAND_RETRY, 1, 1, "retry [NAMESPACE/]ID"},
	{"jobspec", COMMAND_JOBSPEC, 1, SIZE_MAX,
		"jobspec validate|canonicalize|diff|convert|render|schema [FILE ...]"},
	{"init", COMMAND_INIT, 1, 1, "init DIR"},
	{"exec", COMMAND_EXEC, 1, SIZE_MAX, "exec FILE.lua [ARG ...]"},
	{"help", COMMAND_HELP, 0, 1, "help [COMMAND]"},
	{"version", COMMAND_VERSION, 0, 0, "version"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

struct parser {
	struct config *c;
	const char *(*env)(const char *name);
	const struct command_info *command; /* NULL: not seen yet */
	bool given[CONFIG_FLAG_COUNT];
	bool flags_over;
	bool done; /* -help or -version: the rest is not looked at */
	char *error;
};

/* Takes the message over; what came from outside in it is made safe. Always false. */
static bool refuse(struct parser *p, char *message)
{
	free(p->error);
	p->error = log_escape(message, strlen(message));
	free(message);
	return false;
}

static bool set(
	struct parser *p, const struct config_flag *f, const char *source, const char *value)
{
	char *why;

	return config_flag_set(p->c, f, source, value, &why) || refuse(p, why);
}

static const struct command_info *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* The name alone: what follows the = may be a token. */
static bool unknown_flag(struct parser *p, const char *name, size_t len)
{
	const char *names[CONFIG_FLAG_COUNT + 2] = {"help", "version"};
	char *typed = xstrndup(name, len);
	const char *near;
	size_t i;

	for (i = 0; i < CONFIG_FLAG_COUNT; i++)
		names[i + 2] = config_flags[i].name;
	near = config_value_nearest(typed, names, CONFIG_FLAG_COUNT + 2);
	if (near)
		refuse(p, xasprintf("there is no flag -%s, did you mean -%s? "
				    "\"nomad-operator help\" lists them",
				  typed, near));
	else
		refuse(p, xasprintf("there is no flag -%s; \"nomad-operator help\" lists them",
				  typed));
	free(typed);
	return false;
}

static bool unknown_command(struct parser *p, const char *name)
{
	const char *names[COMMAND_COUNT];
	const char *near, *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	near = config_value_nearest(name, names, COMMAND_COUNT);
	if (near)
		return refuse(p, xasprintf("there is no command \"%s\", did you mean \"%s\"? "
					   "\"nomad-operator help\" lists them",
					 name, near));
	if (strchr(name, '/') || (dot && strcmp(dot, ".lua") == 0))
		return refuse(p, xasprintf("\"%s\" is no command; to run it: nomad-operator run %s",
					 name, name));
	return refuse(p,
		xasprintf("there is no command \"%s\"; \"nomad-operator help\" lists them", name));
}

/* A word that a flag takes as its value, unless it is plainly the next flag. */
static const char *next_value(int argc, char *const *argv, int *i)
{
	const char *word = *i + 1 < argc ? argv[*i + 1] : NULL;

	if (!word)
		return NULL;
	if (word[0] == '-') {
		const char *name = word + (word[1] == '-' ? 2 : 1);

		if (config_flag_find(name, strcspn(name, "=")))
			return NULL;
	}
	(*i)++;
	return word;
}

static bool is_help(const char *name)
{
	return strcmp(name, "help") == 0 || strcmp(name, "h") == 0;
}

static bool parse_flag(struct parser *p, int argc, char *const *argv, int *i)
{
	const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct config_flag *f = config_flag_find(name, len);
	char source[40];

	if (is_help(name) || strcmp(name, "version") == 0) {
		p->c->command = is_help(name) ? COMMAND_HELP : COMMAND_VERSION;
		p->c->help_topic = is_help(name) && p->command ? p->command->name : NULL;
		p->done = true;
		return true;
	}
	if (!f)
		return unknown_flag(p, name, len);
	if (!value)
		value = f->kind == CONFIG_BOOL ? "true" : next_value(argc, argv, i);
	snprintf(source, sizeof(source), "-%s", f->name);
	if (!value || !*value)
		return refuse(p, xasprintf("%s needs a value, as in %s=VALUE", source, source));
	p->given[f - config_flags] = true;
	return set(p, f, source, value);
}

static void add_arg(struct config *c, const char *word)
{
	c->args = xrealloc(c->args, (c->arg_count + 2) * sizeof(*c->args));
	c->args[c->arg_count++] = xstrdup(word);
	c->args[c->arg_count] = NULL;
}

static bool parse_word(struct parser *p, const char *word)
{
	struct config *c = p->c;

	if (p->command) {
		add_arg(c, word);
		/* What follows the program belongs to the program. */
		if (c->command == COMMAND_EXEC)
			p->flags_over = true;
		return true;
	}
	p->command = find_command(word);
	if (!p->command)
		return unknown_command(p, word);
	c->command = p->command->command;
	return true;
}

static bool parse_words(struct parser *p, int argc, char *const *argv)
{
	int i;

	for (i = 1; i < argc && !p->done; i++) {
		bool ok = true;

		if (!p->flags_over && strcmp(argv[i], "--") == 0)
			p->flags_over = true;
		else if (!p->flags_over && argv[i][0] == '-' && argv[i][1])
			ok = parse_flag(p, argc, argv, &i);
		else
			ok = parse_word(p, argv[i]);
		if (!ok)
			return false;
	}
	if (!p->command && !p->done && argc > 1)
		return refuse(p,
			xstrdup("there is no command; \"nomad-operator run\" starts the operator, "
				"\"nomad-operator help\" lists the commands"));
	return true;
}

static bool check_args(struct parser *p)
{
	size_t count = p->c->arg_count;

	if (count < p->command->min || count > p->command->max)
		return refuse(p, xasprintf("%s %s; it is: nomad-operator %s", p->command->name,
					 count < p->command->min ? "needs an argument"
								 : "takes no more arguments",
					 p->command->use));
	return true;
}

static const char *variable(const struct parser *p, const char *name)
{
	const char *value = p->env(name);

	return value && *value ? value : NULL;
}

static bool in_task(const struct parser *p)
{
	return variable(p, "NOMAD_ALLOC_ID") != NULL;
}

static bool flag_given(const struct parser *p, const char *name)
{
	return p->given[config_flag_find(name, strlen(name)) - config_flags];
}

/* A flag beats the variable; one of the two token flags beats both variables. */
static bool env_counts(const struct parser *p, size_t i)
{
	const struct config_flag *f = &config_flags[i];

	if (!f->env || p->given[i] || (f->not_in_task && in_task(p)))
		return false;
	if (strncmp(f->name, "token", 5) == 0)
		return !flag_given(p, "token") && !flag_given(p, "token-file");
	return true;
}

static bool read_env(struct parser *p)
{
	const char *auth = variable(p, "NOMAD_HTTP_AUTH");
	size_t i;

	for (i = 0; i < CONFIG_FLAG_COUNT; i++) {
		const char *value;

		if (!env_counts(p, i))
			continue;
		value = variable(p, config_flags[i].env);
		if (value && !set(p, &config_flags[i], config_flags[i].env, value))
			return false;
	}
	if (auth && !config_value_is_plain(auth))
		return refuse(p, xstrdup("NOMAD_HTTP_AUTH holds a control character"));
	if (auth) /* a user without a password has an empty one */
		p->c->http_auth = xasprintf("%s%s", auth, strchr(auth, ':') ? "" : ":");
	return true;
}

/* Inside a task that was told no address, Nomad's Task API is at hand. The caller frees it. */
static char *task_address(const struct parser *p)
{
	const char *secrets = variable(p, "NOMAD_SECRETS_DIR");
	const char *address = variable(p, "NOMAD_UNIX_ADDR");
	char *path;

	if (!in_task(p))
		return NULL;
	if (address)
		return xstrdup(address);
	if (!secrets)
		return NULL;
	path = xasprintf("unix://%s/api.sock", secrets);
	if (access(path + strlen("unix://"), F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static bool resolve_address(struct parser *p)
{
	struct config *c = p->c;
	struct config_address parsed;
	const char *source = flag_given(p, "address") ? "-address" : "NOMAD_ADDR";
	char *text = c->address;
	char *why;
	bool ok;

	if (!text) {
		source = "the Task API's address";
		text = task_address(p);
	}
	if (!text)
		text = xstrdup(DEFAULT_ADDRESS);
	c->address = NULL;
	ok = config_address_parse(text, &parsed, &why);
	free(text);
	if (!ok) {
		refuse(p, xasprintf("%s: %s", source, why));
		free(why);
		return false;
	}
	c->address = parsed.url;
	c->unix_socket = parsed.unix_socket;
	if (parsed.http_auth) {
		free(c->http_auth);
		c->http_auth = parsed.http_auth;
	}
	return true;
}

static bool check_whole(struct parser *p)
{
	const struct config *c = p->c;

	if (flag_given(p, "token") && flag_given(p, "token-file"))
		return refuse(
			p, xstrdup("-token and -token-file are two tokens; give one of them"));
	if (c->token && !config_value_is_word(c->token))
		return refuse(
			p, xasprintf("the token of %s is not one word of printable characters",
				   flag_given(p, "token") ? "-token" : "NOMAD_TOKEN"));
	if (!c->client_cert != !c->client_key)
		return refuse(p,
			xasprintf("there is a client %s without its %s; give both -client-cert and "
				  "-client-key (NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY)",
				c->client_cert ? "certificate" : "key",
				c->client_cert ? "key" : "certificate"));
	return true;
}

/* "*" stands for all, and all is what an empty list means. */
static void settle_namespaces(struct config *c)
{
	bool all = false;
	size_t i;

	for (i = 0; i < c->namespace_count; i++)
		all = all || strcmp(c->namespaces[i], "*") == 0;
	while (all && c->namespace_count > 0) {
		free(c->namespaces[--c->namespace_count]);
		c->namespaces[c->namespace_count] = NULL;
	}
}

static struct config *config_new(void)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->command = COMMAND_HELP;
	c->args = xcalloc(1, sizeof(*c->args));
	c->namespaces = xcalloc(1, sizeof(*c->namespaces));
	c->cross_namespace = xcalloc(1, sizeof(*c->cross_namespace));
	c->log_level = LOG_INFO;
	c->log_format = LOG_TEXT;
	c->instance = xstrdup("default");
	c->max_delete = -1;
	c->stream_line_max = line_max_default;
	c->lua_memory_max = memory_max_default;
	c->drain_timeout = DRAIN_DEFAULT;
	c->http_addr = xstrdup(DEFAULT_HTTP_ADDR);
	c->stream_idle = STREAM_IDLE_DEFAULT;
	c->ready_queue_age = QUEUE_AGE_DEFAULT;
	return c;
}

/* What is known once all words are read. Help works in any environment. */
static bool finish(struct parser *p)
{
	const struct command_info *topic;

	if (p->done || !p->command)
		return true;
	if (!check_args(p))
		return false;
	if (p->c->command == COMMAND_VERSION)
		return true;
	if (p->c->command == COMMAND_HELP) {
		topic = p->c->arg_count > 0 ? find_command(p->c->args[0]) : NULL;
		p->c->help_topic = topic ? topic->name : NULL;
		return topic || p->c->arg_count == 0 || unknown_command(p, p->c->args[0]);
	}
	if (!read_env(p) || !check_whole(p) || !resolve_address(p))
		return false;
	settle_namespaces(p->c);
	if (p->c->command == COMMAND_PLAN)
		p->c->dry_run = true; /* a plan that writes would be none */
	return true;
}

struct config *config_parse(
	int argc, char *const *argv, const char *(*env)(const char *name), char **error)
{
	struct parser p;

	memset(&p, 0, sizeof(p));
	p.c = config_new();
	p.env = env;
	*error = NULL;
	if (parse_words(&p, argc, argv) && finish(&p))
		return p.c;
	*error = p.error;
	config_free(p.c);
	return NULL;
}

static void free_list(char **list)
{
	size_t i;

	for (i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free_list(c->args);
	free_list(c->namespaces);
	free_list(c->cross_namespace);
	free(c->address);
	free(c->unix_socket);
	free(c->http_auth);
	free(c->token);
	free(c->token_file);
	free(c->region);
	free(c->ca_cert);
	free(c->ca_path);
	free(c->client_cert);
	free(c->client_key);
	free(c->tls_server_name);
	free(c->instance);
	free(c->nomad);
	free(c->lib_dir);
	free(c->http_addr);
	free(c);
}
