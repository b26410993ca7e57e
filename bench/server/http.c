/* http: see http.h. */
#define _GNU_SOURCE
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "die.h"

enum { CONNS = 64, READ = 65536 };

struct http_conn {
	struct http *http;
	int fd; /* -1: free */
	struct bytes in, out;
	size_t sent;   /* of out */
	uint64_t hold; /* when out may go; 0: now */
	bool stream;
	bool last;  /* HTTP/1.0: the answer ends with its connection */
	bool waits; /* epoll says when it can be written */
};

struct http {
	struct http_hooks hooks;
	void *user;
	int epoll, listener, signals;
	struct http_conn conns[CONNS];
};

static void watch(struct http *h, int op, int fd, uint32_t events, void *data)
{
	struct epoll_event e = {.events = events, .data = {.ptr = data}};

	if (epoll_ctl(h->epoll, op, fd, &e) != 0)
		die("epoll refuses a descriptor");
}

struct http *http_new(const struct http_hooks *hooks, void *user, int *port)
{
	struct http *h = need(calloc(1, sizeof(*h)));
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	sigset_t set;
	size_t i;

	h->hooks = *hooks;
	h->user = user;
	for (i = 0; i < CONNS; i++)
		h->conns[i] = (struct http_conn){.http = h, .fd = -1};
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(h->listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
		listen(h->listener, CONNS) != 0)
		die("cannot listen on 127.0.0.1");
	getsockname(h->listener, (struct sockaddr *)&a, &len);
	*port = ntohs(a.sin_port);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	h->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	watch(h, EPOLL_CTL_ADD, h->listener, EPOLLIN, &h->listener);
	watch(h, EPOLL_CTL_ADD, h->signals, EPOLLIN, &h->signals);
	return h;
}

static void conn_close(struct http_conn *c)
{
	if (c->stream)
		c->http->hooks.closed(c->http->user, c);
	close(c->fd);
	bytes_free(&c->in);
	bytes_free(&c->out);
	*c = (struct http_conn){.http = c->http, .fd = -1};
}

void http_free(struct http *h)
{
	size_t i;

	for (i = 0; i < CONNS; i++) {
		if (h->conns[i].fd >= 0)
			conn_close(&h->conns[i]);
	}
	close(h->listener);
	close(h->signals);
	close(h->epoll);
	free(h);
}

