/* run_admin: the pages of a running operator: health, readiness, metrics, status, and the order to reload. */
#ifndef RUN_ADMIN_H
#define RUN_ADMIN_H

#include "admin.h"
#include "run_view.h"

struct run_admin_source {
	struct run_view (*view)(void *user);
	void (*reload)(void *user); /* may only record */
	void *user;
};

/* Listens where -http-addr says. false and a sentence that the caller frees. *out is NULL for -http-addr=off;
 * admin_free ends it. The source must outlive it. */
bool run_admin(const struct lua_context *base, const struct run_admin_source *source,
	struct admin **out, char **error) WARN_UNUSED;

#endif
