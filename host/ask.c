/* ask: see ask.h. No token is sent: the operator has its own. */
#include "ask.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "api.h"
#include "buf.h"
#include "config_listen.h"
#include "confirm.h"
#include "http.h"

#define ANSWER_MAX ((size_t)8 << 20) /* bytes */
#define PATIENCE 10.0		     /* seconds for the whole answer */

enum { OK = 200, ACCEPTED = 202, UNAVAILABLE = 503 };
enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_NOT = 2 };

struct asker {
	uv_loop_t loop;
	struct http *http;
	struct log *log;
	char *address; /* "127.0.0.1:4747" */
	struct buf answer;
	struct http_result result;
};

static bool on_data(struct http_request *r, const char *data, size_t len, void *user)
{
	struct asker *a = user;

	(void)r;
	return buf_add(&a->answer, data, len);
}

static void on_done(struct http_request *r, const struct http_result *result, void *user)
{
	struct asker *a = user;

	(void)r;
	a->result = *result;
}

/* The status of the answer, whose text is in a->answer; 0: there was none, which is said. */
static long fetch(struct asker *a, const char *method, const char *path)
{
	static const char *const headers[] = {"X-Nomad-Operator: yes", NULL};
	char *url = xasprintf("http://%s%s", a->address, path);
	struct http_options o = {.method = method,
		.url = url,
		.headers = headers,
		.connect_timeout = PATIENCE,
		.total_timeout = PATIENCE,
		.fresh_connection = true};

	buf_clear(&a->answer);
	(void)http_send(a->http, &o, on_data, on_done, a);
	(void)uv_run(&a->loop, UV_RUN_DEFAULT);
	free(url);
	if (a->result.error == HTTP_OK)
		return a->result.status;
	log_printf(a->log, LOG_ERROR,
		"no operator answers at %s (%s); is one running, and with the same -http-addr?",
		a->address, a->result.detail);
	return 0;
}

static void print(struct asker *a)
{
	(void)fputs(buf_text(&a->answer), stdout);
}

/* Prints the answer. */
static int finish(struct asker *a, long status)
{
	if (status == 0)
		return EXIT_ERROR;
	if (status == OK || status == ACCEPTED) {
		print(a);
		return EXIT_OK;
	}
	log_printf(a->log, LOG_ERROR, "the operator at %s refuses (%ld): %.*s", a->address, status,
		(int)strcspn(buf_text(&a->answer), "\n"), buf_text(&a->answer));
	return EXIT_ERROR;
}

/* "/v1/approve?policy=backup"; the caller frees it. */
static char *path_of(const char *path, const char *name, const char *value)
{
	struct buf escaped;
	char *out;

	if (!value)
		return xstrdup(path);
	buf_init(&escaped, ANSWER_MAX);
	if (!api_escape(&escaped, value, strlen(value)))
		abort(); /* an argument of the command line is shorter */
	out = xasprintf("%s?%s=%s", path, name, buf_text(&escaped));
	buf_free(&escaped);
	return out;
}

static int post(struct asker *a, const char *path, const char *name, const char *value)
{
	char *full = path_of(path, name, value);
	int code = finish(a, fetch(a, "POST", full));

	free(full);
	return code;
}

static int status(struct asker *a)
{
	long got = fetch(a, "GET", "/v1/status/text");

	if (got != UNAVAILABLE)
		return finish(a, got);
	print(a);
	return EXIT_NOT;
}

/* Shows what would be removed, and asks. */
static int approve(struct asker *a, const char *policy, bool yes)
{
	char *path = path_of("/v1/refused", "policy", policy);
	long got = fetch(a, "GET", path);

	free(path);
	if (got == OK && a->answer.len == 0) {
		(void)puts("No removals are held back.");
		return EXIT_OK;
	}
	if (got != OK)
		return finish(a, got);
	(void)puts("These jobs would be removed:");
	print(a);
	(void)fflush(stdout);
	switch (yes ? CONFIRM_YES : confirm("Remove them?")) {
	case CONFIRM_NOBODY:
		(void)puts("There is no terminal to ask at; -yes does it without asking.");
		return EXIT_NOT;
	case CONFIRM_NO:
		(void)puts("Nothing was done.");
		return EXIT_NOT;
	case CONFIRM_YES:
		break;
	}
	return post(a, "/v1/approve", "policy", policy);
}

static int ask(struct asker *a, const struct config *config)
{
	const char *argument = config->arg_count > 0 ? config->args[0] : NULL;

	if (config->command == COMMAND_STATUS)
		return status(a);
	if (config->command == COMMAND_RELOAD)
		return post(a, "/v1/reload", NULL, NULL);
	if (config->command == COMMAND_APPROVE)
		return approve(a, argument, config->yes);
	return post(a, "/v1/retry", "key", argument);
}

/* Where it listens on every address, it is asked on this machine's own. NULL, which is said. */
static char *address_of(const struct config *config, struct log *log)
{
	struct config_listen where;

	if (!config_listen_parse(config->http_addr, &where) || where.off) {
		log_printf(log, LOG_ERROR,
			"-http-addr=%s: the operator is asked over HTTP; say where it listens",
			config->http_addr);
		return NULL;
	}
	if (where.address.any.sa_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&where.address.v6.sin6_addr))
		where.address.v6.sin6_addr = in6addr_loopback;
	if (where.address.any.sa_family == AF_INET &&
		where.address.v4.sin_addr.s_addr == htonl(INADDR_ANY))
		where.address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return config_listen_text(&where.address);
}

int ask_run(const struct config *config, struct log *log)
{
	static const struct http_tls tls = {.skip_verify = false};
	struct asker a = {.log = log, .address = address_of(config, log)};
	int code;

	if (!a.address)
		return EXIT_ERROR;
	if (uv_loop_init(&a.loop) != 0) {
		log_printf(log, LOG_ERROR, "cannot start the event loop");
		free(a.address);
		return EXIT_ERROR;
	}
	buf_init(&a.answer, ANSWER_MAX);
	a.http = http_new(&a.loop, &tls);
	code = ask(&a, config);
	http_free(a.http);
	(void)uv_run(&a.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&a.loop);
	buf_free(&a.answer);
	free(a.address);
	return code;
}
