/* stream: the long request to /v1/event/stream as a state machine; see `transitions`. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "stream_backoff.h"
#include "stream_lines.h"
#include "stream_pace.h"
#include "stream_probe.h"
#include "stream_reason.h"

enum {
	SILENCES_MAX = 2,      /* in a row, while lists are answered: then lists have to do */
	RETRY_AFTER_MAX = 300, /* seconds */
	LINE_MAX_DEFAULT = 64 * 1024 * 1024
};
static const double probe_timeout = 5;

enum event {
	EVENT_START,	 /* stream_start */
	EVENT_FRAME,	 /* a line has come */
	EVENT_SILENT,	 /* accepted, but no line in time or at all */
	EVENT_REFUSED,	 /* by the token's rights */
	EVENT_END,	 /* the request is over, or the probe is: try again */
	EVENT_NO_STREAM, /* there will be none here */
	EVENT_DUE	 /* the time to wait is over */
};

struct stream {
	uv_loop_t *loop;
	struct api *api;
	struct log *log;
	struct stream_callbacks cb;
	void *user;
	char **topics, *ns;
	struct stream_options o; /* complete; without the strings above */
	uv_timer_t timer;
	uv_idle_t settle; /* tells, outside libcurl, of lines that came */
	unsigned open_handles;
	bool closing;

	enum stream_state state;
	struct api_request *request; /* NULL: none */
	struct stream_probe *probe;  /* NULL: none */
	struct stream_lines lines;
	struct stream_pace pace;
	bool refused;		     /* the probe is about a refusal, not about silence */
	bool rights;		     /* see struct stream_status */
	unsigned silences, failures; /* in a row */
	uint64_t live_since;	     /* loop time, ms */
	double retry_after;	     /* seconds, < 0: not asked for */
	char *reason, *logged;	     /* of the last end; what was said of it */

	bool told, told_live; /* what the owner knows: connected, and how */
	bool denied;	      /* the last answer was a refusal */
	uint64_t epoch, subscriptions;
	uint64_t last_frame; /* loop time, ms; 0: none yet */
};

static void step(struct stream *s, enum event event);

/* ---- small things ---- */

static double or_default(double value, double other)
{
	return value > 0 ? value : other;
}

static void forget_options(struct stream *s)
{
	for (char **topic = s->topics; topic && *topic; topic++)
		free(*topic);
	free(s->topics);
	free(s->ns);
}

static void take_options(struct stream *s, const struct stream_options *o)
{
	size_t n = 0;

	while (o->topics[n])
		n++;
	s->topics = xcalloc(n + 1, sizeof(*s->topics));
	for (size_t i = 0; i < n; i++)
		s->topics[i] = xstrdup(o->topics[i]);
	s->ns = xstrdup(o->ns);
	s->o = (struct stream_options){
		.line_max = o->line_max > 0 ? o->line_max : LINE_MAX_DEFAULT,
		.first_frame = or_default(o->first_frame, 10),
		.idle = or_default(o->idle, 75),
		.backoff_base = or_default(o->backoff_base, 1),
		.backoff_max = or_default(o->backoff_max, 30),
		.live_reset = or_default(o->live_reset, 60),
		.poll_retry = or_default(o->poll_retry, 300),
	};
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct stream *s, double seconds)
{
	uv_timer_start(&s->timer, on_timer, (uint64_t)(seconds * 1000) + 1, 0);
}

/* Takes the string. */
static void set_reason(struct stream *s, char *reason)
{
	free(s->reason);
	s->reason = reason;
}

/* What is said is a warning once; while it stays the same, the retries are for those who look
 * closely. */
static void log_reason(struct stream *s, const char *then)
{
	char *text = xasprintf("No event stream: %s (%s)", s->reason, then);
	bool known = s->logged && strcmp(s->logged, text) == 0;

	log_printf(s->log, known ? LOG_DEBUG : LOG_WARN, "%s", text);
	free(s->logged);
	s->logged = text;
}

