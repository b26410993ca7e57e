/* run: see run.h. Signals and the stream's news only record; what they ask for is done by a job of the turn. */
#include "run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alarm.h"
#include "generations.h"
#include "process.h"
#include "run_admin.h"
#include "run_status.h"
#include "stream_set.h"
#include "version.h"

#define TOKEN_CHECK 10.0 /* seconds between two looks at the token's file */

enum { SIGNALS = 5, TOPIC_MAX = 32 /* bytes of a topic's name */ };

struct run {
	struct process process;
	struct config *config;
	struct log *log;
	struct generations *generations;
	struct stream_set *stream;
	struct lua_wishes wishes;
	char **namespaces; /* what the stream is for instead of "*"; NULL: "*" will do */
	uv_signal_t signals[SIGNALS];
	struct alarm *token_alarm;
	struct turn_job job;
	struct admin *admin;
	struct run_admin_source source;
	uint64_t started;
	/* The topic that was counted last, and its series. */
	char topic[TOPIC_MAX + 1], topic_series[TOPIC_MAX + 32];
	/* What has been asked for. */
	const char *reload; /* by what, or NULL */
	bool status, approve, token_check, resubscribe;
	int stop; /* the signal, 0: none */
	bool stopping, over;
	bool on_terminal; /* standard error was one at the start */
	int code;
};

/* The stream. */

static struct stream_options options_of(const struct run *r, const struct interests *in)
{
	return (struct stream_options){.topics = (const char *const *)in->topics,
		.line_max = r->config->stream_line_max,
		.idle = r->config->stream_idle};
}

static void forget_namespaces(struct run *r)
{
	for (char **ns = r->namespaces; ns && *ns; ns++)
		free(*ns);
	free(r->namespaces);
	r->namespaces = NULL;
}

static bool is_all(const struct interests *in)
{
	return strcmp(in->namespaces[0], "*") == 0;
}

/* "*" where there would be too many streams. */
static const char *const *namespaces_of(const struct run *r, const struct interests *in)
{
	static const char *const all[] = {"*", NULL};
	size_t count = 0;

	if (is_all(in) && r->namespaces)
		return (const char *const *)r->namespaces;
	while (in->namespaces[count])
		count++;
	return count > STREAM_SET_MAX ? all : (const char *const *)in->namespaces;
}

static void restart_stream(struct run *r, const struct interests *in)
{
	struct stream_options o = options_of(r, in);

	r->resubscribe = false;
	stream_set_restart(r->stream, &o, namespaces_of(r, in));
}

/* May the stream be for these instead of "*"? Only where the token is why "*" has none. */
static bool take_namespaces(struct run *r, const char *const *namespaces)
{
	struct stream_status status;
	size_t count = 0;

	stream_set_status(r->stream, &status);
	while (namespaces[count])
		count++;
	if (count == 0 || count > STREAM_SET_MAX ||
		(!r->namespaces && (!status.rights || !r->config->token)))
		return false;
	forget_namespaces(r);
	r->namespaces = xcalloc(count + 1, sizeof(*r->namespaces));
	for (size_t i = 0; i < count; i++)
		r->namespaces[i] = xstrdup(namespaces[i]);
	return true;
}

/* Within Lua: only takes note. */
static bool on_resubscribe(const char *reason, const char *const *namespaces, void *user)
{
	struct run *r = user;

	if (!r->stream || r->stopping || (namespaces && !take_namespaces(r, namespaces)))
		return false;
	if (!namespaces)
		forget_namespaces(r);
	log_printf(r->log, LOG_INFO, "Subscribing anew: %s", reason);
	r->resubscribe = true;
	turn_add(r->process.base.turn, &r->job);
	return true;
}

static void on_connected(uint64_t epoch, bool live, void *user)
{
	struct run *r = user;

	generations_connected(r->generations, epoch, live);
}

static void on_lost(const char *reason, void *user)
{
	struct run *r = user;

	(void)metrics_add(r->process.base.metrics, "stream_lost_total", 1);
	generations_lost(r->generations, reason);
	/* Perhaps the token was too old. */
	r->token_check = true;
	turn_add(r->process.base.turn, &r->job);
}

/* What is no topic's name does not become a label. */
static bool is_topic(const struct scan_span *s)
{
	if (!s->p || s->n == 0 || s->n > TOPIC_MAX)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		if (!((s->p[i] | 0x20) >= 'a' && (s->p[i] | 0x20) <= 'z'))
			return false;
	}
	return true;
}

