/* http_loop: libcurl's multi interface driven by a libuv loop: its sockets and its one timeout.
 *
 * libcurl's messages are read after every action, the last transfer's too: no further event
 * would follow it. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

struct http_loop;

/* A transfer has ended; the handle is still in the multi. Outside libcurl. */
typedef void http_loop_ended_cb(CURL *easy, CURLcode code, void *user);
/* All messages of an action were read. Outside libcurl. */
typedef void http_loop_settled_cb(void *user);
typedef void http_loop_closed_cb(void *user);

struct http_loop *http_loop_new(uv_loop_t *loop, long connections_max, http_loop_ended_cb *ended,
	http_loop_settled_cb *settled, void *user);
/* Every easy handle has left before. closed is called when the loop has let go of it. */
void http_loop_free(struct http_loop *l, http_loop_closed_cb *closed);

CURLMcode http_loop_add(struct http_loop *l, CURL *easy);
void http_loop_remove(struct http_loop *l, CURL *easy);
/* CURLPAUSE_CONT gives what was held back to the write callback at once. */
CURLcode http_loop_pause(struct http_loop *l, CURL *easy, int mask);

#endif
