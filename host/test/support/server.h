/* server: a scripted HTTP server on the test's own loop: fixed bytes, in chosen pieces, with a
 * chosen end.
 *
 * Each path has a queue of replies; the last one stays. A request for a path without replies
 * fails the test. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct server;

enum server_end {
	SERVER_KEEP, /* wait for the next request */
	SERVER_CLOSE,
	SERVER_RESET, /* RST */
	SERVER_HOLD   /* stay open; server_push sends more */
};

struct server_reply {
	const char *bytes; /* NULL: none */
	size_t len;	   /* 0: strlen(bytes) */
	size_t piece;	   /* bytes in one write; 0: all at once */
	unsigned pace;	   /* milliseconds between writes; 0: 1 */
	enum server_end end;
};

struct server *server_new(uv_loop_t *loop);
/* On a unix socket. */
struct server *server_new_unix(uv_loop_t *loop, const char *path);
/* "http://127.0.0.1:12345"; dies with the server. */
const char *server_address(const struct server *s);
/* path "": whatever is asked. The bytes have to outlive the server. */
void server_reply(struct server *s, const char *path, struct server_reply reply);
/* Sends these bytes to whoever connects, before anything is read. */
void server_greet(struct server *s, struct server_reply reply);

unsigned server_connections(const struct server *s); /* since the start */
unsigned server_requests(const struct server *s, const char *path);
/* The newest request whole, head and body; "" before the first. */
const char *server_last(const struct server *s);
/* To the connections that are held: more bytes; an end. */
void server_push(struct server *s, const char *bytes);
void server_drop(struct server *s, enum server_end end);
/* Closes all; the loop has to run until it has happened. */
void server_free(struct server *s);

#endif
