/* interests: see interests.h. */
#include "interests.h"

#include <stdlib.h>
#include <string.h>

struct interests *interests_new(void)
{
	struct interests *in = xcalloc(1, sizeof(*in));

	in->namespaces = xcalloc(INTERESTS_MAX + 1, sizeof(*in->namespaces));
	in->topics = xcalloc(INTERESTS_MAX + 1, sizeof(*in->topics));
	in->pass = xcalloc(INTERESTS_MAX, sizeof(*in->pass));
	return in;
}

static void free_list(char **list)
{
	for (char **at = list; at && *at; at++)
		free(*at);
	free(list);
}

void interests_free(struct interests *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->pass_count; i++) {
		free(in->pass[i].topic);
		free_list(in->pass[i].types);
	}
	free(in->pass);
	free_list(in->topics);
	free_list(in->namespaces);
	free(in);
}

static bool add(char **list, const char *text)
{
	size_t count = 0;

	while (list[count])
		count++;
	if (count == INTERESTS_MAX)
		return false;
	list[count] = xstrdup(text);
	return true;
}

bool interests_add_topic(struct interests *in, const char *topic)
{
	return add(in->topics, topic);
}

bool interests_add_namespace(struct interests *in, const char *ns)
{
	return add(in->namespaces, ns);
}

bool interests_add_pass(struct interests *in, const char *topic)
{
	if (in->pass_count == INTERESTS_MAX)
		return false;
	in->pass[in->pass_count++].topic = xstrdup(topic);
	return true;
}

bool interests_add_type(struct interests *in, const char *type)
{
	struct interest *last = &in->pass[in->pass_count - 1];

	if (!last->types)
		last->types = xcalloc(INTERESTS_MAX + 1, sizeof(*last->types));
	return add(last->types, type);
}

/* Topics and types are plain words: one that is written with escapes is not known to us. */
static bool equal(const struct scan_span *span, const char *text)
{
	size_t len = strlen(text);

	return span->p && !span->escaped && span->n == len && memcmp(span->p, text, len) == 0;
}

static bool want_type(const struct interest *one, const struct scan_event *event)
{
	if (!one->types)
		return true;
	for (char *const *type = one->types; *type; type++)
		if (equal(&event->type, *type))
			return true;
	return false;
}

bool interests_want(const struct interests *in, const struct scan_event *event)
{
	for (size_t i = 0; i < in->pass_count; i++)
		if (equal(&event->topic, in->pass[i].topic))
			return want_type(&in->pass[i], event);
	return false;
}

static bool same_list(char *const *a, char *const *b)
{
	while (*a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return !*a && !*b;
}

bool interests_same_stream(const struct interests *a, const struct interests *b)
{
	return same_list(a->topics, b->topics) && same_list(a->namespaces, b->namespaces);
}