static void count_event(struct run *r, const struct scan_event *event)
{
	static const struct scan_span other = {"other", 5, false};
	const struct scan_span *s = is_topic(&event->topic) ? &event->topic : &other;

	if (strlen(r->topic) != s->n || memcmp(r->topic, s->p, s->n) != 0) {
		memcpy(r->topic, s->p, s->n);
		r->topic[s->n] = '\0';
		(void)snprintf(r->topic_series, sizeof(r->topic_series),
			"events_total{topic=\"%s\"}", r->topic);
	}
	(void)metrics_add(r->process.base.metrics, r->topic_series, 1);
}

static void on_event(const struct scan_event *event, void *user)
{
	struct run *r = user;

	count_event(r, event);
	generations_event(r->generations, event);
}

/* Inside libcurl: copies what is wanted into the inboxes. */
static void on_line(const char *line, size_t len, void *user)
{
	struct run *r = user;
	uint64_t index;

	if (scan_events(line, len, &index, on_event, r) == SCAN_NOT_JSON)
		(void)metrics_add(r->process.base.metrics, "stream_lines_refused_total", 1);
}

static bool on_full(void *user)
{
	const struct run *r = user;

	return generations_full(r->generations);
}

static void on_wake(void *user)
{
	(void)user; /* the inboxes have queued their delivery */
}

/* The generations. */

static void stop(struct run *r, int code)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->code = code;
	generations_stop(r->generations, "shutdown");
}

static void on_started(const char *error, void *user)
{
	struct run *r = user;

	if (!error)
		return;
	log_printf(r->log, LOG_ERROR, "%s", error);
	stop(r, 1);
}

static void on_swapped(const struct interests *before, const struct interests *now, void *user)
{
	struct run *r = user;

	if (!interests_same_stream(before, now))
		restart_stream(r, now);
}

static void on_stopped(void *user)
{
	((struct run *)user)->over = true;
}

/* The token and the certificates. */

/* Reads the token's file again; true if it holds another one. */
static bool token_changed(struct run *r)
{
	char *before = r->config->token ? xstrdup(r->config->token) : NULL;
	bool changed = false;
	char *error;

	if (!config_read_token(r->config, &error)) {
		log_printf(r->log, LOG_ERROR, "%s; the token in use stays", error);
		free(error);
	} else {
		const char *now = r->config->token;

		changed = before && now ? strcmp(before, now) != 0 : before != now;
	}
	free(before);
	return changed;
}

/* Nomad would end the old token's stream some time, and perhaps without a word. */
static void check_token(struct run *r)
{
	r->token_check = false;
	if (!r->config->token_file || !token_changed(r))
		return;
	log_printf(r->log, LOG_INFO, "The token in %s has changed and is used from now on",
		r->config->token_file);
	api_reload(r->process.base.api, r->config);
	restart_stream(r, generations_interests(r->generations));
}

static void on_token_alarm(void *user)
{
	struct run *r = user;

	r->token_check = true;
	turn_add(r->process.base.turn, &r->job);
	alarm_set(r->token_alarm, TOKEN_CHECK);
}

static void reload(struct run *r, const char *by)
{
	bool restart = token_changed(r);

	log_printf(r->log, LOG_INFO, "%s: loading scripts, token and certificates again", by);
	api_reload(r->process.base.api, r->config);
	if (restart)
		restart_stream(r, generations_interests(r->generations));
	generations_reload(r->generations);
}

/* The signals. */

/* A SIGHUP that comes because the terminal it was started on is gone means what it always meant: end. */
static bool hung_up(const struct run *r)
{
	return r->on_terminal && !isatty(STDERR_FILENO);
}

