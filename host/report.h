/* report: what went wrong in Lua, as a log record with the generation and the traceback. */
#ifndef REPORT_H
#define REPORT_H

#include "log.h"

/* trace NULL or "": none. */
void report(struct log *log, enum log_level level, unsigned generation, const char *message,
	const char *trace);

#endif