/* ---- inside libcurl ---- */

static void on_settle(uv_idle_t *settle);

static bool on_data(struct api_request *r, const char *data, size_t len, void *user)
{
	struct stream *s = user;
	bool more = stream_lines_feed(&s->lines, data, len);

	if (s->cb.full)
		stream_pace_took(&s->pace, r, len, s->cb.full(s->user));
	if (s->lines.framed) {
		s->last_frame = uv_now(s->loop);
		uv_idle_start(&s->settle, on_settle);
	}
	return more;
}

/* ---- outside libcurl ---- */

static void settle(struct stream *s)
{
	uv_idle_stop(&s->settle);
	if (!s->lines.framed)
		return;
	s->lines.framed = false;
	step(s, EVENT_FRAME);
	if (!s->closing)
		s->cb.wake(s->user);
}

static void on_settle(uv_idle_t *handle)
{
	settle(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
	struct stream *s = timer->data;
	enum stream_state before = s->state;

	settle(s);
	if (!s->closing && s->state == before)
		step(s, s->state == STREAM_SUBSCRIBING ? EVENT_SILENT : EVENT_DUE);
}

/* What the lines so far and the answer say together. */
static char *reason_of(const struct stream *s, const struct api_result *result)
{
	struct stream_end end = {
		.result = result,
		.address = api_address(s->api),
		.stray = s->lines.stray,
		.stray_len = s->lines.stray ? strlen(s->lines.stray) : 0,
		.too_long = s->lines.too_long,
		.line_max = s->o.line_max,
	};

	end.rest = ndjson_rest(s->lines.cutter, &end.rest_len);
	return stream_reason(&end);
}

/* A refusal behind a 200, whose connection was let go. */
static bool is_empty(const struct stream *s, const struct api_result *result)
{
	return s->state == STREAM_SUBSCRIBING && result->error == API_OK &&
	       result->http.received == 0;
}

static void on_end(struct api_request *r, const struct api_result *result, void *user)
{
	struct stream *s = user;
	uint64_t subscription = s->subscriptions;

	(void)r;
	s->request = NULL;
	stream_pace_end(&s->pace);
	settle(s);
	if (s->closing || s->subscriptions != subscription)
		return;
	s->retry_after = result->http.retry_after;
	set_reason(s, reason_of(s, result));
	s->rights = false;
	s->denied = strcmp(result->code, "denied") == 0;
	if (stream_reason_is_lasting(result))
		step(s, EVENT_NO_STREAM);
	else if (s->denied)
		step(s, EVENT_REFUSED);
	else
		step(s, is_empty(s, result) ? EVENT_SILENT : EVENT_END);
}

/* ---- what a transition does ---- */

static void end_request(struct stream *s)
{
	uv_timer_stop(&s->timer);
	if (s->request)
		api_cancel(s->request);
	s->request = NULL;
	stream_pace_end(&s->pace);
	stream_probe_cancel(s->probe);
	s->probe = NULL;
}

static void add_parameter(struct buf *query, const char *name, const char *value)
{
	if (!buf_addf(query, "%s%s=", query->len > 0 ? "&" : "", name) ||
		!api_escape(query, value, strlen(value)))
		abort(); /* the buffer has no limit */
}

/* An index beyond all others: of what the server still holds at most its last item comes, and
 * then what is new. The list that follows every connect makes older events needless. */
static void subscribe(struct stream *s)
{
	struct buf query;

	end_request(s);
	stream_lines_reset(&s->lines, s->o.line_max);
	s->refused = false;
	s->retry_after = -1;
	s->subscriptions++;
	buf_init(&query, SIZE_MAX);
	add_parameter(&query, "namespace", s->ns);
	for (char **topic = s->topics; *topic; topic++)
		add_parameter(&query, "topic", *topic);
	add_parameter(&query, "index", "9223372036854775807");
	s->request = api_send(s->api,
		&(struct api_call){
			.method = "GET",
			.path = "/v1/event/stream",
			.query = buf_text(&query),
			.idle_timeout = s->o.idle,
			.stream = true,
		},
		on_data, on_end, s);
	buf_free(&query);
	set_timer(s, s->o.first_frame);
}

static void begin(struct stream *s)
{
	s->failures = 0;
	subscribe(s);
}

static void go_live(struct stream *s)
{
	bool all = strcmp(s->ns, "*") == 0;

	uv_timer_stop(&s->timer);
	s->denied = false;
	s->live_since = uv_now(s->loop);
	s->silences = 0;
	free(s->logged);
	s->logged = NULL;
	s->told = true;
	s->told_live = true;
	log_printf(s->log, LOG_INFO, "Connected to the event stream of %s%s%s", api_address(s->api),
		all ? "" : ", namespace ", all ? "" : s->ns);
	s->cb.connected(++s->epoch, true, s->user);
}

/* A token that may read some namespaces only is answered lists of all, and silence. */
static unsigned silences_max(const struct stream *s)
{
	return strcmp(s->ns, "*") == 0 && api_has_token(s->api) ? 1 : SILENCES_MAX;
}

static void on_probed(const struct api_result *failure, void *user)
{
	struct stream *s = user;

	s->probe = NULL;
	if (failure) {
		s->silences = 0;
		s->denied = strcmp(failure->code, "denied") == 0;
		s->retry_after = failure->http.retry_after;
		set_reason(s, xasprintf("%s%s", s->refused ? "" : "the subscription stays silent; ",
				      failure->message));
		step(s, EVENT_END);
		return;
	}
	if (!s->refused) {
		set_reason(s, stream_reason_silence(api_address(s->api), s->ns));
		s->silences++;
	}
	s->rights = true;
	step(s, s->refused || s->silences >= silences_max(s) ? EVENT_NO_STREAM : EVENT_END);
}

static void probe(struct stream *s)
{
	double timeout = s->o.first_frame < probe_timeout ? s->o.first_frame : probe_timeout;

	end_request(s);
	s->probe = stream_probe_new(s->api, s->ns, timeout, on_probed, s);
}

static void probe_refusal(struct stream *s)
{
	s->refused = true;
	probe(s);
}

static void wait_and_retry(struct stream *s)
{
	double delay = stream_backoff(s->failures++, s->o.backoff_base, s->o.backoff_max);

	end_request(s);
	if (s->retry_after > delay)
		delay = s->retry_after < RETRY_AFTER_MAX ? s->retry_after : RETRY_AFTER_MAX;
	log_reason(s, "trying again");
	set_timer(s, delay);
	if (s->told) {
		s->told = false;
		s->cb.lost(s->reason, s->user);
	} else if (s->cb.failed) {
		s->cb.failed(s->reason, s->user);
	}
}

static void end_live(struct stream *s)
{
	if (uv_now(s->loop) - s->live_since >= (uint64_t)(s->o.live_reset * 1000))
		s->failures = 0;
	wait_and_retry(s);
}

static void poll_lists(struct stream *s)
{
	bool new = !s->told || s->told_live;

	end_request(s);
	s->denied = false; /* the probe's lists were answered, or it was not asked for a right */
	log_reason(s, "listing instead, and trying it again from time to time");
	set_timer(s, s->o.poll_retry);
	s->told = true;
	s->told_live = false;
	if (new)
		s->cb.connected(++s->epoch, false, s->user);
}

/* ---- the machine ---- */

/* What is not here does nothing: a frame while LIVE, say. `enter` runs after the state has
 * changed, and its last act may be a callback. */
static const struct transition {
	enum stream_state from;
	enum event event;
	enum stream_state to;
	void (*enter)(struct stream *s);
} transitions[] = {
	/* clang-format off */
	{STREAM_IDLE,        EVENT_START,     STREAM_SUBSCRIBING, begin},

	{STREAM_SUBSCRIBING, EVENT_FRAME,     STREAM_LIVE,        go_live},
	{STREAM_SUBSCRIBING, EVENT_SILENT,    STREAM_PROBING,     probe},
	{STREAM_SUBSCRIBING, EVENT_REFUSED,   STREAM_PROBING,     probe_refusal},
	{STREAM_SUBSCRIBING, EVENT_END,       STREAM_WAITING,     wait_and_retry},
	{STREAM_SUBSCRIBING, EVENT_NO_STREAM, STREAM_POLLING,     poll_lists},

	{STREAM_PROBING,     EVENT_END,       STREAM_WAITING,     wait_and_retry},
	{STREAM_PROBING,     EVENT_NO_STREAM, STREAM_POLLING,     poll_lists},

	{STREAM_LIVE,        EVENT_END,       STREAM_WAITING,     end_live},
	{STREAM_LIVE,        EVENT_REFUSED,   STREAM_WAITING,     end_live},
	{STREAM_LIVE,        EVENT_NO_STREAM, STREAM_WAITING,     end_live},

	{STREAM_WAITING,     EVENT_DUE,       STREAM_SUBSCRIBING, subscribe},

	{STREAM_POLLING,     EVENT_DUE,       STREAM_SUBSCRIBING, subscribe},
	/* clang-format on */
};

static void step(struct stream *s, enum event event)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		const struct transition *t = &transitions[i];

		if (t->from == s->state && t->event == event) {
			s->state = t->to;
			t->enter(s);
			return;
		}
	}
}

