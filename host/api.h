/* api: Nomad's HTTP API as requests: address, token, region, and the one gate for -dry-run.
 *
 * Every request of the program leaves through api_send. The token is added here and is known
 * nowhere else. */
#ifndef API_H
#define API_H

#include "buf.h"
#include "config.h"
#include "http.h"
#include "log.h"
#include "metrics.h"

struct api;
struct api_request;

struct api_call {
	const char *method;
	const char *path;  /* "/v1/job/a%2Fb", already percent-encoded */
	const char *query; /* "namespace=default&index=5", already encoded; NULL: none */
	const void *body;
	size_t body_len;
	double timeout;	     /* seconds in all; 0: 60 */
	double idle_timeout; /* seconds; 0: none */
	bool stream;	     /* no total timeout, a connection of its own */
	size_t body_max;     /* bytes; 0: 64 MiB. For calls without a data callback */
};

enum api_error {
	API_OK,	       /* 2xx */
	API_STATUS,    /* another status; message is the server's text */
	API_TRANSPORT, /* http.error says what */
	API_DRY_RUN    /* the gate refused it: nothing was sent */
};

/* code: ok dns refused tls timeout idle cut version not_http too_large rejected internal denied
 * not_found conflict frozen rate_limited not_nomad server http dry_run; frozen: the scheduler
 * configuration refuses all registrations for now (403). */
struct api_result {
	enum api_error error;
	struct http_result http;
	/* Without a data callback the whole body; with one the text of a non-2xx answer. */
	const char *body;
	size_t body_len;
	const char *code;
	/* One sentence for a person: the request, what was wrong, what to do; NULL when API_OK. */
	const char *message;
	bool retryable; /* the same request can succeed later without anybody's doing here */
};

/* Everything in the result dies when the callback returns. Same rules as http's callbacks. */
typedef void api_done_cb(struct api_request *r, const struct api_result *result, void *user);
typedef bool api_data_cb(struct api_request *r, const char *data, size_t len, void *user);

/* Tells the log the token and the password, so that it hides them. */
struct api *api_new(uv_loop_t *loop, const struct config *config, struct log *log);
/* Cancels what is under way (no callbacks); the loop has to run until the handles are closed. */
void api_free(struct api *a);
/* Token, certificates and address again from the configuration (after config_read_token at
 * SIGHUP). */
void api_reload(struct api *a, const struct config *config);

/* A path or query with a control character or a space in it, or a path with '?' or '#', is the
 * caller's mistake: it is not sent, code "internal". data NULL: the body is collected (up to
 * body_max) for the result. Body bytes of a non-2xx answer are never given to data; they become
 * the message. */
struct api_request *api_send(struct api *a, const struct api_call *call, api_data_cb *data,
	api_done_cb *done, void *user);
void api_cancel(struct api_request *r);
void api_pause(struct api_request *r);
void api_resume(struct api_request *r);
int api_local_port(const struct api_request *r);
/* The X-Nomad-Index of the answer whose body is being delivered; 0: none. */
uint64_t api_nomad_index(const struct api_request *r);
/* Where requests go, for messages: "http://127.0.0.1:4646", "unix:///run/api.sock". Dies at
 * api_reload. */
const char *api_address(const struct api *a);
bool api_has_token(const struct api *a);
/* Requests sent and refused by the gate since the start. */
void api_counts(const struct api *a, uint64_t *sent, uint64_t *refused);
/* Counts each answer there as nomad_requests_total; m must outlive it. */
void api_count_in(struct api *a, struct metrics *m);

/* Appends text percent-encoded as one path segment or query value (A-Z a-z 0-9 - _ . ~ stay). */
bool api_escape(struct buf *out, const char *text, size_t len) WARN_UNUSED;
/* True for routes that -dry-run lets out: every GET and HEAD, but those under /v1/client that
 * Nomad acts on; POST or PUT of /v1/jobs/parse, /v1/validate/job, /v1/job/:id/plan, /v1/search,
 * /v1/search/fuzzy. */
bool api_is_read(const char *method, const char *path);

#endif
