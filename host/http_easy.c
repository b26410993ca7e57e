/* http_easy: one request and the certificates, as settings of a libcurl easy handle. */
#include "http_easy.h"

#include <stdlib.h>
#include <string.h>

enum {
	READ_BUFFER = 64 * 1024,
	/* For what answers a write: libcurl allocates it for each request, and the allocator tidies up
	 * whenever it gets 64 KiB back. */
	ANSWER_BUFFER = 16 * 1024
};

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* The certificate is checked for `name` while the connection goes to the address: for libcurl
 * the URL names the one, CONNECT_TO the other. The Host header stays the address's. */
static int use_server_name(struct http_easy *e, const char *url, const char *name)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL, *named = NULL, *line;
	int bad = !u;

	bad = bad || curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK;
	bad = bad || curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK;
	bad = bad || curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK;
	bad = bad || curl_url_set(u, CURLUPART_HOST, name, 0) != CURLUE_OK;
	bad = bad || curl_url_get(u, CURLUPART_URL, &named, 0) != CURLUE_OK;
	if (!bad) {
		line = xasprintf("::%s:%s", host, port);
		bad = !add_line(&e->connect_to, line);
		free(line);
		line = xasprintf("Host: %s:%s", host, port);
		bad = bad || !add_line(&e->headers, line);
		free(line);
		bad = bad ||
		      curl_easy_setopt(e->curl, CURLOPT_CONNECT_TO, e->connect_to) != CURLE_OK;
		bad = bad || curl_easy_setopt(e->curl, CURLOPT_URL, named) != CURLE_OK;
	}
	curl_free(host);
	curl_free(port);
	curl_free(named);
	curl_url_cleanup(u);
	return bad;
}

/* Certificates of one's own replace the system's. */
static int set_tls(struct http_easy *e, const char *url, const struct http_tls *t)
{
	CURL *c = e->curl;
	int bad = 0;

	bad |= (int)curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= (int)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, t->skip_verify ? 0L : 1L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, t->skip_verify ? 0L : 2L);
	if (t->ca_cert || t->ca_path) {
		bad |= (int)curl_easy_setopt(c, CURLOPT_CAINFO, t->ca_cert);
		bad |= (int)curl_easy_setopt(c, CURLOPT_CAPATH, t->ca_path);
		/* Read again for each connection: the file may have been renewed. */
		bad |= (int)curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	}
	if (t->client_cert)
		bad |= (int)curl_easy_setopt(c, CURLOPT_SSLCERT, t->client_cert);
	if (t->client_key)
		bad |= (int)curl_easy_setopt(c, CURLOPT_SSLKEY, t->client_key);
	if (t->server_name)
		bad |= use_server_name(e, url, t->server_name);
	return bad;
}

static int set_body(struct http_easy *e, const struct http_options *o)
{
	int bad = 0;

	free(e->body);
	e->body = xmalloc(o->body_len);
	if (o->body_len > 0)
		memcpy(e->body, o->body, o->body_len);
	bad |= (int)curl_easy_setopt(e->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body_len);
	bad |= (int)curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, (char *)e->body);
	return bad;
}

static bool has_body(const struct http_options *o)
{
	if (strcmp(o->method, "HEAD") == 0)
		return false;
	return o->body || strcmp(o->method, "POST") == 0 || strcmp(o->method, "PUT") == 0;
}

static int set_body_headers(struct http_easy *e, const struct http_options *o)
{
	int bad = 0;

	/* libcurl would wait a second for a "100 Continue" before a large body. */
	bad |= !add_line(&e->headers, "Expect:");
	if (o->body_len == 0)
		bad |= !add_line(&e->headers, "Content-Type:");
	return bad;
}

static int set_method(struct http_easy *e, const struct http_options *o)
{
	const char *m = o->method;
	int bad = 0;

	if (strcmp(m, "HEAD") == 0)
		return (int)curl_easy_setopt(e->curl, CURLOPT_NOBODY, 1L);
	if (has_body(o))
		bad |= set_body_headers(e, o);
	if (strcmp(m, "GET") != 0 || o->body)
		bad |= (int)curl_easy_setopt(e->curl, CURLOPT_CUSTOMREQUEST, m);
	return bad;
}

static int set_headers(struct http_easy *e, const struct http_options *o)
{
	int bad = 0;

	for (const char *const *line = o->headers; line && *line; line++)
		bad |= !add_line(&e->headers, *line);
	if (o->basic_auth) {
		bad |= (int)curl_easy_setopt(e->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		bad |= (int)curl_easy_setopt(e->curl, CURLOPT_USERPWD, o->basic_auth);
	}
	return bad;
}

static int set_connection(struct http_easy *e, const struct http_options *o)
{
	CURL *c = e->curl;
	int bad = 0;

	bad |= (int)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_TCP_KEEPIDLE, 30L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_TCP_KEEPINTVL, 10L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, http_connect_ms(o));
	if (o->total_timeout > 0)
		bad |= (int)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, http_total_ms(o));
	if (o->unix_socket)
		bad |= (int)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
	if (http_is_direct(o)) {
		bad |= (int)curl_easy_setopt(c, CURLOPT_PROXY, "");
		bad |= (int)curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	}
	if (o->fresh_connection) {
		bad |= (int)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
		bad |= (int)curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	}
	return bad;
}