/* ---- the interface ---- */

struct stream *stream_new(uv_loop_t *loop, struct api *api, struct log *log,
	const struct stream_options *o, const struct stream_callbacks *cb, void *user)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->api = api;
	s->log = log;
	s->cb = *cb;
	s->user = user;
	s->reason = xstrdup("");
	stream_lines_init(&s->lines, cb->line, user);
	take_options(s, o);
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	uv_idle_init(loop, &s->settle);
	s->settle.data = s;
	stream_pace_init(&s->pace, loop);
	s->open_handles = 3;
	return s;
}

void stream_start(struct stream *s)
{
	if (s->state == STREAM_IDLE)
		step(s, EVENT_START);
}

void stream_status(const struct stream *s, struct stream_status *out)
{
	*out = (struct stream_status){
		.state = s->state,
		.epoch = s->epoch,
		.lines = s->lines.count,
		.bytes = s->lines.bytes,
		.reconnects = s->subscriptions > 0 ? s->subscriptions - 1 : 0,
		.last_index = s->lines.last_index,
		.last_frame =
			s->last_frame > 0 ? (double)(uv_now(s->loop) - s->last_frame) / 1000 : -1,
		.local_port = s->request ? api_local_port(s->request) : 0,
		.rights = s->state == STREAM_POLLING && s->rights,
		.reason = s->reason,
		.connected = s->state == STREAM_LIVE || (s->told && !s->told_live),
		.denied = s->denied,
	};
}

const char *stream_state_name(enum stream_state state)
{
	static const char *const names[] = {
		[STREAM_IDLE] = "idle",
		[STREAM_SUBSCRIBING] = "subscribing",
		[STREAM_PROBING] = "probing",
		[STREAM_LIVE] = "live",
		[STREAM_WAITING] = "waiting",
		[STREAM_POLLING] = "polling",
	};

	return names[state];
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	if (--s->open_handles > 0)
		return;
	stream_lines_free(&s->lines);
	forget_options(s);
	free(s->reason);
	free(s->logged);
	free(s);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	s->closing = true;
	end_request(s);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->settle, on_closed);
	s->pace.timer.data = s;
	uv_close((uv_handle_t *)&s->pace.timer, on_closed);
}
