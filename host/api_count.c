/* api_count: answers of Nomad, counted by method and status. */
#include "api_count.h"

#include <stdlib.h>
#include <string.h>

/* Methods are of our own list, so that no script makes up new ones. */
static const char *known_method(const char *method)
{
	static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i], method) == 0)
			return methods[i];
	}
	return "other";
}

/* NULL: there is no room for another one. */
static const char *name_of(struct api_count *c, const char *method, long status)
{
	struct api_count_series *s = c->known;

	for (; s < c->known + c->count; s++) {
		if (s->status == status && s->method == method)
			return s->name;
	}
	if (c->count == API_COUNT_KNOWN)
		return NULL;
	c->count++;
	*s = (struct api_count_series){.method = method, .status = status};
	s->name = xasprintf("nomad_requests_total{code=\"%ld\",method=\"%s\"}", status, method);
	return s->name;
}

void api_count_answer(
	struct api_count *c, const char *method, const struct http_result *answer, const char *code)
{
	const char *known = known_method(method), *name = NULL;
	char *status = NULL;

	if (!c->metrics)
		return;
	if (answer->error == HTTP_OK) {
		name = name_of(c, known, answer->status);
		if (!name)
			code = status = xasprintf("%ld", answer->status);
	}
	if (name)
		(void)metrics_add(c->metrics, name, 1);
	else
		(void)metrics_add_with(
			c->metrics, 1, "nomad_requests_total", "code", code, "method", known, NULL);
	free(status);
}

void api_count_clear(struct api_count *c)
{
	while (c->count > 0)
		free(c->known[--c->count].name);
}
