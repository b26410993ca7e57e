/* fuzz/where: any bytes as a payload, for programs of every kind: no crash, and answers that go together. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELD = 1, TEXTS, SCALARS, EXCEPTION, PROGRAMS };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void set(struct where_node *n, const char *text)
{
	where_set_text(n, text, strlen(text));
}

static void add_scalars(struct where_node *parent)
{
	where_set_integer(where_add(parent, "A", 1, WHERE_INTEGER), 1);
	where_set_float(where_add(parent, "B", 1, WHERE_FLOAT), 0.5);
	where_set_boolean(where_add(parent, "C", 1, WHERE_BOOLEAN), false);
	set(where_add(parent, "D", 1, WHERE_STRING), "x");
	set(where_add(parent, "E", 1, WHERE_PREFIX), "ab");
}

static void add_texts(struct where_node *parent)
{
	set(where_add(parent, NULL, 0, WHERE_MENTIONS), "auto-backup");
	set(where_add(parent, NULL, 0, WHERE_MENTIONS), "autobackup");
	set(where_add(parent, NULL, 0, WHERE_MENTIONS), "a\"");
}

/* Texts but for a field. */
static void add_exception(struct where *w)
{
	struct where_node *n = where_add(where_root(w), NULL, 0, WHERE_EXCEPT);

	add_texts(where_add(n, NULL, 0, WHERE_ANY));
	(void)where_add(where_add(n, NULL, 0, WHERE_FIELDS), "M", 1, WHERE_PRESENT);
}

static void add_program(struct where *w, int which)
{
	struct where_node *job;

	if (which == EXCEPTION) {
		add_exception(w);
		return;
	}
	job = where_add(where_root(w), NULL, 0, which == TEXTS ? WHERE_ANY : WHERE_FIELDS);
	if (which == 0)
		add_scalars(where_add(job, "M", 1, WHERE_FIELDS));
	else if (which == FIELD)
		(void)where_add(job, "M", 1, WHERE_PRESENT);
	else if (which == TEXTS)
		add_texts(job);
	else
		add_scalars(job);
}

static struct where *program(int first, int last)
{
	struct where *w = where_new("Job");

	for (int i = first; i <= last; i++)
		add_program(w, i);
	where_seal(w);
	return w;
}

/* The texts, but for the field. */
static enum where_answer expected_exception(const enum where_answer *answers)
{
	if (answers[FIELD] == WHERE_YES || answers[TEXTS] == WHERE_NO)
		return WHERE_NO;
	return answers[FIELD] == WHERE_NO ? answers[TEXTS] : WHERE_UNSURE;
}

/* All together say what the best of them says. */
static void check(const char *text, size_t len, bool payload)
{
	static struct where *each[PROGRAMS], *all;
	enum where_answer best = WHERE_NO, together, answers[PROGRAMS];
	struct where_seen seen;

	for (int i = 0; i < PROGRAMS; i++) {
		if (!each[i])
			each[i] = program(i, i);
		answers[i] = payload ? where_payload(each[i], text, len, &seen)
				     : where_object(each[i], text, len);
		if (answers[i] == WHERE_YES || best == WHERE_NO)
			best = answers[i];
	}
	must(answers[EXCEPTION] == expected_exception(answers));
	if (!all)
		all = program(0, PROGRAMS - 1);
	together = payload ? where_payload(all, text, len, &seen) : where_object(all, text, len);
	must(together == best);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy, so that a read beyond the end is seen. */
	char *text = xmalloc(size);

	if (size > 0)
		memcpy(text, data, size);
	check(text, size, true);
	check(text, size, false);
	free(text);
	return 0;
}
