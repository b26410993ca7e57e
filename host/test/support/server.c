/* server: a scripted HTTP server on the test's own loop. */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka.h wants the three above. */
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "buf.h"

enum { REQUEST_MAX = 16 * 1024 * 1024, ROUTES_MAX = 16, REPLIES_MAX = 32 };

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct connection {
	union stream socket;
	uv_timer_t pace;
	unsigned open_handles;
	bool closing;
	bool held;
	struct server *server;
	LIST_ENTRY(connection) entry;
	struct buf in;
	struct server_reply reply; /* under way */
	size_t sent;
	bool busy;
};

struct route {
	const char *path;
	struct server_reply replies[REPLIES_MAX];
	size_t count, next;
	unsigned requests;
};

struct server {
	uv_loop_t *loop;
	union stream listener;
	bool unix_socket;
	char *address;
	struct route routes[ROUTES_MAX];
	size_t route_count;
	struct server_reply greeting;
	bool greets;
	unsigned connections;
	char *last;
	LIST_HEAD(connection_list, connection) open;
};

struct write {
	uv_write_t req;
	char bytes[];
};

/* ---- writing ---- */

static void on_written(uv_write_t *req, int status)
{
	(void)status; /* the client may be gone */
	free(req->data);
}

static void send_bytes(struct connection *c, const char *bytes, size_t len)
{
	struct write *w = xmalloc(sizeof(*w) + len);
	uv_buf_t b;

	memcpy(w->bytes, bytes, len);
	w->req.data = w;
	b = uv_buf_init(w->bytes, (unsigned)len);
	if (uv_write(&w->req, &c->socket.stream, &b, 1, on_written) != 0)
		free(w);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	if (--c->open_handles > 0)
		return;
	buf_free(&c->in);
	free(c);
}

static void close_connection(struct connection *c, enum server_end end)
{
	if (c->closing)
		return;
	c->closing = true;
	LIST_REMOVE(c, entry);
	uv_close((uv_handle_t *)&c->pace, on_closed);
	if (end != SERVER_RESET || c->server->unix_socket ||
		uv_tcp_close_reset(&c->socket.tcp, on_closed) != 0)
		uv_close(&c->socket.handle, on_closed);
}

static void on_shut(uv_shutdown_t *req, int status)
{
	(void)status;
	close_connection(req->data, SERVER_CLOSE);
	free(req);
}

/* Lets what was written go out before the end. */
static void end_reply(struct connection *c)
{
	uv_shutdown_t *shut;

	c->busy = false;
	c->held = c->reply.end == SERVER_HOLD;
	if (c->reply.end == SERVER_RESET)
		close_connection(c, SERVER_RESET);
	if (c->reply.end != SERVER_CLOSE)
		return;
	shut = xmalloc(sizeof(*shut));
	shut->data = c;
	if (uv_shutdown(shut, &c->socket.stream, on_shut) != 0) {
		free(shut);
		close_connection(c, SERVER_CLOSE);
	}
}

static void on_pace(uv_timer_t *timer)
{
	struct connection *c = timer->data;
	size_t left = c->reply.len - c->sent;
	size_t n = c->reply.piece > 0 && c->reply.piece < left ? c->reply.piece : left;

	if (n > 0)
		send_bytes(c, c->reply.bytes + c->sent, n);
	c->sent += n;
	if (c->sent < c->reply.len)
		return;
	uv_timer_stop(timer);
	end_reply(c);
}

static void start_reply(struct connection *c, const struct server_reply *reply)
{
	c->reply = *reply;
	if (!c->reply.bytes)
		c->reply.bytes = "";
	if (c->reply.len == 0)
		c->reply.len = strlen(c->reply.bytes);
	c->sent = 0;
	c->busy = true;
	uv_timer_start(&c->pace, on_pace, 0, reply->pace > 0 ? reply->pace : 1);
}

/* ---- reading ---- */

/* The length of the first whole request in the buffer, 0 while it is not whole. */
static size_t whole_request(struct buf *in)
{
	const char *text = buf_text(in), *end = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");
	size_t head, body = 0;

	if (!end)
		return 0;
	head = (size_t)(end - text) + 4;
	if (length && length < end)
		body = strtoul(length + 16, NULL, 10);
	return in->len >= head + body ? head + body : 0;
}

static struct route *route_of(struct server *s, const char *path)
{
	struct route *any = NULL;

	for (size_t i = 0; i < s->route_count; i++) {
		struct route *route = &s->routes[i];

		if (route->path[0] == '\0')
			any = route;
		else if (strcmp(route->path, path) == 0)
			return route;
	}
	return any;
}

