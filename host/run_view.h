/* run_view: the running operator as status, readiness and metrics see it. */
#ifndef RUN_VIEW_H
#define RUN_VIEW_H

#include <stdint.h>

#include "generations.h"
#include "ready.h"
#include "stream_set.h"

struct run_view {
	const struct lua_context *base;
	const struct stream_set *stream; /* NULL: none yet */
	struct generations *generations;
	uint64_t started; /* uv_hrtime of the start */
	bool stopping;
};

/* What is known at one moment; run_facts_free frees what it holds. Calls Lua, once. */
struct run_facts {
	struct stream_status stream;
	struct health health;
	bool ready;
	struct buf reasons; /* lines */
};

void run_facts_take(struct run_facts *f, const struct run_view *v);
void run_facts_free(struct run_facts *f);

#endif
