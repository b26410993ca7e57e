/* log: one place through which every line to stderr goes, in one of three formats.
 *
 * Foreign bytes are escaped here (control characters, invalid UTF-8), and every secret that was
 * told to log_secret is written as "(hidden)", in whatever text it turns up. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "mem.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON };

struct log_field {
	const char *name; /* [a-z_]+ */
	const char *value;
	size_t len;   /* bytes of value, which may hold NUL */
	bool literal; /* value is a number or truth value of JSON: no quotes there */
};

struct log;

struct log *log_new(FILE *out, enum log_level level, enum log_format format);
void log_free(struct log *log); /* NULL is fine; the FILE stays open, it is the caller's */
bool log_enabled(const struct log *log, enum log_level level);
enum log_format log_format(const struct log *log);
/* Copies the secret. NULL or "" does nothing; a second call adds a second secret. */
void log_secret(struct log *log, const char *secret);

/* In text a field named "trace" is written below its record, line by line. A message or value
 * beyond 64 KiB is cut. */
void log_record(struct log *log, enum log_level level, const char *message, size_t len,
	const struct log_field *fields, size_t count);
void log_printf(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A piece of the transcript (text format): several lines, written in one go. Newlines stay, every
 * other control character is escaped, secrets are hidden. In the other formats it becomes one
 * info record. */
void log_block(struct log *log, const char *text, size_t len);

/* Appends text so that a terminal and a line reader are safe: \n, \t, \x1b, … as escapes, valid
 * UTF-8 as it is, C1 controls and invalid bytes as \xNN. Returns a new string, the caller frees
 * it. */
char *log_escape(const char *text, size_t len);

bool log_level_parse(const char *name, enum log_level *out) WARN_UNUSED; /* error warn info debug */
bool log_format_parse(const char *name, enum log_format *out) WARN_UNUSED; /* text logfmt json */

#endif
