/* log: formats records, hides secrets, and writes each record with one write. */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "escape.h"
#include "secrets.h"

enum {
	NAME_MAX_LEN = 64, /* bytes of a field's name */
	VALUE_MAX =
		64 * 1024, /* bytes of one message or value; what is longer is cut, and says so */
	BLOCK_MAX = 1024 * 1024,  /* the same for a piece of the transcript */
	RECORD_MAX = 1024 * 1024, /* from here on no further field is written */
	HIDE_ANYWHERE_MIN = 8, /* a shorter secret is not looked for across the borders of fields */
	WRITE_PATIENCE =
		1000 /* milliseconds that a full pipe, set non-blocking by others, is waited for */
};

/* The second that was written last, and how it is written. */
struct second {
	time_t at;
	char text[24];
};

struct log {
	FILE *out;
	enum log_level level;
	enum log_format format;
	bool colour;
	struct secrets *secrets;
	struct second second;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const format_names[] = {"text", "logfmt", "json"};

static bool wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	int fd = fileno(out);

	if (no_color && *no_color)
		return false;
	if (term && strcmp(term, "dumb") == 0)
		return false;
	return fd >= 0 && isatty(fd);
}

struct log *log_new(FILE *out, enum log_level level, enum log_format format)
{
	struct log *log = xcalloc(1, sizeof(*log));

	log->out = out;
	log->level = level;
	log->format = format;
	log->colour = format == LOG_TEXT && wants_colour(out);
	log->secrets = secrets_new();
	log->second.at = -1;
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	secrets_free(log->secrets);
	free(log);
}

bool log_enabled(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

enum log_format log_format(const struct log *log)
{
	return log->format;
}

/* The buffers here are sized so that they cannot overflow; if one did, the text would end early. */
static void put(struct buf *b, const char *data, size_t len)
{
	if (!buf_add(b, data, len))
		return;
}

static void put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

char *log_escape(const char *text, size_t len)
{
	return escape_copy(text, len, ESCAPE_PLAIN);
}

void log_secret(struct log *log, const char *secret)
{
	secrets_add(log->secrets, secret);
}

/* Appends foreign text: secrets hidden, then cut to max, then escaped. Hiding comes first, for a
 * secret that is cut in two, or escaped, would not be found. */
static void put_foreign(struct buf *b, const struct log *log, const char *text, size_t len,
	size_t max, enum escape how)
{
	struct buf safe;
	size_t n;

	if (len <= max && !secrets_occur(log->secrets, text, len, 1)) {
		escape_put(b, text, len, how);
		return;
	}
	buf_init(&safe, len * SECRETS_GROW);
	secrets_hide(&safe, log->secrets, text, len, 1);
	n = safe.len < max ? safe.len : max;
	/* Not in the middle of a character. */
	while (n > 0 && n < safe.len && ((unsigned char)safe.data[n] & 0xc0) == 0x80)
		n--;
	escape_put(b, buf_text(&safe), n, how);
	if (n < safe.len && !buf_addf(b, "... (%zu more bytes)", safe.len - n))
		put_text(b, "...");
	buf_free(&safe);
}

static void write_out(FILE *out, const char *data, size_t len)
{
	int fd = fileno(out);

	fflush(out);
	if (fd < 0) { /* a stream in memory */
		fwrite(data, 1, len, out);
		fflush(out);
		return;
	}
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT, .revents = 0};

			int ready = poll(&wait, 1, WRITE_PATIENCE);

			if (ready == 0 || (ready < 0 && errno != EINTR))
				return;
		} else if (errno != EINTR) {
			return; /* nobody reads any more, and there is nowhere else to say so */
		}
	}
}

/* Writes a whole record. The last look for secrets finds one that was put together from several
 * fields. */
static void write_record(const struct log *log, struct buf *record)
{
	struct buf safe;

	if (!secrets_occur(log->secrets, buf_text(record), record->len, HIDE_ANYWHERE_MIN)) {
		write_out(log->out, buf_text(record), record->len);
		return;
	}
	buf_init(&safe, record->len);
	secrets_hide(&safe, log->secrets, buf_text(record), record->len, HIDE_ANYWHERE_MIN);
	write_out(log->out, buf_text(&safe), safe.len);
	buf_free(&safe);
}

