/* http_loop: libcurl's multi interface driven by a libuv loop: its sockets and its one timeout. */
#include "http_loop.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"

struct http_loop {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	http_loop_ended_cb *ended;
	http_loop_settled_cb *settled;
	http_loop_closed_cb *closed;
	void *user;
	bool inside; /* libcurl is on the stack */
	bool closing;
};

/* One socket of libcurl's; freed in its close callback. */
struct socket {
	uv_poll_t poll;
	struct http_loop *owner;
	curl_socket_t fd;
};

static void collect(struct http_loop *l)
{
	for (;;) {
		int left;
		CURLMsg *message = curl_multi_info_read(l->multi, &left);

		if (!message)
			return;
		if (message->msg == CURLMSG_DONE)
			l->ended(message->easy_handle, message->data.result, l->user);
	}
}

static void act(struct http_loop *l, curl_socket_t fd, int events)
{
	int running;

	l->inside = true;
	curl_multi_socket_action(l->multi, fd, events, &running);
	l->inside = false;
	collect(l);
	l->settled(l->user);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	act(s->owner, s->fd, flags);
}

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct socket *watch(struct http_loop *l, curl_socket_t fd)
{
	struct socket *s = xcalloc(1, sizeof(*s));

	if (uv_poll_init_socket(l->loop, &s->poll, fd) != 0) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	s->owner = l;
	s->fd = fd;
	curl_multi_assign(l->multi, fd, s);
	return s;
}

/* Returns 0 even where the loop cannot watch the socket: -1 would break every transfer for good,
 * so only this one ends, at its deadline. */
static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *user, void *socket)
{
	struct socket *s = socket;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s) {
			uv_poll_stop(&s->poll);
			uv_close((uv_handle_t *)&s->poll, on_socket_closed);
		}
		return 0;
	}
	if (!s)
		s = watch(user, fd);
	if (!s)
		return 0;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	(void)uv_poll_start(&s->poll, events, on_poll);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *multi, long ms, void *user)
{
	struct http_loop *l = user;

	(void)multi;
	if (l->closing || ms < 0)
		uv_timer_stop(&l->timer);
	else
		uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

struct http_loop *http_loop_new(uv_loop_t *loop, long connections_max, http_loop_ended_cb *ended,
	http_loop_settled_cb *settled, void *user)
{
	struct http_loop *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->ended = ended;
	l->settled = settled;
	l->user = user;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	l->multi = curl_multi_init();
	if (!l->multi)
		abort();
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, (void *)l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, (void *)l);
	curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, connections_max);
	curl_multi_setopt(l->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
	return l;
}

static void on_closed(uv_handle_t *handle)
{
	struct http_loop *l = handle->data;
	http_loop_closed_cb *closed = l->closed;
	void *user = l->user;

	free(l);
	curl_global_cleanup();
	closed(user);
}

void http_loop_free(struct http_loop *l, http_loop_closed_cb *closed)
{
	assert(!l->inside);
	l->closing = true;
	l->closed = closed;
	l->inside = true;
	curl_multi_cleanup(l->multi);
	l->inside = false;
	uv_close((uv_handle_t *)&l->timer, on_closed);
}

CURLMcode http_loop_add(struct http_loop *l, CURL *easy)
{
	return curl_multi_add_handle(l->multi, easy);
}

void http_loop_remove(struct http_loop *l, CURL *easy)
{
	assert(!l->inside); /* from a data callback: return false there instead */
	l->inside = true;
	curl_multi_remove_handle(l->multi, easy);
	l->inside = false;
}

CURLcode http_loop_pause(struct http_loop *l, CURL *easy, int mask)
{
	bool before = l->inside;
	CURLcode code;

	l->inside = true;
	code = curl_easy_pause(easy, mask);
	l->inside = before;
	return code;
}
