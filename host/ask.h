/* ask: the commands that ask a running operator, over its admin address: status, reload, approve, retry. */
#ifndef ASK_H
#define ASK_H

#include "config.h"
#include "log.h"

/* Returns the exit code. */
int ask_run(const struct config *config, struct log *log);

#endif
