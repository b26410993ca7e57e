/* api_route: what is known of Nomad's routes: how one is written, whether it changes anything,
 * and which ACL capability it needs. */
#include "api_route.h"

#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "hex.h"

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n >= m && strcmp(text + n - m, with) == 0;
}

/* Nomad routes by the decoded path. NULL for a path that cannot be decoded to a text; else the
 * caller frees it. */
static char *decode(const char *path)
{
	char *text = xmalloc(strlen(path) + 1), *out = text;

	for (; *path; path++) {
		if (*path != '%') {
			*out++ = *path;
			continue;
		}
		if (hex_value(path[1]) < 0 || hex_value(path[2]) < 0 ||
			(path[1] == '0' && path[2] == '0')) {
			free(text);
			return NULL;
		}
		*out++ = (char)(hex_value(path[1]) * 16 + hex_value(path[2]));
		path += 2;
	}
	*out = '\0';
	return text;
}

/* Some routes of a client agent act whatever the method is: a GET of /v1/client/gc collects. */
static bool get_is_read(const char *path)
{
	if (!starts(path, "/v1/client/"))
		return true;
	if (starts(path, "/v1/client/allocation/"))
		return ends(path, "/stats") || ends(path, "/checks") || ends(path, "/pause");
	return starts(path, "/v1/client/fs/") || strcmp(path, "/v1/client/stats") == 0 ||
	       strcmp(path, "/v1/client/metadata") == 0;
}

static bool post_is_read(const char *path)
{
	static const char *const exact[] = {
		"/v1/jobs/parse", "/v1/validate/job", "/v1/search", "/v1/search/fuzzy"};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		if (strcmp(path, exact[i]) == 0)
			return true;
	}
	return starts(path, "/v1/job/") && ends(path, "/plan") &&
	       strlen(path) > strlen("/v1/job/") + strlen("/plan");
}

bool api_is_read(const char *method, const char *path)
{
	bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	bool post = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
	char *text;
	bool read;

	/* What a proxy or the server could take for another path, or for the end of this one. */
	if ((!get && !post) || path[0] != '/' || strpbrk(path, "?#\\") || strstr(path, "//"))
		return false;
	text = decode(path);
	if (!text)
		return false;
	read = !strstr(text, "/../") && !strstr(text, "/./") &&
	       (get ? get_is_read(text) : post_is_read(text));
	free(text);
	return read;
}

const char *api_route_capability(const char *method, const char *path)
{
	static const struct {
		const char *prefix, *suffix;
		const char *read, *write; /* NULL: no single one */
	} table[] = {
		{"/v1/jobs/parse", "", NULL, "parse-job"},
		{"/v1/jobs", "", "list-jobs", "submit-job"},
		{"/v1/validate/job", "", NULL, "read-job"},
		{"/v1/job/", "/dispatch", NULL, "dispatch-job"},
		{"/v1/job/", "/scale", "read-job-scaling", "scale-job"},
		{"/v1/job/", "", "read-job", "submit-job"},
		{"/v1/event/stream", "", "read-job", NULL},
		{"/v1/allocation", "", "read-job", "alloc-lifecycle"},
		{"/v1/evaluation", "", "read-job", "submit-job"},
		{"/v1/deployment", "", "read-job", "submit-job"},
		{"/v1/service", "", "read-job", "submit-job"},
		{"/v1/client/fs/logs/", "", "read-logs", NULL},
		{"/v1/client/fs/", "", "read-fs", NULL},
	};
	bool read = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (starts(path, table[i].prefix) && ends(path, table[i].suffix))
			return read ? table[i].read : table[i].write;
	}
	return NULL;
}

bool api_route_is_plain(const char *text, const char *refused)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
		/* Few of them, mostly none at all: sooner done than a call. */
		for (const char *r = refused; *r; r++) {
			if (*text == *r)
				return false;
		}
	}
	return true;
}

static bool stays(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

bool api_escape(struct buf *out, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char code[3] = {'%', digits[c >> 4], digits[c & 15]};
		size_t from = i;

		while (i < len && stays((unsigned char)text[i]))
			i++;
		if (i > from) {
			if (!buf_add(out, text + from, i - from))
				return false;
			i--;
		} else if (!buf_add(out, code, sizeof(code))) {
			return false;
		}
	}
	return true;
}
