/* command: see command.h. */
#include "command.h"

#include <stdlib.h>

#include "generation.h"
#include "process.h"
#include "report.h"

#define EXIT_CODE_MAX 255

struct command_end {
	struct log *log;
	bool over;
	int code;
};

static void on_end(struct generation *g, const char *error, long result, void *user)
{
	struct command_end *end = user;

	(void)g;
	end->over = true;
	end->code = result >= 0 && result <= EXIT_CODE_MAX ? (int)result : 1;
	if (error) {
		report(end->log, LOG_ERROR, 1, error, NULL);
		end->code = 1;
	}
}

static void run(struct process *p, const char *name, struct command_end *end)
{
	static const struct generation_callbacks cb = {on_end, NULL};
	char *error;
	struct generation *g = generation_new(&p->base, &cb, end, &error);

	if (!g) {
		log_printf(end->log, LOG_ERROR, "%s", error);
		free(error);
		return;
	}
	generation_command(g, name);
	while (!end->over && uv_run(&p->loop, UV_RUN_ONCE) != 0)
		;
	if (!end->over)
		log_printf(end->log, LOG_ERROR, "%s waits for something that nobody will do", name);
	generation_free(g);
}

int command_run(struct config *config, const char *name, struct log *log)
{
	struct command_end end = {.log = log, .code = 1};
	struct process p;
	char *error;

	if (!process_open(&p, config, log, &error)) {
		log_printf(log, LOG_ERROR, "%s", error);
		free(error);
		return 1;
	}
	run(&p, name, &end);
	process_close(&p);
	return end.code;
}
