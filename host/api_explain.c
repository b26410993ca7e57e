/* api_explain: the outcome of a request as a code for programs and one sentence for a person. */
#include "api_explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api_route.h"
#include "log.h"

enum {
	PATH_SHOWN = 160, /* bytes; a job's ID has no limit */
	TEXT_SHOWN = 500, /* bytes of the server's own words */
	NAME_SHOWN = 128, /* bytes of a namespace's name, Nomad's own limit */
	PLACE_MAX = NAME_SHOWN + 32,
	SENTENCE_MAX = 4096
};

#define CHECK_ADDRESS "check -address or NOMAD_ADDR"
/* What old versions say of a token that is no UUID; of other IDs too, without the word token. */
#define MALFORMED "UUID must be 36 characters"
#define CHECK_TOKEN "check -token, NOMAD_TOKEN or -token-file"

static bool has(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	return n >= m && memcmp(text + n - m, with, m) == 0;
}

static struct api_explanation explain(const struct api_asked *asked, const char *code,
	bool retryable, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The message: "METHOD /path: " and the rest. */
static struct api_explanation explain(
	const struct api_asked *asked, const char *code, bool retryable, const char *fmt, ...)
{
	struct api_explanation e = {.code = code, .retryable = retryable};
	bool cut = strlen(asked->path) > PATH_SHOWN;
	char rest[SENTENCE_MAX], *message;
	va_list args;

	va_start(args, fmt);
	vsnprintf(rest, sizeof(rest), fmt, args);
	va_end(args);
	message = xasprintf(
		"%s %.*s%s: %s", asked->method, PATH_SHOWN, asked->path, cut ? "…" : "", rest);
	/* Foreign words are in it: a server's, a certificate's, a path that was refused for its
	 * newline. */
	e.message = log_escape(message, strlen(message));
	free(message);
	return e;
}

/* The server's words on one line, cut. The caller frees the string. */
static char *shown(const char *text)
{
	char line[TEXT_SHOWN + sizeof("…")] = "";
	size_t n = 0;

	for (; *text; text++) {
		bool space = strchr(" \t\r\n\v\f", *text) != NULL;

		if (space && (n == 0 || line[n - 1] == ' '))
			continue;
		if (n == TEXT_SHOWN) {
			/* Not in the middle of a character. */
			while (n > 0 && ((unsigned char)line[n - 1] & 0xc0) == 0x80)
				n--;
			if (n > 0 && ((unsigned char)line[n - 1] & 0x80))
				n--;
			memcpy(line + n, "…", sizeof("…") - 1);
			n += sizeof("…") - 1;
			break;
		}
		line[n++] = space ? ' ' : *text;
	}
	while (n > 0 && line[n - 1] == ' ')
		n--;
	return xstrndup(line, n);
}

/* ---- no answer, or none to its end ---- */

/* The system's words at the end of http's detail: "… (No route to host)". */
static const char *system_words(const char *detail)
{
	const char *open = strrchr(detail, '(');

	return open ? open : "";
}

static struct api_explanation explain_tls(const struct api_asked *q, const char *detail)
{
	if (has(detail, "wrong version number") || has(detail, "packet length too long") ||
		has(detail, "unexpected message") || has(detail, "record layer failure"))
		return explain(q, "tls", false,
			"%s does not speak TLS; use http:// in -address or NOMAD_ADDR", q->address);
	if (has(detail, "alert") &&
		(has(detail, "certificate") || has(detail, "handshake failure") ||
			has(detail, "unknown ca")))
		return explain(q, "tls", false,
			"%s wants a client certificate that it trusts; set -client-cert and "
			"-client-key "
			"(NOMAD_CLIENT_CERT, NOMAD_CLIENT_KEY)",
			q->address);
	return explain(q, "tls", false,
		"the TLS handshake with %s failed (%s); does it speak https?", q->address, detail);
}

static struct api_explanation explain_cert(const struct api_asked *q, const char *detail)
{
	if (has(detail, "expired"))
		return explain(q, "tls", false, "the certificate of %s has expired; renew it there",
			q->address);
	if (has(detail, "subject name") || has(detail, "does not match"))
		return explain(q, "tls", false,
			"the certificate of %s is for another name (%s); set -tls-server-name or "
			"NOMAD_TLS_SERVER_NAME to the name in it",
			q->address, detail);
	return explain(q, "tls", false,
		"the certificate of %s is not trusted (%s); give the CA that signed it with "
		"-ca-cert or NOMAD_CACERT",
		q->address, detail);
}

static struct api_explanation explain_timeout(
	const struct api_asked *q, const struct http_result *r)
{
	if (r->status == 0 && !has(r->detail, "Operation timed out"))
		return explain(q, "timeout", true,
			"%s takes no connection within %g s; is the host up, and no firewall "
			"between? Else " CHECK_ADDRESS,
			q->address, q->connect);
	return explain(q, "timeout", true, "%s did not answer within %g s", q->address, q->total);
}

static struct api_explanation explain_transport(
	const struct api_asked *q, const struct http_result *r)
{
	const char *a = q->address;

	switch (r->error) {
	case HTTP_DNS:
		return explain(q, "dns", true,
			"the host name of %s has no address (%s); " CHECK_ADDRESS, a, r->detail);
	case HTTP_REFUSED:
		return explain(q, "refused", true,
			"%s refuses the connection %s; is Nomad running there? Else set -address "
			"or NOMAD_ADDR",
			a, system_words(r->detail));
	case HTTP_TLS:
		return explain_tls(q, r->detail);
	case HTTP_CERT:
		return explain_cert(q, r->detail);
	case HTTP_CERT_FILE:
		return explain(q, "tls", false,
			"a certificate or key file cannot be used (%s); check -ca-cert, -ca-path, "
			"-client-cert, "
			"-client-key",
			r->detail);
	case HTTP_TIMEOUT:
		return explain_timeout(q, r);
	case HTTP_IDLE:
		return explain(q, "idle", true,
			"%s sent nothing for %g s; the connection is taken for dead", a, q->idle);
	case HTTP_CUT:
		return explain(q, "cut", true,
			"the connection to %s broke before the answer was complete", a);
	case HTTP_VERSION:
		return explain(q, "version", false,
			"%s answers with an HTTP version that does not exist, as the event stream "
			"of Nomad 1.11.2 "
			"does (HTTP/0.0); upgrade Nomad to 1.11.3",
			a);
	case HTTP_NOT_HTTP:
		return explain(q, "not_http", false,
			"what answers at %s does not speak HTTP; " CHECK_ADDRESS
			" (Nomad's HTTP port is 4646)",
			a);
	case HTTP_TOO_LARGE:
		return explain(q, "too_large", false, "the answer of %s is larger than %zu bytes",
			a, q->body_max);
	case HTTP_REJECTED:
		return explain(q, "rejected", false, "the answer of %s was not read to its end", a);
	case HTTP_OK:
	case HTTP_INTERNAL:
	default:
		return explain(q, "internal", false, "the request to %s failed (%s)", a, r->detail);
	}
}

/* ---- an answer that is not 2xx ---- */

/* ` in namespace "ops"`, as the query says it; "" for a route that has none. */
static void where(const struct api_asked *q, char out[PLACE_MAX])
{
	const char *p = q->query;
	size_t len;

	out[0] = '\0';
	if (!api_route_capability(q->method, q->path))
		return;
	while (p && strncmp(p, "namespace=", 10) != 0) {
		p = strchr(p, '&');
		p = p ? p + 1 : NULL;
	}
	p = p ? p + 10 : "default";
	len = strcspn(p, "&");
	if (p[0] == '*' || strncmp(p, "%2A", 3) == 0)
		snprintf(out, PLACE_MAX, " in every namespace");
	else
		snprintf(out, PLACE_MAX, " in namespace \"%.*s\"",
			len < NAME_SHOWN ? (int)len : NAME_SHOWN, p);
}

static struct api_explanation explain_denied(const struct api_asked *q, const char *text)
{
	const char *capability = api_route_capability(q->method, q->path);
	char place[PLACE_MAX];

	where(q, place);
	if (!capability)
		capability = "a capability for it";
	if (!q->token)
		return explain(q, "denied", false,
			"Nomad at %s asks for a token and none was given; set -token, NOMAD_TOKEN "
			"or -token-file to one with "
			"%s%s",
			q->address, capability, place);
	if (has(text, "token not found"))
		return explain(q, "denied", false,
			"Nomad at %s does not know the token (ACL token not found); " CHECK_TOKEN,
			q->address);
	if (has(text, "token expired"))
		return explain(q, "denied", false,
			"the token has expired, says Nomad at %s; " CHECK_TOKEN, q->address);
	if (has(text, MALFORMED))
		return explain(q, "denied", false,
			"Nomad at %s takes no token of this form here; " CHECK_TOKEN
			" (for a workload identity, ask a client's agent, or Nomad 1.11.1 and "
			"later)",
			q->address);
	return explain(q, "denied", false,
		"Nomad at %s denies it (Permission denied): the token lacks %s%s, or is not known "
		"there; grant it in the "
		"token's ACL policy, or " CHECK_TOKEN,
		q->address, capability, place);
}

static struct api_explanation explain_not_nomad(
	const struct api_asked *q, const struct http_result *r)
{
	const char *type = r->content_type[0] ? r->content_type : "no content type";

	return explain(q, "not_nomad", false,
		"%s answers, but not as Nomad (%ld, %s); " CHECK_ADDRESS, q->address, r->status,
		type);
}

/* Nomad says 403 since 1.5; before, and where an RPC error is passed on, a 500 ends with these
 * words. */
static bool is_denied(long status, const char *text)
{
	if (status == 401 || status == 403)
		return true;
	if (status == 500 && has(text, "token") && has(text, MALFORMED))
		return true;
	return status == 500 &&
	       (ends(text, "Permission denied") || ends(text, "ACL token not found") ||
		       ends(text, "ACL token expired"));
}

/* Nomad's own answers that are not 2xx are plain text; another server's are pages or JSON. */
static bool is_not_nomad(const struct http_result *r, const char *text)
{
	if (api_is_html(r->content_type) || text[0] == '<')
		return true;
	if (r->status >= 300 && r->status < 400)
		return true;
	return r->status == 404 && (text[0] == '{' || has(text, "404 page not found"));
}

/* What servers say while they lose, look for or change their leader: Nomad's own words, and those of
 * what carries its requests from one to the other (its connection pool, yamux, raft, the system). */
static bool passes_by_itself(long status, const char *text)
{
	static const char *const words[] = {
		"No cluster leader",
		"Not ready to serve consistent reads",
		"rpc error: EOF",
		"no servers",
		"failed to get conn",
		"lead thread didn't get connection",
		"failed to start stream",
		"rpc error: shutdown",
		"session shutdown",
		"stream closed",
		"connection reset",
		"connection refused",
		"broken pipe",
		"connection write timeout",
		"keepalive timeout",
		"i/o deadline reached",
		"i/o timeout",
		"node is not the leader",
		"leadership lost while committing log",
		"leadership transfer in progress",
		"snapshot restored while committing log",
		"raft is already shutdown",
		"timed out enqueuing operation",
	};

	if (status >= 502 && status <= 504)
		return true;
	for (size_t i = 0; status == 500 && i < sizeof(words) / sizeof(words[0]); i++) {
		if (has(text, words[i]))
			return true;
	}
	return false;
}

static struct api_explanation explain_text(
	const struct api_asked *q, const struct http_result *r, const char *text)
{
	char place[PLACE_MAX];

	where(q, place);
	if (has(text, "Enforcing job modify index") || r->status == 409)
		return explain(q, "conflict", false, "changed meanwhile by another: %s", text);
	if (r->status == 429)
		return explain(q, "rate_limited", true,
			"Nomad at %s asks for fewer requests (429): %s", q->address, text);
	if (r->status == 404)
		return explain(q, "not_found", false, "Nomad at %s has no such object%s%s%s",
			q->address, place, text[0] ? ": " : "", text);
	if (passes_by_itself(r->status, text))
		return explain(q, "server", true, "Nomad at %s cannot serve it now (%ld): %s",
			q->address, r->status, text);
	if (has(text, "No path to region"))
		return explain(q, "server", false,
			"Nomad at %s knows no such region; check -region or NOMAD_REGION: %s",
			q->address, text);
	if (r->status >= 500)
		return explain(q, "server", false, "Nomad at %s refuses it (%ld): %s", q->address,
			r->status, text);
	return explain(
		q, "http", false, "Nomad at %s refuses it (%ld): %s", q->address, r->status, text);
}

static struct api_explanation explain_status(
	const struct api_asked *q, const struct http_result *r, const char *text)
{
	bool html = api_is_html(r->content_type) || text[0] == '<';
	struct api_explanation e;
	char *words;

	if (r->status == 400 &&
		(has(text, "HTTP request to an HTTPS server") || has(text, "to HTTPS port")))
		return explain(q, "tls", false,
			"%s speaks TLS; use https:// in -address or NOMAD_ADDR", q->address);
	if (has(text, "registration, dispatch, and scale are disabled"))
		return explain(q, "frozen", true,
			"Nomad at %s refuses registrations for now (scheduler configuration, "
			"RejectJobRegistration)",
			q->address);
	if (is_denied(r->status, text) && !html)
		return explain_denied(q, text);
	if (html && passes_by_itself(r->status, ""))
		return explain(q, "server", true, "what stands before Nomad at %s answers %ld",
			q->address, r->status);
	if (is_not_nomad(r, text))
		return explain_not_nomad(q, r);
	words = shown(text);
	e = explain_text(q, r, words);
	free(words);
	return e;
}

struct api_explanation api_explain(
	const struct api_asked *asked, const struct http_result *result, const char *text)
{
	return result->error == HTTP_OK ? explain_status(asked, result, text)
					: explain_transport(asked, result);
}

bool api_is_html(const char *content_type)
{
	return strncasecmp(content_type, "text/html", 9) == 0;
}
