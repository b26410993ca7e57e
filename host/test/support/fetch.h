/* fetch: requests of http to a scripted server, and what each of them got. */
#ifndef FETCH_H
#define FETCH_H

#include "buf.h"
#include "http.h"
#include "server.h"

/* An answer's text with this body. */
#define FETCH_OK(body_len, body) "HTTP/1.1 200 OK\r\nContent-Length: " body_len "\r\n\r\n" body

struct fetch_fixture {
	uv_loop_t *loop;
	struct http *http;
	struct server *server;
};

struct fetch {
	struct fetch_fixture *f;
	struct http_request *request;
	struct buf body;
	struct http_result result;
	unsigned done;
	unsigned pieces;
	size_t stop_at;	  /* the data callback returns false from this many bytes on; 0: never */
	bool pause;	  /* pause at the first bytes */
	bool inside_send; /* http_send has not returned */
	int port;
	struct fetch *then;   /* sent when this one is done */
	struct fetch *victim; /* cancelled when this one is done */
	bool free_http;	      /* http_free when this one is done */
};

/* For cmocka_unit_test_setup_teardown; *state is the fixture. */
int fetch_setup(void **state);
int fetch_teardown(void **state);

/* o->url NULL: the server's address and path. */
void fetch_send(struct fetch *g, struct http_options *o, const char *path);
void fetch_send_get(struct fetch *g, const char *path);
/* Waits for the end. */
void fetch_finish(struct fetch *g);
/* The server answers any request so; one GET, to its end. */
void fetch_get(struct fetch_fixture *f, struct fetch *g, struct server_reply reply);
/* Both free the body. */
void fetch_assert_body(struct fetch *g, const char *text);
void fetch_assert_failure(struct fetch *g, enum http_error error);

#endif
