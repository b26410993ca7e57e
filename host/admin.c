/* admin: see admin.h. */
#include "admin.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_guard.h"
#include "admin_listen.h"
#include "alarm.h"

enum {
	IDLE_TIMEOUT = 10,	  /* seconds in which a client says nothing */
	MEMORY_LIMIT = 16 * 1024, /* bytes of a request's head, as libmicrohttpd counts them */
	LOG_LINE = 512
};

static const char plain[] = "text/plain; charset=utf-8";

/* A connection of a client, from its accept on. */
struct visitor {
	TAILQ_ENTRY(visitor) entry;
	int fd;
	uint64_t until;
};

/* One request, from its first line to the end of its answer. */
struct exchange {
	TAILQ_ENTRY(exchange) entry; /* in admin->waiting, while it waits for its route */
	struct MHD_Connection *connection;
	const struct admin_route *route;
	bool waiting;
	bool answered;
	size_t received;
	struct admin_answer answer;
};

TAILQ_HEAD(visitor_list, visitor);
TAILQ_HEAD(exchange_list, exchange);

struct admin {
	struct MHD_Daemon *daemon;
	struct log *log;
	struct turn *turn;
	struct turn_job job;
	struct alarm *alarm;
	uv_poll_t poll;
	const struct admin_route *routes;
	void *user;
	char *address;
	double life;		      /* seconds of a visitor */
	struct visitor_list visitors; /* the oldest first */
	struct exchange_list waiting;
};

/* ---- answers ---- */

static void write_answer(struct admin_answer *answer, unsigned status, const char *text)
{
	answer->status = status;
	buf_clear(&answer->body);
	if (!buf_addf(&answer->body, "%s\n", text))
		abort(); /* the limit is far away */
}

/* allow: for 405, or NULL. */
static enum MHD_Result send_answer(
	struct MHD_Connection *connection, struct admin_answer *answer, const char *allow)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(answer->body.len,
		(void *)(uintptr_t)buf_text(&answer->body), MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, "Content-Type", answer->type);
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(response, "Connection", "close");
	if (allow)
		(void)MHD_add_response_header(response, "Allow", allow);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(
	struct exchange *x, unsigned status, const char *text, const char *allow)
{
	x->answered = true;
	write_answer(&x->answer, status, text);
	return send_answer(x->connection, &x->answer, allow);
}

/* ---- inside libmicrohttpd ---- */

static struct exchange *exchange_new(struct MHD_Connection *connection)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->connection = connection;
	x->answer.status = MHD_HTTP_OK;
	x->answer.type = plain;
	buf_init(&x->answer.body, ADMIN_ANSWER_MAX);
	return x;
}

static const char *header(const struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* The route of the path and the method; *allow: the method that the path has instead. */
static const struct admin_route *find_route(
	const struct admin *a, const char *method, const char *path, const char **allow)
{
	*allow = NULL;
	for (const struct admin_route *r = a->routes; r->method; r++) {
		if (strcmp(r->path, path) != 0)
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		*allow = r->method;
	}
	return NULL;
}

/* The head is there. The body, if any, is not. */
static enum MHD_Result begin(struct exchange *x)
{
	const char *length = header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (length && strtoull(length, NULL, 10) > ADMIN_BODY_MAX)
		return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE,
			"No request here has a body of that size.", NULL);
	return MHD_YES;
}

static enum MHD_Result dispatch(
	struct admin *a, struct exchange *x, const char *method, const char *path)
{
	const char *allow, *foreign;

	x->route = find_route(a, method, path, &allow);
	if (!x->route && allow)
		return refuse(x, MHD_HTTP_METHOD_NOT_ALLOWED,
			"That path takes another method; GET / lists what there is.", allow);
	if (!x->route)
		return refuse(
			x, MHD_HTTP_NOT_FOUND, "There is no such page; GET / lists them.", NULL);
	foreign = strcmp(method, MHD_HTTP_METHOD_POST) == 0 ? admin_guard(x->connection) : NULL;
	if (foreign)
		return refuse(x, MHD_HTTP_FORBIDDEN, foreign, NULL);
	if (x->route->argument)
		x->answer.argument = MHD_lookup_connection_value(
			x->connection, MHD_GET_ARGUMENT_KIND, x->route->argument);
	x->waiting = true;
	TAILQ_INSERT_TAIL(&a->waiting, x, entry);
	MHD_suspend_connection(x->connection);
	turn_add(a->turn, &a->job);
	return MHD_YES;
}

