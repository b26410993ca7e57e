/* report: see report.h. */
#include "report.h"

#include <string.h>

void report(struct log *log, enum log_level level, unsigned generation, const char *message,
	const char *trace)
{
	struct log_field fields[2];
	char number[16];
	size_t count = 0;

	(void)snprintf(number, sizeof(number), "%u", generation);
	/* As in host.log: in the text for people it says nothing. */
	if (log_format(log) != LOG_TEXT)
		fields[count++] = (struct log_field){"generation", number, strlen(number), true};
	if (trace && trace[0])
		fields[count++] = (struct log_field){"trace", trace, strlen(trace), false};
	log_record(log, level, message, strlen(message), fields, count);
}
