/* main: reads the command line and runs the command. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "command.h"
#include "config.h"
#include "init.h"
#include "log.h"
#include "run.h"
#include "version.h"

/* Jobs of a megabyte come and go: their blocks are given back, rather than kept in a heap in pieces. */
#define MMAP_THRESHOLD (256 * 1024) /* bytes */

static const char *environment(const char *name)
{
	return getenv(name);
}

/* Commands that need neither log nor Nomad are done here; the others get a log. */
static int dispatch(struct config *config, struct log *log)
{
	switch (config->command) {
	case COMMAND_HELP:
		(void)fputs(config_help(config->help_topic), stdout);
		return 0;
	case COMMAND_VERSION:
		(void)puts("nomad-operator " VERSION);
		return 0;
	case COMMAND_INIT:
		return init_run(config->args);
	case COMMAND_RUN:
		return run_run(config, log);
	case COMMAND_PLAN:
		return command_run(config, "plan", log);
	case COMMAND_PRUNE:
		return command_run(config, "prune", log);
	case COMMAND_CHECK:
		return command_run(config, "check", log);
	case COMMAND_ACL:
		return command_run(config, "acl", log);
	case COMMAND_JOBSPEC:
		return command_run(config, "jobspec", log);
	case COMMAND_STATUS:
	case COMMAND_RELOAD:
	case COMMAND_APPROVE:
	case COMMAND_RETRY:
		return ask_run(config, log);
	case COMMAND_EXEC:
		return command_run(config, "exec", log);
	}
	return 1;
}

static enum log_format format_of(const struct config *config)
{
	if (config->log_format_given)
		return config->log_format;
	return isatty(STDERR_FILENO) ? LOG_TEXT : LOG_LOGFMT;
}

int main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	char *error = NULL;
	struct config *config = config_parse(argc, argv, environment, &error);
	struct log *log;
	int code;

	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	if (!config) {
		(void)fprintf(stderr, "nomad-operator: %s\n", error);
		free(error);
		return 1;
	}
	/* A connection or a reader that has gone away is an error of the write, not the end of the program. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	log = log_new(stderr, config->log_level, format_of(config));
	code = dispatch(config, log);
	log_free(log);
	config_free(config);
	return code;
}
