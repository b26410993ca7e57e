/* run_admin: see run_admin.h. */
#include "run_admin.h"

#include "metrics_text.h"
#include "run_json.h"
#include "run_metrics.h"
#include "run_status.h"
#include "version.h"

enum { ACCEPTED = 202, ERROR = 500, UNAVAILABLE = 503 };

static const char json_type[] = "application/json";

static struct run_view view(void *user)
{
	const struct run_admin_source *s = user;

	return s->view(s->user);
}

static void say(struct admin_answer *answer, const char *text)
{
	if (!buf_addf(&answer->body, "%s\n", text))
		answer->status = ERROR;
}

/* Half a page would be a wrong one. */
static void check_fits(struct admin_answer *answer, bool fits)
{
	if (fits)
		return;
	buf_clear(&answer->body);
	answer->status = ERROR;
	answer->type = "text/plain; charset=utf-8";
	say(answer, "The page would be too large.");
}

static void get_index(struct admin_answer *answer, void *user)
{
	(void)user;
	say(answer, "nomad-operator " VERSION "\n\n"
		    "GET  /health     200 while the program runs\n"
		    "GET  /ready      200 while it does its work, else 503 and the reasons\n"
		    "GET  /metrics    for Prometheus\n"
		    "GET  /v1/status  what it is doing, as JSON\n"
		    "GET  /v1/status/text  the same for people; 503 while it is not ready\n"
		    "GET  /v1/refused  the removals that the limit holds back (?policy=NAME)\n\n"
		    "With the header X-Nomad-Operator: yes\n"
		    "POST /v1/reload  loads scripts, token and certificates again, as SIGHUP does\n"
		    "POST /v1/approve  makes the removals that the limit holds back\n"
		    "POST /v1/retry  tries the job ?key=NAMESPACE/ID again now");
}

static void get_health(struct admin_answer *answer, void *user)
{
	(void)user;
	say(answer, "ok");
}

static void get_ready(struct admin_answer *answer, void *user)
{
	struct run_view v = view(user);
	struct run_facts f;

	run_facts_take(&f, &v);
	if (f.ready) {
		say(answer, "ready");
	} else {
		answer->status = UNAVAILABLE;
		check_fits(answer, buf_addf(&answer->body, "%s", buf_text(&f.reasons)));
	}
	run_facts_free(&f);
}

static void get_metrics(struct admin_answer *answer, void *user)
{
	struct run_view v = view(user);

	answer->type = METRICS_TEXT_TYPE;
	check_fits(answer, run_metrics(&v, &answer->body));
}

static void get_status(struct admin_answer *answer, void *user)
{
	struct run_view v = view(user);

	answer->type = json_type;
	check_fits(answer, run_json(&v, &answer->body));
}

static void add_line(const char *text, void *user)
{
	struct buf *out = user;

	if (!buf_addf(out, "%s\n", text))
		return; /* the page is full */
}

/* Asks the scripts at work. */
static void ask(struct admin_answer *answer, void *user, const char *what)
{
	struct run_view v = view(user);

	if (v.stopping || !generations_ask(v.generations, what, answer->argument, &answer->status,
				  add_line, &answer->body)) {
		buf_clear(&answer->body);
		answer->status = UNAVAILABLE;
		say(answer, v.stopping ? "The operator is shutting down."
				       : "No scripts work yet; /ready says why.");
	}
}

static void get_refused(struct admin_answer *answer, void *user)
{
	ask(answer, user, "refused");
}

static void post_approve(struct admin_answer *answer, void *user)
{
	ask(answer, user, "approve");
}

static void post_retry(struct admin_answer *answer, void *user)
{
	ask(answer, user, "retry");
}

/* For people: as SIGUSR1 prints it. 503 while it is not ready. */
static void get_status_text(struct admin_answer *answer, void *user)
{
	struct run_view v = view(user);

	if (!run_status_lines(&v, add_line, &answer->body))
		answer->status = UNAVAILABLE;
}

static void post_reload(struct admin_answer *answer, void *user)
{
	const struct run_admin_source *s = user;

	if (s->view(s->user).stopping) {
		answer->status = UNAVAILABLE;
		say(answer, "The operator is shutting down.");
		return;
	}
	s->reload(s->user);
	answer->status = ACCEPTED;
	say(answer,
		"Loading scripts, token and certificates again; /ready says if they are refused.");
}

static const struct admin_route routes[] = {
	{"GET", "/", get_index, NULL},
	{"GET", "/health", get_health, NULL},
	{"GET", "/ready", get_ready, NULL},
	{"GET", "/metrics", get_metrics, NULL},
	{"GET", "/v1/status", get_status, NULL},
	{"GET", "/v1/status/text", get_status_text, NULL},
	{"GET", "/v1/refused", get_refused, "policy"},
	{"POST", "/v1/reload", post_reload, NULL},
	{"POST", "/v1/approve", post_approve, "policy"},
	{"POST", "/v1/retry", post_retry, "key"},
	{NULL, NULL, NULL, NULL},
};

bool run_admin(const struct lua_context *base, const struct run_admin_source *source,
	struct admin **out, char **error)
{
	struct admin_options o = {.routes = routes};

	*out = NULL;
	if (!config_listen_parse(base->config->http_addr, &o.where)) {
		*error = xasprintf("-http-addr: %s is no place to listen", base->config->http_addr);
		return false;
	}
	if (o.where.off)
		return true;
	o.user = (void *)(uintptr_t)source; /* the routes only read it */
	*out = admin_new(base->loop, base->turn, base->log, &o, error);
	if (!*out)
		return false;
	log_printf(base->log, LOG_INFO, "Metrics and readiness at http://%s/", admin_address(*out));
	return true;
}
