/* api: Nomad's HTTP API as requests: address, token, region, and the one gate for -dry-run. */
#include "api.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api_count.h"
#include "api_explain.h"
#include "api_route.h"

enum {
	TEXT_MAX = 64 * 1024, /* bytes of an error's text; the rest is not read */
	BODY_MAX = 64 * 1024 * 1024,
	SECRET_SHORTEST = 8, /* what is shorter cannot be told from ordinary words */
	HEADERS_MAX = 4
};
static const double connect_timeout = 10, total_timeout = 60;

enum body_kind { BODY_UNKNOWN, BODY_FOR_CALLER, BODY_COLLECTED, BODY_TEXT };

/* Why a request never left; these wait for the loop's next turn to be told. */
enum unsent { UNSENT_NOT, UNSENT_DRY_RUN, UNSENT_MISTAKE };

struct api_request {
	struct api *api;
	TAILQ_ENTRY(api_request) entry; /* in api->requests or api->unsent, until it has ended */
	struct http_request *http;	/* NULL: unsent, or ended */
	bool ended;
	enum unsent unsent;
	const char *mistake;
	char *method, *path, *query, *address;
	struct api_asked asked;
	struct buf body;
	enum body_kind kind;
	bool too_large;
	api_data_cb *data;
	api_done_cb *done;
	void *user;
};

TAILQ_HEAD(request_list, api_request);

struct api {
	struct http *http;
	struct log *log;
	uv_idle_t later;
	struct request_list requests, unsent;
	char *address;	   /* scheme://host:port */
	char *shown;	   /* for messages */
	char *unix_socket; /* or NULL */
	char *http_auth, *token, *token_header;
	char *region; /* "region=eu" or NULL */
	bool dry_run;
	bool closing;
	uint64_t sent, refused;
	struct buf url; /* of the request that is being sent */
	struct api_count answers;
};

/* ---- configuration ---- */

static char *copy(const char *text)
{
	return text && text[0] ? xstrdup(text) : NULL;
}

static void forget_config(struct api *a)
{
	free(a->address);
	free(a->shown);
	free(a->unix_socket);
	free(a->http_auth);
	free(a->token);
	free(a->region);
	free(a->token_header);
}

static char *region_parameter(const char *region)
{
	struct buf b;

	if (!region || !region[0])
		return NULL;
	buf_init(&b, SIZE_MAX);
	if (!buf_addf(&b, "region=") || !api_escape(&b, region, strlen(region)))
		abort();
	buf_text(&b);
	return b.data;
}

static void take_config(struct api *a, const struct config *c)
{
	a->address = xstrdup(c->address);
	a->shown = c->unix_socket ? xasprintf("unix://%s", c->unix_socket) : xstrdup(c->address);
	a->unix_socket = copy(c->unix_socket);
	a->http_auth = copy(c->http_auth);
	a->token = copy(c->token);
	a->region = region_parameter(c->region);
	a->token_header = a->token ? xasprintf("X-Nomad-Token: %s", a->token) : NULL;
	a->dry_run = c->dry_run;
	log_secret(a->log, a->token);
	log_secret(a->log, a->http_auth);
}

static struct http_tls tls_of(const struct config *c)
{
	return (struct http_tls){
		.ca_cert = c->ca_cert,
		.ca_path = c->ca_path,
		.client_cert = c->client_cert,
		.client_key = c->client_key,
		.server_name = c->tls_server_name,
		.skip_verify = c->tls_skip_verify,
	};
}

struct api *api_new(uv_loop_t *loop, const struct config *config, struct log *log)
{
	struct api *a = xcalloc(1, sizeof(*a));
	struct http_tls tls = tls_of(config);

	a->log = log;
	a->http = http_new(loop, &tls);
	uv_idle_init(loop, &a->later);
	a->later.data = a;
	TAILQ_INIT(&a->requests);
	TAILQ_INIT(&a->unsent);
	buf_init(&a->url, SIZE_MAX);
	take_config(a, config);
	return a;
}

void api_reload(struct api *a, const struct config *config)
{
	struct http_tls tls = tls_of(config);

	forget_config(a);
	take_config(a, config);
	http_set_tls(a->http, &tls);
}

static void free_request(struct api_request *r)
{
	buf_free(&r->body);
	free(r->method);
	free(r->path);
	free(r->query);
	free(r->address);
	free(r);
}

static void on_closed(uv_handle_t *handle)
{
	struct api *a = handle->data;

	forget_config(a);
	api_count_clear(&a->answers);
	buf_free(&a->url);
	free(a);
}

void api_free(struct api *a)
{
	if (!a)
		return;
	a->closing = true;
	while (!TAILQ_EMPTY(&a->requests))
		api_cancel(TAILQ_FIRST(&a->requests));
	while (!TAILQ_EMPTY(&a->unsent))
		api_cancel(TAILQ_FIRST(&a->unsent));
	http_free(a->http);
	uv_close((uv_handle_t *)&a->later, on_closed);
}