/* Called for the head, for each piece of the body, at its end, and once more after a resume. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *body, size_t *body_len, void **state)
{
	struct admin *a = user;
	struct exchange *x = *state;

	(void)version;
	(void)body;
	if (!x) {
		x = exchange_new(connection);
		*state = x;
		return begin(x);
	}
	if (*body_len > 0) {
		x->received += *body_len;
		*body_len = 0;
		return x->received > ADMIN_BODY_MAX ? MHD_NO : MHD_YES;
	}
	if (x->answered)
		return send_answer(connection, &x->answer, NULL);
	return dispatch(a, x, method, path);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct admin *a = user;
	struct exchange *x = *state;

	(void)connection;
	(void)code;
	if (!x)
		return;
	if (x->waiting)
		TAILQ_REMOVE(&a->waiting, x, entry);
	buf_free(&x->answer.body);
	free(x);
	*state = NULL;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode code)
{
	struct admin *a = user;
	struct visitor *v = *state;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		v = xcalloc(1, sizeof(*v));
		v->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		v->until = turn_deadline(a->life * 1000);
		TAILQ_INSERT_TAIL(&a->visitors, v, entry);
		*state = v;
	} else if (v) {
		TAILQ_REMOVE(&a->visitors, v, entry);
		free(v);
		*state = NULL;
	}
}

static void PRINTF_LIKE(2, 0) on_log(void *user, const char *format, va_list args)
{
	const struct admin *a = user;
	char text[LOG_LINE];
	int len = vsnprintf(text, sizeof(text), format, args);

	while (len > 0 && len < LOG_LINE && text[len - 1] == '\n')
		text[--len] = '\0';
	log_printf(a->log, LOG_DEBUG, "admin: %s", text);
}

/* ---- outside ---- */

/* Those whose time is over are cut; libmicrohttpd notices at its next run. Seconds until the next one. */
static double cut_late(struct admin *a)
{
	struct visitor *v;

	TAILQ_FOREACH(v, &a->visitors, entry)
	{
		if (!turn_over(v->until))
			return (double)(v->until - uv_hrtime()) / 1e9;
		(void)shutdown(v->fd, SHUT_RDWR);
	}
	return a->life;
}

static void run(struct admin *a)
{
	MHD_UNSIGNED_LONG_LONG ms;
	double next = cut_late(a);

	(void)MHD_run(a->daemon);
	if (MHD_get_timeout(a->daemon, &ms) == MHD_YES && (double)ms / 1000 < next)
		next = (double)ms / 1000;
	if (TAILQ_EMPTY(&a->visitors))
		alarm_stop(a->alarm);
	else
		alarm_set(a->alarm, next);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static void on_alarm(void *user)
{
	run(user);
}

static void work(void *user)
{
	struct admin *a = user;
	struct exchange *x;

	while ((x = TAILQ_FIRST(&a->waiting))) {
		TAILQ_REMOVE(&a->waiting, x, entry);
		x->waiting = false;
		x->answered = true;
		x->route->cb(&x->answer, a->user);
		MHD_resume_connection(x->connection);
	}
	run(a);
}

static struct MHD_Daemon *start(struct admin *a, int fd)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, a, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, a, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)ADMIN_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, a, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, a, MHD_OPTION_END);
}

static void on_closed(uv_handle_t *handle)
{
	struct admin *a = handle->data;

	free(a->address);
	free(a);
}

static bool watch(struct admin *a, uv_loop_t *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info || uv_poll_init(loop, &a->poll, info->epoll_fd) != 0)
		return false;
	a->poll.data = a;
	a->alarm = alarm_new(loop, on_alarm, a);
	return uv_poll_start(&a->poll, UV_READABLE, on_poll) == 0;
}

struct admin *admin_new(uv_loop_t *loop, struct turn *turn, struct log *log,
	const struct admin_options *o, char **error)
{
	struct admin *a = xcalloc(1, sizeof(*a));
	int fd = admin_listen(&o->where, &a->address, error);

	if (fd < 0) {
		free(a);
		return NULL;
	}
	a->log = log;
	a->turn = turn;
	a->routes = o->routes;
	a->user = o->user;
	a->life = o->life > 0 ? o->life : ADMIN_LIFE;
	turn_job_init(&a->job, work, a);
	TAILQ_INIT(&a->visitors);
	TAILQ_INIT(&a->waiting);
	a->daemon = start(a, fd);
	if (a->daemon && watch(a, loop))
		return a;
	*error = xasprintf("cannot serve %s: %s", a->address, strerror(errno));
	/* The process is about to end: what the library may hold of the socket is not worth knowing. */
	if (a->daemon)
		MHD_stop_daemon(a->daemon);
	free(a->address);
	free(a);
	return NULL;
}

const char *admin_address(const struct admin *a)
{
	return a->address;
}

void admin_free(struct admin *a)
{
	struct exchange *x;

	if (!a)
		return;
	turn_remove(&a->job);
	alarm_free(a->alarm);
	(void)uv_poll_stop(&a->poll);
	TAILQ_FOREACH(x, &a->waiting, entry)
	MHD_resume_connection(x->connection);
	MHD_stop_daemon(a->daemon); /* ends the exchanges, and closes both of its sockets */
	uv_close((uv_handle_t *)&a->poll, on_closed);
}
