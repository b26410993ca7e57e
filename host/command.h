/* command: the commands that run a Lua function once: plan, check, exec. */
#ifndef COMMAND_H
#define COMMAND_H

#include "config.h"
#include "log.h"

/* Runs the command named in the configuration; returns the exit code. */
int command_run(struct config *config, const char *name, struct log *log);

#endif
