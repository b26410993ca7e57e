/* http: connections of the synthetic Nomad: requests in, answers out, one thread, epoll. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"
#include "bytes.h"

struct http;
struct http_conn;

struct http_request {
	struct span method, path, query, body; /* the path is not decoded */
};

struct http_hooks {
	void (*request)(void *user, struct http_conn *c, const struct http_request *r);
	void (*drained)(void *user, struct http_conn *c); /* of a stream: all is with the kernel */
	void (*closed)(void *user, struct http_conn *c);  /* of a stream */
	uint64_t (*tick)(void *user, uint64_t now);	  /* returns when to be called again */
	bool (*signal)(void *user, int number);		  /* false: end */
};

/* Listens on a free port of 127.0.0.1, which is left in `port`. Ends the process where it cannot. */
struct http *http_new(const struct http_hooks *hooks, void *user, int *port);
void http_run(struct http *h);
void http_free(struct http *h);

/* An answer, sent `after` nanoseconds from now. One for each request; a stream has none. */
void http_answer(struct http_conn *c, int status, uint64_t index, struct span body, uint64_t after);

/* The connection becomes a stream: what is added to http_out goes out at the next http_flush. */
void http_begin_stream(struct http_conn *c);
struct bytes *http_out(struct http_conn *c);
void http_flush(struct http_conn *c);

/* The value of ?name= in a query, as it stands there. */
struct span http_query(struct span query, const char *name);

#endif