/* ---- the answer ---- */

/* Overwrites each occurrence: a server, or what stands before it, may repeat what it was sent. */
static void hide(char *text, size_t len, const char *secret)
{
	size_t n = secret ? strlen(secret) : 0;
	char *p = text;

	if (n < SECRET_SHORTEST)
		return;
	while (len >= n) {
		if (memcmp(p, secret, n) == 0)
			memset(p, '*', n);
		p++;
		len--;
	}
}

static bool on_data(struct http_request *http, const char *data, size_t len, void *user)
{
	struct api_request *r = user;
	long status = http_status(http);

	if (r->kind == BODY_UNKNOWN) {
		if (status < 200 || status > 299 || api_is_html(http_content_type(http))) {
			r->kind = BODY_TEXT;
			r->body.max = TEXT_MAX;
		} else {
			r->kind = r->data ? BODY_FOR_CALLER : BODY_COLLECTED;
		}
	}
	if (r->kind == BODY_FOR_CALLER)
		return r->data(r, data, len, r->user);
	if (r->kind == BODY_TEXT && len > TEXT_MAX - r->body.len)
		len = TEXT_MAX - r->body.len;
	if (len == 0)
		return false;
	r->too_large = !buf_add(&r->body, data, len);
	return !r->too_large;
}

static bool is_ok(const struct http_result *http)
{
	return http->error == HTTP_OK && http->status >= 200 && http->status <= 299 &&
	       !api_is_html(http->content_type);
}

/* A limit of ours ends a request as if the reader had refused it; here that gets its own name. */
static void settle_limits(const struct api_request *r, struct http_result *http)
{
	if (http->error != HTTP_REJECTED)
		return;
	if (r->too_large)
		http->error = HTTP_TOO_LARGE;
	else if (r->kind == BODY_TEXT)
		http->error = HTTP_OK;
}

static void log_answer(const struct api_request *r, const struct api_result *result)
{
	if (result->error != API_OK)
		log_printf(r->api->log, LOG_DEBUG, "%s%s%s", result->message,
			result->http.detail[0] ? " / " : "", result->http.detail);
	else
		log_printf(r->api->log, LOG_DEBUG, "%s %s%s%s: %ld, %" PRIu64 " bytes", r->method,
			r->path, r->query ? "?" : "", r->query ? r->query : "", result->http.status,
			result->http.received);
}

static void on_done(struct http_request *http, const struct http_result *answer, void *user)
{
	struct api_request *r = user;
	struct api_result result = {.error = API_OK, .http = *answer, .code = "ok"};
	struct api_explanation e = {.message = NULL};

	(void)http;
	TAILQ_REMOVE(&r->api->requests, r, entry);
	r->http = NULL;
	r->ended = true;
	settle_limits(r, &result.http);
	if (!is_ok(&result.http)) {
		result.error = result.http.error == HTTP_OK ? API_STATUS : API_TRANSPORT;
		if (r->body.len > 0) {
			hide(r->body.data, r->body.len, r->api->token);
			hide(r->body.data, r->body.len, r->api->http_auth);
		}
		e = api_explain(&r->asked, &result.http, buf_text(&r->body));
		result.code = e.code;
		result.message = e.message;
		result.retryable = e.retryable;
	}
	result.body = buf_text(&r->body);
	result.body_len = r->body.len;
	if (log_enabled(r->api->log, LOG_DEBUG))
		log_answer(r, &result);
	api_count_answer(&r->api->answers, r->method, &result.http, result.code);
	r->done(r, &result, r->user);
	free(e.message);
	free_request(r);
}

/* ---- what is not sent ---- */

static void tell_unsent(struct api_request *r)
{
	bool dry = r->unsent == UNSENT_DRY_RUN;
	struct api_result result = {
		.error = dry ? API_DRY_RUN : API_TRANSPORT,
		.http = {.error = HTTP_INTERNAL, .retry_after = -1},
		.body = "",
		.code = dry ? "dry_run" : "internal",
	};
	char *text = xasprintf("%s %.160s: not sent: %s", r->method, r->path,
		dry ? "-dry-run lets only reads out" : r->mistake);
	char *message = log_escape(text, strlen(text));

	result.message = message;
	r->done(r, &result, r->user);
	free(message);
	free(text);
	free_request(r);
}

/* One in each turn, so that a caller who always tries again does not hold up the loop. */
static void on_later(uv_idle_t *later)
{
	struct api *a = later->data;
	struct api_request *r = TAILQ_FIRST(&a->unsent);

	if (!r) {
		uv_idle_stop(later); /* the last one was cancelled, or told */
		return;
	}
	TAILQ_REMOVE(&a->unsent, r, entry);
	r->ended = true;
	tell_unsent(r);
}