/* libcurl takes apart and puts together again for each request what it gets as a text. NULL: libcurl
 * has to say what is wrong with it. */
static CURLU *parse_origin(const struct http_options *o, size_t len)
{
	char *origin = xasprintf("%.*s/", (int)len, o->url);
	CURLU *u = curl_url();

	if (u && curl_url_set(u, CURLUPART_URL, origin, CURLU_PATH_AS_IS) != CURLUE_OK) {
		curl_url_cleanup(u);
		u = NULL;
	}
	free(origin);
	return u;
}

static int set_url(struct http_easy *e, const struct http_options *o, const struct http_tls *tls)
{
	bool https = strncmp(o->url, "https:", 6) == 0;
	int bad = 0;

	/* A server's name of its own makes another URL of it. */
	if (e->url && !(https && tls->server_name))
		bad |= (int)curl_easy_setopt(e->curl, CURLOPT_CURLU, e->url);
	else
		bad |= (int)curl_easy_setopt(e->curl, CURLOPT_URL, o->url);
	if (https)
		bad |= set_tls(e, o->url, tls);
	return bad;
}

static bool set_all(struct http_easy *e, const struct http_options *o, const struct http_tls *tls)
{
	CURL *c = e->curl;
	long buffer = o->body ? ANSWER_BUFFER : READ_BUFFER;
	int bad = 0;

	bad |= (int)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, e->error);
	bad |= (int)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* A request that is given up must not wait for the resolver's thread. */
	bad |= (int)curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= (int)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= (int)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	bad |= (int)curl_easy_setopt(c, CURLOPT_BUFFERSIZE, buffer);
	bad |= set_connection(e, o);
	bad |= set_url(e, o, tls);
	bad |= set_headers(e, o);
	bad |= set_method(e, o);
	if (e->headers)
		bad |= (int)curl_easy_setopt(c, CURLOPT_HTTPHEADER, e->headers);
	return !bad;
}

struct http_easy *http_easy_new(void)
{
	struct http_easy *e = xcalloc(1, sizeof(*e));

	http_shape_init(&e->shape);
	e->curl = curl_easy_init();
	if (!e->curl)
		abort();
	return e;
}

bool http_easy_fits(
	const struct http_easy *e, const struct http_options *o, size_t origin, unsigned tls_age)
{
	return origin > 0 && e->tls_age == tls_age && http_shape_fits(&e->shape, o, origin);
}

bool http_easy_again(struct http_easy *e, const struct http_options *o, size_t origin)
{
	int bad = 0;

	e->error[0] = '\0';
	bad |= (int)curl_easy_setopt(e->curl, CURLOPT_REQUEST_TARGET, o->url + origin);
	if (has_body(o))
		bad |= set_body(e, o);
	return !bad;
}

bool http_easy_setup(struct http_easy *e, const struct http_options *o, size_t origin,
	const struct http_tls *tls, unsigned tls_age)
{
	http_easy_reset(e);
	e->error[0] = '\0';
	e->tls_age = tls_age;
	if (origin > 0)
		e->url = parse_origin(o, origin);
	if (!set_all(e, o, tls))
		return false;
	if (!e->url)
		return !has_body(o) || set_body(e, o) == 0;
	http_shape_take(&e->shape, o, origin);
	return http_easy_again(e, o, origin);
}

/* What libcurl borrowed; it is not asked to do anything before it has been given other things. */
static void drop_borrowed(struct http_easy *e)
{
	curl_slist_free_all(e->headers);
	curl_slist_free_all(e->connect_to);
	curl_url_cleanup(e->url);
	free(e->body);
	e->headers = NULL;
	e->connect_to = NULL;
	e->url = NULL;
	e->body = NULL;
}

void http_easy_reset(struct http_easy *e)
{
	curl_easy_reset(e->curl);
	http_shape_clear(&e->shape);
	drop_borrowed(e);
}

void http_easy_end(struct http_easy *e)
{
	if (e->shape.texts.len == 0) {
		http_easy_reset(e);
		return;
	}
	free(e->body);
	e->body = NULL;
}

void http_easy_free(struct http_easy *e)
{
	curl_easy_cleanup(e->curl);
	http_shape_clear(&e->shape);
	drop_borrowed(e);
	free(e);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void http_tls_copy(struct http_tls *out, const struct http_tls *from)
{
	out->ca_cert = copy(from->ca_cert);
	out->ca_path = copy(from->ca_path);
	out->client_cert = copy(from->client_cert);
	out->client_key = copy(from->client_key);
	out->server_name = copy(from->server_name);
	out->skip_verify = from->skip_verify;
}

/* The strings are const for those who only read them; here they are known to be copies. */
static void drop(const char *text)
{
	union {
		const char *read;
		void *owned;
	} p = {.read = text};

	free(p.owned);
}

void http_tls_clear(struct http_tls *t)
{
	drop(t->ca_cert);
	drop(t->ca_path);
	drop(t->client_cert);
	drop(t->client_key);
	drop(t->server_name);
	memset(t, 0, sizeof(*t));
}
