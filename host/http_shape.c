/* http_shape: what requests that follow each other have in common. */
#include "http_shape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double default_connect_timeout = 30;

static long milliseconds(double seconds)
{
	return seconds * 1000 < 1 ? 1 : (long)(seconds * 1000);
}

long http_connect_ms(const struct http_options *o)
{
	return milliseconds(o->connect_timeout > 0 ? o->connect_timeout : default_connect_timeout);
}

long http_total_ms(const struct http_options *o)
{
	return o->total_timeout > 0 ? milliseconds(o->total_timeout) : 0;
}

bool http_is_direct(const struct http_options *o)
{
	const char *host = strstr(o->url, "://");

	if (o->unix_socket)
		return true;
	if (!host)
		return false;
	host += 3;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
	       (strncmp(host, "localhost", 9) == 0 && strchr(":/", host[9]));
}

/* Would libcurl look for a proxy in the environment, and find one? */
static bool is_proxied(void)
{
	static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && value[0])
			return true;
	}
	return false;
}

/* Nothing that libcurl would refuse, take off, or change. */
static bool is_plain(const char *target)
{
	for (; *target; target++) {
		if ((unsigned char)*target <= ' ' || (unsigned char)*target >= 0x7f ||
			*target == '#')
			return false;
	}
	return true;
}

size_t http_shape_origin(const struct http_options *o)
{
	bool http = strncmp(o->url, "http://", 7) == 0;
	size_t scheme = http ? 7 : 8, host;

	if (o->fresh_connection || (!http && strncmp(o->url, "https://", 8) != 0))
		return 0;
	host = strcspn(o->url + scheme, "/?#");
	if (host == 0 || o->url[scheme + host] != '/' || !is_plain(o->url + scheme))
		return 0;
	/* A proxy wants the whole URL for a target, unless TLS keeps it from seeing any. */
	if (http && !http_is_direct(o) && is_proxied())
		return 0;
	return scheme + host;
}

static void put(struct buf *b, const char *text, size_t len)
{
	if (!buf_add(b, text, len) || !buf_add(b, "", 1))
		abort();
}

static void put_text(struct buf *b, const char *text)
{
	put(b, text ? text : "", text ? strlen(text) : 0);
}

void http_shape_init(struct http_shape *s)
{
	*s = (struct http_shape){.connect_ms = 0};
	buf_init(&s->texts, SIZE_MAX);
}

void http_shape_take(struct http_shape *s, const struct http_options *o, size_t origin)
{
	http_shape_clear(s);
	s->connect_ms = http_connect_ms(o);
	s->total_ms = http_total_ms(o);
	s->body = o->body != NULL;
	s->empty_body = o->body_len == 0;
	put_text(&s->texts, o->method);
	put(&s->texts, o->url, origin);
	put_text(&s->texts, o->unix_socket);
	put_text(&s->texts, o->basic_auth);
	for (const char *const *line = o->headers; line && *line; line++)
		put_text(&s->texts, *line);
}

/* Behind the next of the texts, if it is this one; else NULL. */
static const char *pass(const char *at, const char *end, const char *text, size_t len)
{
	if (!at || (size_t)(end - at) <= len || memcmp(at, text, len) != 0 || at[len] != '\0')
		return NULL;
	return at + len + 1;
}

static const char *pass_text(const char *at, const char *end, const char *text)
{
	return pass(at, end, text ? text : "", text ? strlen(text) : 0);
}

bool http_shape_fits(const struct http_shape *s, const struct http_options *o, size_t origin)
{
	const char *at = s->texts.data, *end = at + s->texts.len;

	if (s->texts.len == 0 || s->body != (o->body != NULL) ||
		s->empty_body != (o->body_len == 0) || s->connect_ms != http_connect_ms(o) ||
		s->total_ms != http_total_ms(o))
		return false;
	at = pass_text(at, end, o->method);
	at = pass(at, end, o->url, origin);
	at = pass_text(at, end, o->unix_socket);
	at = pass_text(at, end, o->basic_auth);
	for (const char *const *line = o->headers; at && line && *line; line++)
		at = pass_text(at, end, *line);
	return at == end;
}

void http_shape_clear(struct http_shape *s)
{
	buf_free(&s->texts);
}
