/* process: see process.h. */
#include "process.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lua_cpu.h"

bool process_open(struct process *p, struct config *config, struct log *log, char **error)
{
	int status;

	*p = (struct process){.base = {.config = config, .log = log, .generation = 1}};
	if (!config_read_token(config, error))
		return false;
	status = uv_loop_init(&p->loop);
	if (status != 0) {
		*error = xasprintf("cannot start the event loop: %s", uv_strerror(status));
		return false;
	}
	p->base.cpu = lua_cpu_new();
	if (!p->base.cpu) {
		*error = xasprintf("cannot start the CPU watch: %s", strerror(errno));
		(void)uv_loop_close(&p->loop);
		return false;
	}
	p->base.loop = &p->loop;
	p->base.turn = turn_new(&p->loop);
	p->base.api = api_new(&p->loop, config, log);
	p->base.store = store_new();
	p->base.metrics = metrics_new();
	api_count_in(p->base.api, p->base.metrics);
	return true;
}

void process_close(struct process *p)
{
	int status;

	api_free(p->base.api);
	turn_free(p->base.turn);
	(void)uv_run(&p->loop, UV_RUN_DEFAULT);
	status = uv_loop_close(&p->loop);
	if (status != 0)
		log_printf(p->base.log, LOG_ERROR,
			"internal error: handles are open at the end: %s", uv_strerror(status));
	assert(status == 0);
	lua_cpu_free(p->base.cpu);
	store_free(p->base.store);
	metrics_free(p->base.metrics);
}
