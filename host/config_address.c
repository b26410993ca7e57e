/* config_address: what a person may write as Nomad's address, completed and taken apart. */
#include "config_address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hex.h"

enum {
	SOCKET_PATH_MAX = 107, /* bytes that the kernel takes */
	HOST_MAX = 253
};

static const char examples[] = "use forms like nomad.example.com, 10.0.0.1:4646, [::1]:4646, "
			       "https://host:4646, unix:///path";

static bool scheme_is(const char *text, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(text, name, len) == 0;
}

static bool scheme_known(const char *text, size_t len)
{
	return scheme_is(text, len, "http") || scheme_is(text, len, "https") ||
	       scheme_is(text, len, "unix");
}

/* The address for a message: whatever may be a password is left out. */
static char *shown(const char *text)
{
	const char *at = strrchr(text, '@');
	const char *scheme = strstr(text, "://");
	size_t keep = 0;

	if (!at)
		return xstrdup(text);
	if (scheme && scheme < at && scheme_known(text, (size_t)(scheme - text)))
		keep = (size_t)(scheme + 3 - text);
	return xasprintf("%.*s(hidden)%s", (int)keep, text, at);
}

static bool refuse(char **error, const char *text, const char *why)
{
	char *safe = shown(text);

	*error = xasprintf("\"%s\" is no address: %s; %s", safe, why, examples);
	free(safe);
	return false;
}

/* user:password with its %XX decoded, or NULL where one is wrong or a control character comes
 * out. */
static char *decode_userinfo(const char *p, size_t len)
{
	char *out = xmalloc(len + 2);
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		int c = (unsigned char)p[i];

		if (p[i] == '%') {
			int high = len - i > 2 ? hex_value(p[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(p[i + 2]) : -1;

			c = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f) {
			free(out);
			return NULL;
		}
		out[n++] = (char)c;
	}
	if (!memchr(p, ':', len))
		out[n++] = ':';
	out[n] = '\0';
	return out;
}

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static bool is_name(const char *p, size_t len)
{
	size_t i;

	if (len == 0 || len > HOST_MAX || *p == '-' || *p == '.')
		return false;
	for (i = 0; i < len; i++) {
		if (!is_host_char(p[i]))
			return false;
	}
	return true;
}

/* The inside of [ ]: an IPv6 address, perhaps with a zone behind %. */
static bool is_ipv6(const char *p, size_t len)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr address;
	const char *zone = memchr(p, '%', len);
	size_t n = zone ? (size_t)(zone - p) : len;
	size_t i;

	if (n >= sizeof(text))
		return false;
	for (i = n + 1; i < len; i++) {
		if (!is_host_char(p[i]) && p[i] != '%')
			return false;
	}
	memcpy(text, p, n);
	text[n] = '\0';
	return (!zone || len > n + 1) && inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_port(const char *p, size_t len)
{
	unsigned long port = 0;
	size_t i;

	if (len == 0 || len > 5)
		return false;
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		port = port * 10 + (unsigned long)(p[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/* What is wrong with host[:port], or NULL. *has_port is set. */
static const char *check_host(const char *p, size_t len, bool *has_port)
{
	const char *end = p + len;
	const char *rest; /* behind the host: nothing or :port */

	if (len == 0)
		return "there is no host in it";
	if (*p == '[') {
		const char *close = memchr(p, ']', len);

		if (!close || !is_ipv6(p + 1, (size_t)(close - p - 1)))
			return "what is in the brackets is no IPv6 address";
		rest = close + 1;
	} else {
		rest = memchr(p, ':', len);
		if (!rest)
			rest = end;
		if (rest < end && memchr(rest + 1, ':', (size_t)(end - rest - 1)))
			return "an IPv6 address needs brackets, as in [::1]:4646";
		if (!is_name(p, (size_t)(rest - p)))
			return "that is no host name";
	}
	*has_port = rest < end;
	if (rest < end && (*rest != ':' || !is_port(rest + 1, (size_t)(end - rest - 1))))
		return "the port is a number from 1 to 65535";
	return NULL;
}

/* Takes user:password@ off the front of *p. */
static const char *take_userinfo(const char **p, size_t *len, struct config_address *out)
{
	size_t n = *len;

	while (n > 0 && (*p)[n - 1] != '@')
		n--;
	if (n == 0)
		return NULL;
	if (n > 1) {
		out->http_auth = decode_userinfo(*p, n - 1);
		if (!out->http_auth)
			return "the part before the @ has a % that two hex digits must follow, "
			       "or a control character";
	}
	*p += n;
	*len -= n;
	return NULL;
}

static const char *parse_unix(const char *rest, struct config_address *out)
{
	size_t len = strcspn(rest, "/");
	const char *p = rest;
	const char *why = take_userinfo(&p, &len, out);

	if (why)
		return why;
	if (len > 0 || *p != '/')
		return "the path of a socket begins with a slash, as in unix:///run/nomad.sock";
	if (strlen(p) > SOCKET_PATH_MAX)
		return "the path of a socket has at most 107 bytes";
	out->unix_socket = xstrdup(p);
	out->url = xstrdup("http://127.0.0.1");
	return NULL;
}

static const char *parse_host(const char *scheme, const char *rest, struct config_address *out)
{
	size_t len = strcspn(rest, "/?#");
	const char *p = rest;
	const char *why = take_userinfo(&p, &len, out);
	bool has_port = false;

	if (!why)
		why = check_host(p, len, &has_port);
	if (why)
		return why;
	out->url = xasprintf("%s://%.*s%s", scheme ? scheme : "http", (int)len, p,
		scheme || has_port ? "" : ":4646");
	return NULL;
}

static const char *parse(const char *text, struct config_address *out)
{
	const char *mark = strstr(text, "://");
	const char *rest = mark ? mark + 3 : text;
	size_t len = mark ? (size_t)(mark - text) : 0;

	if (!mark)
		return parse_host(NULL, rest, out);
	if (scheme_is(text, len, "unix"))
		return parse_unix(rest, out);
	if (scheme_is(text, len, "http"))
		return parse_host("http", rest, out);
	if (scheme_is(text, len, "https"))
		return parse_host("https", rest, out);
	return "it begins with http://, https:// or unix://, or with none of them";
}

bool config_address_parse(const char *text, struct config_address *out, char **error)
{
	const char *why;

	memset(out, 0, sizeof(*out));
	why = parse(text, out);
	if (!why)
		return true;
	free(out->http_auth);
	out->http_auth = NULL;
	return refuse(error, text, why);
}