/* NULL: none. */
static const char *mistake_in(const struct api *a, const struct api_call *call)
{
	if (call->method[0] == '\0' ||
		strspn(call->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(call->method))
		return "that is no HTTP method";
	if (call->path[0] != '/' || !api_route_is_plain(call->path, "?#"))
		return "the path has to begin with / and to be percent-encoded";
	if ((call->query && !api_route_is_plain(call->query, "#")))
		return "the query has to be percent-encoded";
	if (a->token && !api_route_is_plain(a->token, ""))
		return "the token holds a space or a control character; check -token, NOMAD_TOKEN "
		       "or "
		       "-token-file";
	return NULL;
}

/* ---- sending ---- */

static bool names_region(const char *query)
{
	return strncmp(query, "region=", 7) == 0 || strstr(query, "&region=");
}

static void add(struct buf *b, const char *text)
{
	if (!buf_add(b, text, strlen(text)))
		abort();
}

/* Until the next request is sent. */
static const char *url_of(struct api *a, const struct api_call *call)
{
	const char *query = call->query ? call->query : "";
	bool region = a->region && !names_region(query);

	buf_clear(&a->url);
	add(&a->url, a->address);
	add(&a->url, call->path);
	add(&a->url, query[0] || region ? "?" : "");
	add(&a->url, query);
	add(&a->url, query[0] && region ? "&" : "");
	add(&a->url, region ? a->region : "");
	return buf_text(&a->url);
}

static void send_now(struct api_request *r, const struct api_call *call)
{
	struct api *a = r->api;
	const char *headers[HEADERS_MAX];
	struct http_options o = {
		.method = call->method,
		.unix_socket = a->unix_socket,
		.headers = headers,
		.basic_auth = a->http_auth,
		.body = call->body,
		.body_len = call->body_len,
		.connect_timeout = r->asked.connect,
		.total_timeout = r->asked.total,
		.idle_timeout = r->asked.idle,
		.fresh_connection = call->stream,
	};
	size_t n = 0;

	o.url = url_of(a, call);
	headers[n++] = "User-Agent: nomad-operator";
	if (a->token_header)
		headers[n++] = a->token_header;
	if (call->body)
		headers[n++] = "Content-Type: application/json";
	headers[n] = NULL;
	r->http = http_send(a->http, &o, on_data, on_done, r);
}

struct api_request *api_send(struct api *a, const struct api_call *call, api_data_cb *data,
	api_done_cb *done, void *user)
{
	struct api_request *r = xcalloc(1, sizeof(*r));

	assert(!a->closing);
	r->api = a;
	r->data = data;
	r->done = done;
	r->user = user;
	r->method = xstrdup(call->method);
	r->path = xstrdup(call->path);
	r->query = copy(call->query);
	r->address = xstrdup(a->shown);
	r->asked = (struct api_asked){
		.method = r->method,
		.path = r->path,
		.query = r->query,
		.address = r->address,
		.token = a->token != NULL,
		.connect = connect_timeout,
		.total = call->stream	     ? 0
			 : call->timeout > 0 ? call->timeout
					     : total_timeout,
		.idle = call->idle_timeout,
		.body_max = call->body_max > 0 ? call->body_max : BODY_MAX,
	};
	buf_init(&r->body, r->asked.body_max);
	r->mistake = mistake_in(a, call);
	if (r->mistake)
		r->unsent = UNSENT_MISTAKE;
	else if (a->dry_run && !api_is_read(call->method, call->path))
		r->unsent = UNSENT_DRY_RUN;
	if (r->unsent != UNSENT_NOT) {
		a->refused += r->unsent == UNSENT_DRY_RUN;
		TAILQ_INSERT_TAIL(&a->unsent, r, entry);
		uv_idle_start(&a->later, on_later);
		return r;
	}
	a->sent++;
	TAILQ_INSERT_TAIL(&a->requests, r, entry);
	send_now(r, call);
	return r;
}

void api_cancel(struct api_request *r)
{
	if (r->ended)
		return; /* it dies when its callback returns */
	if (r->unsent != UNSENT_NOT) {
		TAILQ_REMOVE(&r->api->unsent, r, entry);
	} else {
		TAILQ_REMOVE(&r->api->requests, r, entry);
		http_cancel(r->http);
	}
	free_request(r);
}

void api_pause(struct api_request *r)
{
	if (r->http)
		http_pause(r->http);
}

void api_resume(struct api_request *r)
{
	if (r->http)
		http_resume(r->http);
}

int api_local_port(const struct api_request *r)
{
	return r->http ? http_local_port(r->http) : 0;
}

uint64_t api_nomad_index(const struct api_request *r)
{
	return r->http ? http_nomad_index(r->http) : 0;
}

const char *api_address(const struct api *a)
{
	return a->shown;
}

void api_count_in(struct api *a, struct metrics *m)
{
	a->answers.metrics = m;
}

bool api_has_token(const struct api *a)
{
	return a->token != NULL;
}

void api_counts(const struct api *a, uint64_t *sent, uint64_t *refused)
{
	*sent = a->sent;
	*refused = a->refused;
}