static void put_time(struct buf *b, struct second *second)
{
	struct timespec now;
	struct tm tm;
	int ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second->at) {
		if (!gmtime_r(&now.tv_sec, &tm))
			return;
		if (strftime(second->text, sizeof(second->text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
			return;
		second->at = now.tv_sec;
	}
	put_text(b, second->text);
	ms = (int)(now.tv_nsec / 1000000 % 1000);
	put(b,
		(const char[]){'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
			(char)('0' + ms % 10), 'Z'},
		5);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/* Is it one of the names that each record has? */
static bool is_own(const char *name)
{
	switch (name[0]) {
	case 't':
		return strcmp(name, "ts") == 0 || strcmp(name, "time") == 0;
	case 'l':
		return strcmp(name, "level") == 0;
	case 'm':
		return strcmp(name, "msg") == 0;
	default:
		return false;
	}
}

/* A name that is a plain word and none of the record's own. */
static void put_name(struct buf *b, const char *name)
{
	char word[NAME_MAX_LEN];
	size_t i;

	if (is_own(name))
		put_text(b, "field_");
	for (i = 0; i < NAME_MAX_LEN && name[i]; i++)
		word[i] = is_word(name[i]) ? name[i] : '_';
	put(b, i > 0 ? word : "_", i > 0 ? i : 1);
}

static bool needs_quotes(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return true;
	}
	return len == 0;
}

/* A secret that is a number becomes a text. */
static bool is_literal(const struct log *log, const struct log_field *f)
{
	return f->literal && f->len > 0 && !secrets_occur(log->secrets, f->value, f->len, 1);
}

static void put_value(struct buf *b, const struct log *log, const struct log_field *f)
{
	bool quotes =
		log->format == LOG_JSON ? !is_literal(log, f) : needs_quotes(f->value, f->len);

	if (quotes)
		put_text(b, "\"");
	put_foreign(b, log, f->value, f->len, VALUE_MAX,
		log->format == LOG_JSON ? ESCAPE_JSON : ESCAPE_QUOTED);
	if (quotes)
		put_text(b, "\"");
}

/* A traceback is for people: below its record, line by line. */
static bool is_trace(const struct log *log, const struct log_field *f)
{
	return log->format == LOG_TEXT && strcmp(f->name, "trace") == 0;
}

static void put_trace(struct buf *b, const struct log *log, const struct log_field *f)
{
	struct buf text;
	const char *line, *end;

	buf_init(&text, RECORD_MAX);
	put_foreign(&text, log, f->value, f->len, VALUE_MAX, ESCAPE_BLOCK);
	for (line = buf_text(&text); *line; line = *end ? end + 1 : end) {
		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		put_text(b, "\n    ");
		/* Lua indents with a tab, which is an escape by now. */
		if (strncmp(line, "\\t", 2) == 0 && line + 2 <= end) {
			put_text(b, "  ");
			line += 2;
		}
		put(b, line, (size_t)(end - line));
	}
	buf_free(&text);
}

static void put_fields(
	struct buf *b, const struct log *log, const struct log_field *fields, size_t count)
{
	/* In a text for people two spaces part the message from what belongs to it. */
	const char *gap = log->format == LOG_TEXT ? "  " : " ";
	size_t i;

	for (i = 0; i < count; i++) {
		if (is_trace(log, &fields[i]))
			continue;
		put_text(b, log->format == LOG_JSON ? ",\"" : gap);
		gap = " ";
		if (b->len > RECORD_MAX) {
			put_text(b, log->format == LOG_JSON ? "cut\":\"true\"" : "cut=true");
			return;
		}
		put_name(b, fields[i].name);
		put_text(b, log->format == LOG_JSON ? "\":" : "=");
		put_value(b, log, &fields[i]);
	}
	for (i = 0; i < count && b->len <= RECORD_MAX; i++) {
		if (is_trace(log, &fields[i]))
			put_trace(b, log, &fields[i]);
	}
}

static void put_mark(struct buf *b, const struct log *log, enum log_level level)
{
	static const char *const colours[] = {"\x1b[31m", "\x1b[33m", "", "\x1b[2m"};

	if (level == LOG_INFO)
		return;
	if (log->colour)
		put_text(b, colours[level]);
	put_text(b, level_names[level]);
	put_text(b, ":");
	if (log->colour)
		put_text(b, "\x1b[0m");
	put_text(b, " ");
}

/* Everything before the message. */
static void put_head(struct buf *b, struct log *log, enum log_level level)
{
	if (log->format == LOG_TEXT) {
		put_mark(b, log, level);
		return;
	}
	put_text(b, log->format == LOG_JSON ? "{\"time\":\"" : "ts=");
	put_time(b, &log->second);
	put_text(b, log->format == LOG_JSON ? "\",\"level\":\"" : " level=");
	put_text(b, level_names[level]);
	put_text(b, log->format == LOG_JSON ? "\",\"msg\":\"" : " msg=\"");
}

void log_record(struct log *log, enum log_level level, const char *message, size_t len,
	const struct log_field *fields, size_t count)
{
	static const enum escape how[] = {ESCAPE_PLAIN, ESCAPE_QUOTED, ESCAPE_JSON};
	struct buf b;

	if (!log_enabled(log, level))
		return;
	buf_init(&b, RECORD_MAX + 4 * VALUE_MAX * ESCAPE_MAX);
	put_head(&b, log, level);
	put_foreign(&b, log, message, len, VALUE_MAX, how[log->format]);
	if (log->format != LOG_TEXT)
		put_text(&b, "\"");
	put_fields(&b, log, fields, count);
	put_text(&b, log->format == LOG_JSON ? "}\n" : "\n");
	write_record(log, &b);
	buf_free(&b);
}

void log_printf(struct log *log, enum log_level level, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	if (!log_enabled(log, level))
		return;
	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	text = xmalloc((size_t)len + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	log_record(log, level, text, (size_t)len, NULL, 0);
	free(text);
}

void log_block(struct log *log, const char *text, size_t len)
{
	struct buf b;

	if (log->format != LOG_TEXT) { /* a line there is a record */
		log_record(log, LOG_INFO, text, len, NULL, 0);
		return;
	}
	if (!log_enabled(log, LOG_INFO) || len == 0)
		return;
	buf_init(&b, (size_t)BLOCK_MAX * (ESCAPE_MAX + 1));
	put_foreign(&b, log, text, len, BLOCK_MAX, ESCAPE_BLOCK);
	if (b.data[b.len - 1] != '\n')
		put_text(&b, "\n");
	write_record(log, &b);
	buf_free(&b);
}

bool log_level_parse(const char *name, enum log_level *out)
{
	unsigned i;

	for (i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_format_parse(const char *name, enum log_format *out)
{
	unsigned i;

	for (i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (strcmp(name, format_names[i]) == 0) {
			*out = (enum log_format)i;
			return true;
		}
	}
	return false;
}
