/* plan: see plan.h. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

enum { NUMBER_DIGITS = 7, INDEX_DIGITS = 12 };

struct slot {
	size_t at;
	long delta; /* for an index */
	char kind;
};

struct template
{
	char *bytes;
	size_t len;
	struct slot *slots;
	size_t slot_count;
	struct plan_job *jobs;
	size_t job_count;
	long newest; /* the greatest delta */
};

struct plan {
	struct template *templates;
	size_t template_count;
	struct plan_line *lines;
	size_t line_count;
	size_t longest;
};

static void expect(int got, int wanted)
{
	if (got != wanted)
		die("the plan is not as bench/plan.lua writes it");
}

static struct slot read_slot(FILE *f)
{
	struct slot s = {0};

	expect(fscanf(f, " %c %zu", &s.kind, &s.at), 2);
	if (s.kind == 'i')
		expect(fscanf(f, "%ld", &s.delta), 1);
	return s;
}

static struct plan_job read_job(FILE *f)
{
	struct plan_job j;
	int wanted;

	expect(fscanf(f, " j %zu %zu %zu %zu %d", &j.id, &j.id_len, &j.job, &j.job_len, &wanted),
		5);
	j.wanted = (enum plan_wanted)wanted;
	return j;
}

static struct template read_template(FILE *f)
{
	struct template t;
	size_t i;

	expect(fscanf(f, "%zu %zu %zu", &t.len, &t.slot_count, &t.job_count), 3);
	t.slots = need(calloc(t.slot_count + 1, sizeof(*t.slots)));
	t.jobs = need(calloc(t.job_count + 1, sizeof(*t.jobs)));
	t.newest = 0;
	for (i = 0; i < t.slot_count; i++) {
		t.slots[i] = read_slot(f);
		t.newest = t.slots[i].delta > t.newest ? t.slots[i].delta : t.newest;
	}
	for (i = 0; i < t.job_count; i++)
		t.jobs[i] = read_job(f);
	expect(fgetc(f), '\n');
	t.bytes = need(malloc(t.len));
	expect((int)fread(t.bytes, t.len, 1, f), 1);
	return t;
}

static void read_lines(struct plan *p, FILE *f)
{
	size_t i;

	expect(fscanf(f, "%zu", &p->line_count), 1);
	p->lines = need(calloc(p->line_count + 1, sizeof(*p->lines)));
	for (i = 0; i < p->line_count; i++) {
		struct plan_line *l = &p->lines[i];

		expect(fscanf(f, "%u %u %u", &l->template, &l->number, &l->index), 3);
		if (l->template >= p->template_count)
			die("the plan names a template that it has not");
	}
}

struct plan *plan_load(const char *path)
{
	struct plan *p = need(calloc(1, sizeof(*p)));
	FILE *f = fopen(path, "r");
	char word[16];

	if (!f)
		die("cannot read the plan");
	while (fscanf(f, " %15s", word) == 1) {
		if (strcmp(word, "lines") == 0) {
			read_lines(p, f);
			continue;
		}
		p->templates = need(
			realloc(p->templates, (p->template_count + 1) * sizeof(*p->templates)));
		p->templates[p->template_count] = read_template(f);
		if (p->templates[p->template_count].len > p->longest)
			p->longest = p->templates[p->template_count].len;
		p->template_count++;
	}
	fclose(f);
	return p;
}

void plan_free(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->template_count; i++) {
		free(p->templates[i].bytes);
		free(p->templates[i].slots);
		free(p->templates[i].jobs);
	}
	free(p->templates);
	free(p->lines);
	free(p);
}

size_t plan_count(const struct plan *p)
{
	return p->line_count;
}

const struct plan_line *plan_line(const struct plan *p, size_t i)
{
	return &p->lines[i];
}

static const struct template *template_of(const struct plan *p, size_t i)
{
	return &p->templates[p->lines[i].template];
}

size_t plan_length(const struct plan *p, size_t i)
{
	return template_of(p, i)->len;
}

size_t plan_longest(const struct plan *p)
{
	return p->longest;
}

static void write_digits(char *out, int digits, uint64_t value)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

static uint64_t index_of(const struct plan_line *l, long delta)
{
	return (uint64_t)((long)l->index + delta) * PLAN_SPACING;
}

void plan_render(const struct plan *p, size_t i, char *out)
{
	const struct template *t = template_of(p, i);
	const struct plan_line *l = &p->lines[i];
	size_t s;

	memcpy(out, t->bytes, t->len);
	for (s = 0; s < t->slot_count; s++) {
		const struct slot *slot = &t->slots[s];

		if (slot->kind == 'n')
			write_digits(out + slot->at, NUMBER_DIGITS, l->number);
		else
			write_digits(out + slot->at, INDEX_DIGITS, index_of(l, slot->delta));
	}
}

uint64_t plan_index(const struct plan *p, size_t i)
{
	return index_of(&p->lines[i], template_of(p, i)->newest);
}

const struct plan_job *plan_jobs(const struct plan *p, size_t i, size_t *count)
{
	*count = template_of(p, i)->job_count;
	return template_of(p, i)->jobs;
}
