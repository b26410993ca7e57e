/* stream_reason: why an event stream ended, in one sentence for a person. */
#include "stream_reason.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

enum { SHOWN = 200 /* bytes of foreign words */ };

static bool has(const char *text, size_t len, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= len; i++) {
		if (memcmp(text + i, what, n) == 0)
			return true;
	}
	return false;
}

/* The words that servers before 1.11.2 put at the end of a stream, without a newline. NULL for
 * others. */
static const char *known_words(const char *text, size_t len)
{
	static const struct {
		const char *words, *sentence;
	} table[] = {
		{"subscription closed by server",
			"Nomad closed the subscription (subscription closed by server): the token "
			"or a "
			"policy of it has changed, or the server restored a snapshot"},
		{"token expired",
			"the token has expired (ACL token expired): give a new one with -token, "
			"NOMAD_TOKEN or -token-file"},
		{"event dropped from buffer",
			"Nomad dropped events that came faster than they were read (event dropped "
			"from "
			"buffer): raise event_buffer_size in its server configuration"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (has(text, len, table[i].words))
			return table[i].sentence;
	}
	return NULL;
}

static char *ended_with(const struct stream_end *e, const char *text, size_t len)
{
	const char *known = known_words(text, len);
	char *safe, *sentence;

	if (known)
		return xstrdup(known);
	safe = log_escape(text, len < SHOWN ? len : SHOWN);
	sentence = xasprintf(
		"what answers at %s sends lines that are not events of Nomad (\"%s\"); check "
		"-address or NOMAD_ADDR",
		e->address, safe);
	free(safe);
	return sentence;
}

static char *ended_by_server(const struct stream_end *e)
{
	bool half = e->rest_len > 0;

	if (half && e->rest[0] != '{')
		return ended_with(e, e->rest, e->rest_len);
	return xasprintf("Nomad at %s ended the event stream%s", e->address,
		half ? " in the middle of a line, which is dropped" : "; is it being restarted?");
}

char *stream_reason(const struct stream_end *e)
{
	const struct api_result *r = e->result;

	if (e->too_long)
		return xasprintf("a line of the event stream at %s is longer than %zu bytes; raise "
				 "-stream-line-max",
			e->address, e->line_max);
	if (e->stray)
		return ended_with(e, e->stray, e->stray_len);
	if (r->error == API_OK)
		return ended_by_server(e);
	if (r->error == API_STATUS && has(r->body, r->body_len, "EventBroker not configured"))
		return xasprintf(
			"Nomad at %s has no event broker (enable_event_broker = false in its "
			"server configuration)",
			e->address);
	if (r->http.error == HTTP_CUT && e->rest_len > 0)
		return xasprintf(
			"%s: it ended in the middle of a line, which is dropped", r->message);
	return xstrdup(r->message);
}

bool stream_reason_is_lasting(const struct api_result *r)
{
	if (r->error == API_TRANSPORT)
		return r->http.error == HTTP_VERSION;
	return r->error == API_STATUS &&
	       (strcmp(r->code, "not_found") == 0 ||
		       has(r->body, r->body_len, "EventBroker not configured"));
}

char *stream_reason_silence(const char *address, const char *ns)
{
	bool all = strcmp(ns, "*") == 0;

	return xasprintf(
		"Nomad at %s accepts the subscription and sends nothing, though it answers other "
		"requests: a disabled event broker, a token without read-job in %s%s%s (or without "
		"the right that another watched topic needs), or a proxy that holds answers back "
		"looks like this",
		address, all ? "every namespace" : "namespace \"", all ? "" : ns, all ? "" : "\"");
}
