/* metrics: see metrics.h. A sorted array: many more additions to a few series than new ones. */
#include "metrics.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MAX 1024 /* bytes of a name with its labels */

struct series {
	char *name;
	double value;
};

struct metrics {
	struct series *series; /* sorted by name */
	size_t count, cap;
};

struct metrics *metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		free(m->series[i].name);
	free(m->series);
	free(m);
}

/* The place of the name, or the place where it belongs. */
static bool find(const struct metrics *m, const char *name, size_t *at)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(m->series[middle].name, name);

		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

bool metrics_add(struct metrics *m, const char *name, double value)
{
	size_t at;

	if (!find(m, name, &at)) {
		if (m->count == METRICS_SERIES_MAX)
			return false;
		if (m->count == m->cap) {
			m->cap = m->cap ? m->cap * 2 : 32;
			m->series = xrealloc(m->series, m->cap * sizeof(*m->series));
		}
		memmove(m->series + at + 1, m->series + at, (m->count - at) * sizeof(*m->series));
		m->series[at] = (struct series){.name = xstrdup(name)};
		m->count++;
	}
	m->series[at].value += value;
	return true;
}

bool metrics_add_at(struct metrics *m, size_t *at, const char *series, double value)
{
	if (*at >= m->count || strcmp(m->series[*at].name, series) != 0) {
		bool ok = metrics_add(m, series, value);

		(void)find(m, series, at);
		return ok;
	}
	m->series[*at].value += value;
	return true;
}

bool metrics_put_label(struct buf *b, const char *name, const char *value, size_t len)
{
	bool ok = buf_addf(b, "%s=\"", name);

	for (size_t i = 0; ok && i < len; i++) {
		if (value[i] == '\n')
			ok = buf_add(b, "\\n", 2);
		else if (value[i] == '"' || value[i] == '\\')
			ok = buf_addf(b, "\\%c", value[i]);
		else
			ok = buf_add(b, value + i, 1);
	}
	return ok && buf_add(b, "\"", 1);
}

bool metrics_add_with(struct metrics *m, double value, const char *name, ...)
{
	struct buf series;
	const char *label;
	char before = '{';
	va_list args;
	bool ok;

	buf_init(&series, SERIES_MAX);
	ok = buf_addf(&series, "%s", name);
	va_start(args, name);
	while (ok && (label = va_arg(args, const char *))) {
		const char *text = va_arg(args, const char *);

		ok = buf_add(&series, &before, 1) &&
		     metrics_put_label(&series, label, text, strlen(text));
		before = ',';
	}
	va_end(args);
	ok = ok && (before == '{' || buf_add(&series, "}", 1)) &&
	     metrics_add(m, buf_text(&series), value);
	buf_free(&series);
	return ok;
}

double metrics_get(const struct metrics *m, const char *name)
{
	size_t at;

	return find(m, name, &at) ? m->series[at].value : 0;
}

void metrics_each(const struct metrics *m, metrics_cb *cb, void *user)
{
	for (size_t i = 0; i < m->count; i++)
		cb(m->series[i].name, m->series[i].value, user);
}