static const char *name_of(int number)
{
	switch (number) {
	case SIGHUP:
		return "SIGHUP, the terminal is gone";
	case SIGTERM:
		return "SIGTERM";
	default:
		return "SIGINT";
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct run *r = handle->data;

	if (number == SIGHUP && hung_up(r))
		r->stop = number;
	else if (number == SIGHUP)
		r->reload = "SIGHUP";
	else if (number == SIGUSR1)
		r->status = true;
	else if (number == SIGUSR2)
		r->approve = true;
	else if (r->stop)
		_exit(128 + number); /* the second one: whoever sends it does not want to wait */
	else
		r->stop = number;
	turn_add(r->process.base.turn, &r->job);
}

/* Those who look at it. */

static struct run_view view_of(void *user)
{
	const struct run *r = user;

	return (struct run_view){
		.base = &r->process.base,
		.stream = r->stream,
		.generations = r->generations,
		.started = r->started,
		.stopping = r->stopping,
	};
}

static void ask_reload(void *user)
{
	struct run *r = user;

	r->reload = "POST /v1/reload";
	turn_add(r->process.base.turn, &r->job);
}

static void work(void *user)
{
	struct run *r = user;

	if (r->stop && !r->stopping) {
		log_printf(r->log, LOG_INFO, "%s: finishing what is under way (at most %u s)",
			name_of(r->stop), r->config->drain_timeout);
		stop(r, 0);
	}
	if (r->status) {
		struct run_view view = view_of(r);

		r->status = false;
		run_status(&view);
	}
	if (r->stopping)
		return;
	if (r->approve) {
		r->approve = false;
		log_printf(r->log, LOG_INFO,
			"SIGUSR2: what the limit on removals held back is approved");
		generations_approve(r->generations);
	}
	if (r->token_check)
		check_token(r);
	if (r->resubscribe)
		restart_stream(r, generations_interests(r->generations));
	if (r->reload) {
		const char *by = r->reload;

		r->reload = NULL;
		reload(r, by);
	}
}

static void open_signals(struct run *r)
{
	static const int numbers[SIGNALS] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < SIGNALS; i++) {
		int status = uv_signal_init(&r->process.loop, &r->signals[i]);

		r->signals[i].data = r;
		if (status == 0)
			status = uv_signal_start(&r->signals[i], on_signal, numbers[i]);
		if (status != 0)
			log_printf(r->log, LOG_ERROR, "signal %d cannot be caught: %s", numbers[i],
				uv_strerror(status));
	}
}

static void close_signals(struct run *r)
{
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&r->signals[i], NULL);
}

/* From the start to the end. */

static void say_hello(const struct run *r)
{
	const struct config *c = r->config;

	log_printf(r->log, LOG_INFO, "nomad-operator %s, Nomad at %s%s%s%s", VERSION,
		c->unix_socket ? "unix://" : "", c->unix_socket ? c->unix_socket : c->address,
		c->token ? "" : ", without a token",
		c->dry_run ? ", dry run: nothing is written" : "");
}

static void watch(struct run *r)
{
	static const struct stream_callbacks cb = {
		on_connected, on_lost, NULL, on_line, on_wake, on_full};
	const struct interests *in = generations_interests(r->generations);
	struct stream_options o = options_of(r, in);

	r->stream = stream_set_new(
		&r->process.loop, r->process.base.api, r->log, &o, namespaces_of(r, in), &cb, r);
	r->token_alarm = alarm_new(&r->process.loop, on_token_alarm, r);
	if (r->config->token_file)
		alarm_set(r->token_alarm, TOKEN_CHECK);
	stream_set_start(r->stream);
	generations_start(r->generations);
	while (!r->over)
		(void)uv_run(&r->process.loop, UV_RUN_ONCE);
	alarm_free(r->token_alarm);
	stream_set_free(r->stream);
	r->stream = NULL;
	forget_namespaces(r);
}

/* A port that is in use is told before anything is begun. */
static bool open_admin(struct run *r, char **error)
{
	r->source = (struct run_admin_source){view_of, ask_reload, r};
	return run_admin(&r->process.base, &r->source, &r->admin, error);
}

static int operate(struct run *r)
{
	static const struct generations_callbacks cb = {on_started, on_swapped, on_stopped};
	char *error;

	turn_job_init(&r->job, work, r);
	r->wishes = (struct lua_wishes){on_resubscribe, r};
	r->process.base.wishes = &r->wishes;
	r->started = uv_hrtime();
	r->on_terminal = isatty(STDERR_FILENO) == 1;
	r->generations = generations_new(&r->process.base, &cb, r);
	say_hello(r);
	open_signals(r);
	if (open_admin(r, &error) && generations_load(r->generations, &error)) {
		watch(r);
	} else {
		log_printf(r->log, LOG_ERROR, "%s", error);
		free(error);
		r->code = 1;
	}
	admin_free(r->admin);
	generations_free(r->generations);
	turn_remove(&r->job);
	close_signals(r);
	return r->code;
}

int run_run(struct config *config, struct log *log)
{
	struct run *r = xcalloc(1, sizeof(*r));
	int code = 1;
	char *error;

	r->config = config;
	r->log = log;
	if (process_open(&r->process, config, log, &error)) {
		code = operate(r);
		process_close(&r->process);
	} else {
		log_printf(log, LOG_ERROR, "%s", error);
		free(error);
	}
	free(r);
	return code;
}
