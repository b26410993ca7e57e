/* http_loop: libcurl's multi interface driven by a libuv loop: its sockets and its one timeout. */
#include "http_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "mem.h"

/* Where the rest of the loop (Lua) takes its time, more comes meanwhile than one buffer holds. Each socket may then be
 * read for a share of that time before the rest goes on, so that the reader keeps up with a fast sender. The time that
 * the loop slept does not count: then Lua has nothing to do, and one buffer after the other is soon enough. */
#define SHARE 6		     /* of the time from one read to the end of the loop's turn: 1 / 6 */
#define SHARE_MAX 100000000U /* ns */

struct http_loop {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	uv_prepare_t prepare;
	uint64_t turned; /* ns: when the last turn of the loop was over */
	unsigned open;	 /* handles that are not closed yet */
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
	int events;    /* what libcurl waits for */
	uint64_t left; /* ns: when it was read last */
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

/* A socket that is closed meanwhile lives until its close callback. */
static bool more_waits(const struct socket *s)
{
	int waiting = 0;

	return uv_is_active((const uv_handle_t *)&s->poll) && (s->events & UV_READABLE) &&
	       ioctl(s->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;
	uint64_t share, deadline;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	share = s->owner->turned > s->left ? (s->owner->turned - s->left) / SHARE : 0;
	deadline = uv_hrtime() + (share < SHARE_MAX ? share : SHARE_MAX);
	do {
		act(s->owner, s->fd, flags);
		flags = CURL_CSELECT_IN;
	} while (more_waits(s) && uv_hrtime() < deadline);
	s->left = uv_hrtime();
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
	s->left = uv_hrtime();
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
	s->events = events;
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

static void on_prepare(uv_prepare_t *prepare)
{
	struct http_loop *l = prepare->data;

	l->turned = uv_hrtime();
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
	uv_prepare_init(loop, &l->prepare);
	l->prepare.data = l;
	uv_prepare_start(&l->prepare, on_prepare);
	uv_unref((uv_handle_t *)&l->prepare);
	l->open = 2;
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

	if (--l->open > 0)
		return;
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
	uv_close((uv_handle_t *)&l->prepare, on_closed);
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
