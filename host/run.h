/* run: the operator: the stream, the generations that work on it, and the signals that steer it. */
#ifndef RUN_H
#define RUN_H

#include "config.h"
#include "log.h"

/* Returns the exit code when a signal or an error has ended it. */
int run_run(struct config *config, struct log *log);

#endif