static void accept_one(struct http *h)
{
	int one = 1, fd = accept4(h->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i;

	if (fd < 0)
		return;
	for (i = 0; i < CONNS && h->conns[i].fd >= 0; i++)
		;
	if (i == CONNS)
		die("more connections than a peer of the bench needs");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	h->conns[i].fd = fd;
	watch(h, EPOLL_CTL_ADD, fd, EPOLLIN, &h->conns[i]);
}

struct bytes *http_out(struct http_conn *c)
{
	return &c->out;
}

void http_flush(struct http_conn *c)
{
	bool waits;

	while (c->hold == 0 && c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.at + c->sent, c->out.len - c->sent, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* full, or gone: then reading says so */
		c->sent += (size_t)n;
	}
	if (c->sent == c->out.len)
		c->sent = c->out.len = 0;
	waits = c->hold == 0 && c->out.len > 0;
	if (waits != c->waits)
		watch(c->http, EPOLL_CTL_MOD, c->fd, EPOLLIN | (waits ? EPOLLOUT : 0u), c);
	c->waits = waits;
	if (c->last && c->out.len == 0)
		shutdown(c->fd, SHUT_WR);
	if (c->stream && c->out.len == 0)
		c->http->hooks.drained(c->http->user, c);
}

void http_answer(struct http_conn *c, int status, uint64_t index, struct span body, uint64_t after)
{
	char head[256];
	const char *reason = status == 200 ? "OK" : status == 404 ? "Not Found" : "Error";
	const char *type = status == 200 ? "application/json" : "text/plain; charset=utf-8";
	int n = snprintf(head, sizeof(head),
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nVary: Accept-Encoding\r\n"
		"X-Nomad-Index: %llu\r\nX-Nomad-Knownleader: true\r\nX-Nomad-Lastcontact: 0\r\n"
		"Content-Length: %zu\r\n\r\n",
		status, reason, type, (unsigned long long)index, body.len);

	bytes_add(&c->out, head, (size_t)n);
	bytes_add(&c->out, body.at, body.len);
	c->hold = after > 0 ? now_ns() + after : 0;
	http_flush(c);
}

void http_begin_stream(struct http_conn *c)
{
	c->stream = true;
	bytes_text(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			    "Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n");
}

static struct span cut(struct span *text, const char *mark)
{
	const char *found = memmem(text->at, text->len, mark, strlen(mark));
	struct span part = *text;

	if (!found)
		return (struct span){NULL, 0};
	part.len = (size_t)(found - text->at);
	text->at = found + strlen(mark);
	text->len -= part.len + strlen(mark);
	return part;
}

/* The length of the body, or -1 where it is said in another way. */
static long body_length(struct span head)
{
	long length = 0;

	while (head.len > 0) {
		struct span line = cut(&head, "\r\n");

		if (!line.at) {
			line = head;
			head.len = 0;
		}
		if (line.len > 15 && strncasecmp(line.at, "Content-Length:", 15) == 0)
			length = strtol(line.at + 15, NULL, 10);
		if (line.len > 18 && strncasecmp(line.at, "Transfer-Encoding:", 18) == 0)
			return -1;
	}
	return length;
}

/* One request of what has come; false when it has not all come. */
static bool take_request(struct http_conn *c)
{
	struct span rest = {c->in.at, c->in.len}, head, line;
	struct http_request r;
	long length;

	if (rest.len == 0)
		return false;
	head = cut(&rest, "\r\n\r\n");
	if (!head.at)
		return false;
	length = body_length(head);
	if (length < 0)
		die("a request came without Content-Length");
	if (rest.len < (size_t)length)
		return false;
	r.body = (struct span){rest.at, (size_t)length};
	c->last = memmem(head.at, head.len, " HTTP/1.0\r\n", 11) != NULL;
	line = cut(&head, "\r\n");
	if (!line.at)
		line = head;
	r.method = cut(&line, " ");
	r.query = cut(&line, " ");
	if (!r.method.at || !r.query.at)
		die("a request's first line is not HTTP");
	r.path = cut(&r.query, "?");
	if (!r.path.at) {
		r.path = r.query;
		r.query = (struct span){"", 0};
	}
	c->http->hooks.request(c->http->user, c, &r);
	bytes_drop(&c->in, (size_t)(rest.at - c->in.at) + (size_t)length);
	return true;
}

static void take_requests(struct http_conn *c)
{
	while (c->hold == 0 && !c->stream && take_request(c))
		;
}

static void conn_read(struct http_conn *c)
{
	ssize_t n = recv(c->fd, bytes_reserve(&c->in, READ), READ, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->in.len += (size_t)n;
	take_requests(c);
}

/* Answers whose time has come; returns when the next one's does. */
static uint64_t release(struct http *h, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	size_t i;

	for (i = 0; i < CONNS; i++) {
		struct http_conn *c = &h->conns[i];

		if (c->fd < 0 || c->hold == 0)
			continue;
		if (c->hold <= now) {
			c->hold = 0;
			http_flush(c);
			take_requests(c);
		}
		if (c->hold > 0 && c->hold < next)
			next = c->hold;
	}
	return next;
}

static bool take_signal(struct http *h)
{
	struct signalfd_siginfo info;

	if (read(h->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	return h->hooks.signal(h->user, (int)info.ssi_signo);
}

static bool take_event(struct http *h, const struct epoll_event *e)
{
	struct http_conn *c = e->data.ptr;

	if (e->data.ptr == &h->signals)
		return take_signal(h);
	if (e->data.ptr == &h->listener) {
		accept_one(h);
		return true;
	}
	if (c->fd >= 0 && (e->events & EPOLLOUT) != 0)
		http_flush(c);
	if (c->fd >= 0 && (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		conn_read(c);
	return true;
}

void http_run(struct http *h)
{
	struct epoll_event events[CONNS];

	for (;;) {
		uint64_t now = now_ns(), next = release(h, now), tick = h->hooks.tick(h->user, now);
		struct timespec wait;
		int i, n;

		next = tick < next ? tick : next;
		now = now_ns();
		next = next == UINT64_MAX ? now + 1000000000u : next > now ? next : now;
		wait.tv_sec = (time_t)((next - now) / 1000000000u);
		wait.tv_nsec = (long)((next - now) % 1000000000u);
		n = epoll_pwait2(h->epoll, events, CONNS, &wait, NULL);
		for (i = 0; i < n; i++) {
			if (!take_event(h, &events[i]))
				return;
		}
	}
}

struct span http_query(struct span query, const char *name)
{
	size_t len = strlen(name);

	while (query.len > 0) {
		struct span pair = cut(&query, "&");

		if (!pair.at) {
			pair = query;
			query.len = 0;
		}
		if (pair.len > len && pair.at[len] == '=' && memcmp(pair.at, name, len) == 0)
			return (struct span){pair.at + len + 1, pair.len - len - 1};
	}
	return (struct span){NULL, 0};
}
