/* admin: a small HTTP server for those who look after the operator; with admin_listen the only place that serves,
 * and the only one that knows libmicrohttpd, which runs without threads on our loop.
 *
 * A request is recorded inside libmicrohttpd; its route is called from a job of the turn, where Lua may be entered.
 * One connection is one request, and lives for ADMIN_LIFE seconds at most. */
#ifndef ADMIN_H
#define ADMIN_H

#include <uv.h>

#include "buf.h"
#include "config_listen.h"
#include "log.h"
#include "turn.h"

#define ADMIN_CONNECTIONS 32		   /* at once; more wait until one has ended */
#define ADMIN_LIFE 15.0			   /* seconds of a connection */
#define ADMIN_BODY_MAX 4096		   /* bytes of a request's body, which nobody reads */
#define ADMIN_ANSWER_MAX ((size_t)8 << 20) /* bytes */

struct admin;

struct admin_answer {
	unsigned status;      /* 200 */
	const char *type;     /* text/plain, in UTF-8 */
	const char *argument; /* of the request, as the route names it; NULL: it has none */
	struct buf body;      /* of ADMIN_ANSWER_MAX; what does not fit is for the route to see */
};

typedef void admin_cb(struct admin_answer *answer, void *user);

struct admin_route {
	const char *method; /* "GET" or "POST"; NULL ends the list */
	const char *path;
	admin_cb *cb;
	const char *argument; /* "policy" in POST /v1/approve?policy=NAME; NULL: it takes none */
};

struct admin_options {
	struct config_listen where;
	const struct admin_route *routes; /* must outlive it */
	void *user;			  /* of the routes */
	double life;			  /* seconds of a connection; 0: ADMIN_LIFE */
};

/* Listens. NULL and a sentence that the caller frees. */
struct admin *admin_new(uv_loop_t *loop, struct turn *turn, struct log *log,
	const struct admin_options *o, char **error) WARN_UNUSED;
/* "127.0.0.1:4747"; dies with it. */
const char *admin_address(const struct admin *a);
/* Ends all connections; the loop has to run until the handles are closed. NULL is fine. */
void admin_free(struct admin *a);

#endif