static void answer(struct connection *c, size_t len)
{
	struct server *s = c->server;
	struct route *route;
	char *path;
	size_t skip;

	free(s->last);
	s->last = xstrndup(c->in.data, len);
	buf_drop(&c->in, len);
	skip = strcspn(s->last, " ") + 1;
	path = xstrndup(s->last + skip, strcspn(s->last + skip, " ?"));
	route = route_of(s, path);
	if (!route) {
		fail_msg("the server has no reply for %s", path);
		return; /* not reached; fail_msg is not declared so */
	}
	free(path);
	route->requests++;
	start_reply(c, &route->replies[route->next]);
	if (route->next + 1 < route->count)
		route->next++;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *b)
{
	(void)handle;
	*b = uv_buf_init(xmalloc(size), (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct connection *c = stream->data;
	size_t len;

	if (n > 0)
		assert_true(buf_add(&c->in, b->base, (size_t)n));
	free(b->base);
	if (n < 0) {
		close_connection(c, SERVER_CLOSE);
		return;
	}
	len = c->busy || c->held || c->server->route_count == 0 ? 0 : whole_request(&c->in);
	if (len > 0)
		answer(c, len);
}

static void init_socket(struct server *s, union stream *socket, void *data)
{
	if (s->unix_socket)
		assert_int_equal(uv_pipe_init(s->loop, &socket->pipe, 0), 0);
	else
		assert_int_equal(uv_tcp_init(s->loop, &socket->tcp), 0);
	socket->handle.data = data;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *s = listener->data;
	struct connection *c = xcalloc(1, sizeof(*c));

	assert_int_equal(status, 0);
	c->server = s;
	buf_init(&c->in, REQUEST_MAX);
	init_socket(s, &c->socket, c);
	uv_timer_init(s->loop, &c->pace);
	c->pace.data = c;
	c->open_handles = 2;
	LIST_INSERT_HEAD(&s->open, c, entry);
	assert_int_equal(uv_accept(listener, &c->socket.stream), 0);
	s->connections++;
	assert_int_equal(uv_read_start(&c->socket.stream, on_alloc, on_read), 0);
	if (s->greets)
		start_reply(c, &s->greeting);
}

/* ---- the interface ---- */

static struct server *make(uv_loop_t *loop, const char *path)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->unix_socket = path != NULL;
	s->last = xstrdup("");
	LIST_INIT(&s->open);
	init_socket(s, &s->listener, s);
	return s;
}

struct server *server_new(uv_loop_t *loop)
{
	struct server *s = make(loop, NULL);
	struct sockaddr_in address;
	struct sockaddr_storage bound;
	int len = sizeof(bound);

	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&s->listener.tcp, (const struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen(&s->listener.stream, 128, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&s->listener.tcp, (struct sockaddr *)&bound, &len), 0);
	memcpy(&address, &bound, sizeof(address));
	s->address = xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
	return s;
}

struct server *server_new_unix(uv_loop_t *loop, const char *path)
{
	struct server *s = make(loop, path);

	assert_int_equal(uv_pipe_bind(&s->listener.pipe, path), 0);
	assert_int_equal(uv_listen(&s->listener.stream, 128, on_connection), 0);
	s->address = xstrdup("http://127.0.0.1");
	return s;
}

const char *server_address(const struct server *s)
{
	return s->address;
}

void server_reply(struct server *s, const char *path, struct server_reply reply)
{
	struct route *route = NULL;

	for (size_t i = 0; i < s->route_count; i++) {
		if (strcmp(s->routes[i].path, path) == 0)
			route = &s->routes[i];
	}
	if (!route) {
		assert_true(s->route_count < ROUTES_MAX);
		route = &s->routes[s->route_count++];
		route->path = path;
	}
	assert_true(route->count < REPLIES_MAX);
	/* A queue that has come to its last reply goes on with the new one. */
	if (route->requests >= route->count && route->count > 0)
		route->next = route->count;
	route->replies[route->count++] = reply;
}

void server_greet(struct server *s, struct server_reply reply)
{
	s->greeting = reply;
	s->greets = true;
}

unsigned server_connections(const struct server *s)
{
	return s->connections;
}

unsigned server_requests(const struct server *s, const char *path)
{
	for (size_t i = 0; i < s->route_count; i++) {
		if (strcmp(s->routes[i].path, path) == 0)
			return s->routes[i].requests;
	}
	return 0;
}

const char *server_last(const struct server *s)
{
	return s->last;
}

void server_push(struct server *s, const char *bytes)
{
	struct connection *c;

	LIST_FOREACH(c, &s->open, entry)
	{
		if (c->held)
			send_bytes(c, bytes, strlen(bytes));
	}
}

void server_drop(struct server *s, enum server_end end)
{
	struct connection *next;

	for (struct connection *c = LIST_FIRST(&s->open); c; c = next) {
		next = LIST_NEXT(c, entry);
		if (!c->held)
			continue;
		c->reply.end = end;
		c->held = false;
		end_reply(c);
	}
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct server *s = handle->data;

	free(s->address);
	free(s->last);
	free(s);
}

void server_free(struct server *s)
{
	while (!LIST_EMPTY(&s->open))
		close_connection(LIST_FIRST(&s->open), SERVER_CLOSE);
	uv_close(&s->listener.handle, on_listener_closed);
}
