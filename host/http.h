/* http: HTTP requests on the libuv loop, by libcurl's multi interface; with its parts http_loop,
 * http_easy and http_answer the only place that knows curl.
 *
 * One struct http is one connection pool. A request lives from http_send until its done callback
 * has returned, or until http_cancel; after either the pointer is dead. Strings in http_options
 * are copied.
 *
 * http_data_cb runs inside libcurl: it may only take the bytes (and call http_pause).
 * http_done_cb runs after libcurl has returned, never inside http_send: it may send and cancel
 * others.
 *
 * The process has to ignore SIGPIPE: a TLS connection may be written to after the server has
 * closed it. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "mem.h"

struct http;
struct http_request;

struct http_tls {
	const char *ca_cert, *ca_path, *client_cert, *client_key, *server_name; /* NULL: default */
	bool skip_verify;
};

enum http_error {
	HTTP_OK,      /* an answer was read to its end, whatever its status */
	HTTP_DNS,     /* the host name has no address */
	HTTP_REFUSED, /* nothing listens there, or no route, or the unix socket is missing */
	HTTP_TLS, /* the handshake failed: a plain port, no common version, no client certificate */
	HTTP_CERT,	/* the server's certificate is not trusted, or is another name's */
	HTTP_CERT_FILE, /* a certificate or key file of ours cannot be used */
	HTTP_TIMEOUT,	/* connect or total time is over */
	HTTP_IDLE,	/* no byte for idle_timeout seconds */
	HTTP_CUT,	/* the connection ended in the middle (EOF, RST) */
	HTTP_VERSION,	/* "HTTP/0.0": Nomad 1.11.2's event stream */
	HTTP_NOT_HTTP,	/* what answers does not speak HTTP */
	HTTP_TOO_LARGE, /* the body passed body_max */
	HTTP_REJECTED,	/* the data callback returned false */
	HTTP_INTERNAL	/* anything else; detail says what */
};

struct http_options {
	const char *method; /* "GET" … */
	const char *url;
	const char *unix_socket; /* NULL: TCP */
	/* "Name: value", NULL terminated; NULL: none. CR, LF are the caller's to refuse. */
	const char *const *headers;
	const char *basic_auth; /* user:password or NULL */
	const void *body;
	size_t body_len;
	double connect_timeout; /* seconds; 0: 30 */
	double total_timeout;	/* seconds; 0: none (the stream) */
	double idle_timeout;	/* seconds without a header line or a byte of the body; 0: none */
	bool fresh_connection;	/* do not take one from the pool, nor give it back: the stream */
};

struct http_result {
	enum http_error error;
	char detail[256];     /* libcurl's words, for the log; "" when HTTP_OK */
	long status;	      /* 0: no answer line came */
	uint64_t nomad_index; /* X-Nomad-Index, 0: none */
	double retry_after;   /* seconds; < 0: no such header */
	char content_type[64];
	uint64_t received; /* body bytes */
};

/* false: stop, the request ends with HTTP_REJECTED. */
typedef bool http_data_cb(struct http_request *r, const char *data, size_t len, void *user);
typedef void http_done_cb(struct http_request *r, const struct http_result *result, void *user);

struct http *http_new(uv_loop_t *loop, const struct http_tls *tls);
/* Cancels what is under way (no callbacks), closes every handle; the loop has to run until they
 * are closed. */
void http_free(struct http *h);
/* New certificates for connections opened from now on. */
void http_set_tls(struct http *h, const struct http_tls *tls);

struct http_request *http_send(struct http *h, const struct http_options *o, http_data_cb *data,
	http_done_cb *done, void *user);
void http_cancel(struct http_request *r);
/* Stops reading from the socket until http_resume; for backpressure. */
void http_pause(struct http_request *r);
void http_resume(struct http_request *r);
/* The status of the answer whose body is being delivered. */
long http_status(const struct http_request *r);
/* Its Content-Type and X-Nomad-Index: "" and 0 where the answer has none. */
const char *http_content_type(const struct http_request *r);
uint64_t http_nomad_index(const struct http_request *r);
/* The local TCP port of the connection in use, 0: none yet. Shown in status, so that a reconnect
 * can be seen. */
int http_local_port(const struct http_request *r);

#endif
