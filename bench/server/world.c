/* world: see world.h. Jobs are found by ID in a table with open addressing; none is ever taken out of it. */
#define _GNU_SOURCE
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

static const char prefix[] = "backup-";

struct world_job {
	char *id;
	size_t id_len;
	uint64_t hash;
	size_t line; /* the last that told of it, from 1; 0: it was written */
	size_t nth;  /* of that line's jobs */
	bool gone;   /* purged */
	char *body;  /* as it was written */
	size_t body_len;
	uint64_t index;
	bool stopped;
	bool wanted; /* a backup of this ID is to be there */
	uint64_t asked_ns;
};

struct world {
	const struct plan *plan;
	struct world_job **table;
	size_t room, count;
	uint64_t index;
	long wrong;
	struct world_calls calls;
	uint64_t *latencies;
	size_t latency_count, latency_room;
	struct bytes line;
};

struct world *world_new(const struct plan *p)
{
	struct world *w = need(calloc(1, sizeof(*w)));

	w->plan = p;
	w->room = 1024;
	w->index = 1000;
	w->table = need(calloc(w->room, sizeof(struct world_job *)));
	return w;
}

void world_free(struct world *w)
{
	size_t i;

	for (i = 0; i < w->room; i++) {
		if (w->table[i]) {
			free(w->table[i]->id);
			free(w->table[i]->body);
			free(w->table[i]);
		}
	}
	free(w->table);
	free(w->latencies);
	bytes_free(&w->line);
	free(w);
}

static uint64_t hash_of(struct span id)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (i = 0; i < id.len; i++)
		h = (h ^ (unsigned char)id.at[i]) * 1099511628211u;
	return h ^ h >> 29;
}

static struct world_job **place(const struct world *w, struct span id, uint64_t hash)
{
	size_t i = (size_t)hash & (w->room - 1);

	for (; w->table[i]; i = (i + 1) & (w->room - 1)) {
		const struct world_job *j = w->table[i];

		if (j->hash == hash && j->id_len == id.len && memcmp(j->id, id.at, id.len) == 0)
			break;
	}
	return &w->table[i];
}

static void grow(struct world *w)
{
	struct world_job **old = w->table;
	size_t i, room = w->room;

	w->room *= 4;
	w->table = need(calloc(w->room, sizeof(struct world_job *)));
	for (i = 0; i < room; i++) {
		if (old[i])
			*place(w, (struct span){old[i]->id, old[i]->id_len}, old[i]->hash) = old[i];
	}
	free(old);
}

struct world_job *world_find(const struct world *w, struct span id)
{
	return *place(w, id, hash_of(id));
}

static struct world_job *job_at(struct world *w, struct span id)
{
	uint64_t hash = hash_of(id);
	struct world_job **at = place(w, id, hash);

	if (!*at) {
		if (w->count * 2 >= w->room) {
			grow(w);
			at = place(w, id, hash);
		}
		*at = need(calloc(1, sizeof(**at)));
		(*at)->id = need(malloc(id.len + 1));
		memcpy((*at)->id, id.at, id.len);
		(*at)->id[id.len] = '\0';
		(*at)->id_len = id.len;
		(*at)->hash = hash;
		w->count++;
	}
	return *at;
}

static bool is_there(const struct world_job *j)
{
	return j->body && !j->stopped;
}

static bool is_wrong(const struct world_job *j)
{
	return j->wanted != is_there(j);
}

/* The backup of a job that may not be known yet: then it is made known only if it is wanted. */
static struct world_job *backup_of(struct world *w, struct span id, bool make)
{
	char text[512];
	struct span name = {text, sizeof(prefix) - 1 + id.len};

	if (name.len > sizeof(text))
		die("a job's ID is longer than the bench thinks of");
	memcpy(text, prefix, sizeof(prefix) - 1);
	memcpy(text + sizeof(prefix) - 1, id.at, id.len);
	return make ? job_at(w, name) : world_find(w, name);
}

static void want(struct world *w, struct span id, bool wanted)
{
	struct world_job *b = backup_of(w, id, wanted);

	if (!b || b->wanted == wanted)
		return;
	w->wrong -= is_wrong(b);
	b->wanted = wanted;
	w->wrong += is_wrong(b);
	w->calls.needed++;
}

static void render(struct world *w, size_t i)
{
	w->line.len = 0;
	bytes_reserve(&w->line, plan_length(w->plan, i));
	plan_render(w->plan, i, w->line.at);
}

void world_line(struct world *w, size_t i)
{
	size_t k, count;
	const struct plan_job *jobs = plan_jobs(w->plan, i, &count);

	/* A recorded session has several lines of one index. */
	if (plan_index(w->plan, i) + PLAN_SPACING < w->index)
		die("more writes came between two lines than there are indexes for");
	if (plan_index(w->plan, i) > w->index)
		w->index = plan_index(w->plan, i);
	if (count > 0)
		render(w, i);
	for (k = 0; k < count; k++) {
		struct span id = {w->line.at + jobs[k].id, jobs[k].id_len};
		struct world_job *j = job_at(w, id);

		j->line = i + 1;
		j->nth = k;
		j->gone = jobs[k].wanted == PLAN_GONE;
		if (jobs[k].wanted != PLAN_RUN)
			want(w, id, jobs[k].wanted == PLAN_BACKUP);
	}
}

void world_line_sent(struct world *w, size_t i, uint64_t at_ns)
{
	size_t k, count;
	const struct plan_job *jobs = plan_jobs(w->plan, i, &count);

	render(w, i);
	for (k = 0; k < count; k++) {
		struct span id = {w->line.at + jobs[k].id, jobs[k].id_len};
		struct world_job *b = backup_of(w, id, false);

		if (b && is_wrong(b))
			b->asked_ns = at_ns;
	}
}

uint64_t world_index(const struct world *w)
{
	return w->index;
}

static void note_latency(struct world *w, struct world_job *j)
{
	if (j->asked_ns == 0 || is_wrong(j))
		return;
	if (w->latency_count == w->latency_room) {
		w->latency_room = w->latency_room * 2 + 1024;
		w->latencies = need(realloc(w->latencies, w->latency_room * sizeof(*w->latencies)));
	}
	w->latencies[w->latency_count++] = now_ns() - j->asked_ns;
	j->asked_ns = 0;
}

static bool is_true(struct span value)
{
	return span_is(value, "true");
}

const char *world_register(
	struct world *w, struct span id, struct span job, bool enforce, uint64_t index)
{
	struct world_job *j = world_find(w, id);

	w->calls.writes++;
	if (enforce && index == 0 && j && (j->body || (j->line > 0 && !j->gone)))
		return "Enforcing job modify index 0: job already exists";
	if (enforce && index > 0 && world_job_index(w, j) != index)
		return "Enforcing job modify index: job exists with conflicting job modify index";
	if (!j)
		j = job_at(w, id);
	w->wrong -= is_wrong(j);
	free(j->body);
	j->body = need(malloc(job.len));
	memcpy(j->body, job.at, job.len);
	j->body_len = job.len;
	j->stopped = is_true(json_member(job, "Stop"));
	j->index = ++w->index;
	w->wrong += is_wrong(j);
	note_latency(w, j);
	return NULL;
}

void world_remove(struct world *w, struct span id, bool purge)
{
	struct world_job *j = world_find(w, id);

	w->calls.removals++;
	if (!j || !j->body)
		return;
	w->wrong -= is_wrong(j);
	j->stopped = true;
	j->index = ++w->index;
	if (purge) {
		free(j->body);
		j->body = NULL;
	}
	w->wrong += is_wrong(j);
	note_latency(w, j);
}

/* The job as its last line told it, or as it was written. Holds until the next one is asked for. */
static struct span job_text(struct world *w, const struct world_job *j)
{
	size_t count;
	const struct plan_job *jobs;

	if (j->body)
		return (struct span){j->body, j->body_len};
	if (j->line == 0 || j->gone)
		return (struct span){NULL, 0};
	render(w, j->line - 1);
	jobs = plan_jobs(w->plan, j->line - 1, &count);
	return (struct span){w->line.at + jobs[j->nth].job, jobs[j->nth].job_len};
}

uint64_t world_job_index(struct world *w, const struct world_job *j)
{
	struct span text, index;

	if (!j || j->body)
		return j ? j->index : 0;
	text = job_text(w, j);
	index = json_member(text, "JobModifyIndex");
	return index.at ? strtoull(index.at, NULL, 10) : 0;
}

/* What the server knows of a written job and its writer does not. The last of two members of one name counts. */
static void add_server_fields(const struct world_job *j, struct bytes *out)
{
	bytes_text(out, ",\"CreateIndex\":1000,\"JobModifyIndex\":");
	bytes_number(out, j->index);
	bytes_text(out, ",\"ModifyIndex\":");
	bytes_number(out, j->index);
	bytes_text(out, ",\"ParentID\":\"\",\"Version\":0,\"Status\":");
	bytes_text(out, j->stopped ? "\"dead\",\"Stop\":true}" : "\"running\",\"Stop\":false}");
}

bool world_show(struct world *w, const struct world_job *j, struct bytes *out)
{
	struct span text = j ? job_text(w, j) : (struct span){NULL, 0};

	if (!text.at)
		return false;
	if (j->body) {
		bytes_add(out, text.at, text.len - 1);
		add_server_fields(j, out);
	} else {
		bytes_add(out, text.at, text.len);
	}
	return true;
}

static void add_stub(const struct world_job *j, struct span text, struct bytes *out)
{
	static const char *const names[] = {"CreateIndex", "Datacenters", "ID", "JobModifyIndex",
		"Meta", "ModifyIndex", "Name", "Namespace", "ParentID", "Priority", "Status",
		"Stop", "SubmitTime", "Type"};
	struct span name, value;
	size_t i;

	bytes_text(out, "{\"JobSummary\":null,\"StatusDescription\":\"\"");
	while (json_next(&text, &name, &value)) {
		if (span_is(name, "Periodic"))
			bytes_text(out,
				*value.at == '{' ? ",\"Periodic\":true" : ",\"Periodic\":false");
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (!span_is(name, names[i]))
				continue;
			bytes_text(out, ",\"");
			bytes_text(out, names[i]);
			bytes_text(out, "\":");
			bytes_add(out, value.at, value.len);
		}
	}
	if (j->body)
		add_server_fields(j, out);
	else
		bytes_text(out, "}");
}

void world_list(struct world *w, struct bytes *out)
{
	size_t i, first = out->len + 1;

	bytes_text(out, "[");
	for (i = 0; i < w->room; i++) {
		struct span text = w->table[i] ? job_text(w, w->table[i]) : (struct span){NULL, 0};

		if (!text.at)
			continue;
		if (out->len > first)
			bytes_text(out, ",");
		add_stub(w->table[i], text, out);
	}
	bytes_text(out, "]");
}

long world_wrong(const struct world *w)
{
	return w->wrong;
}

void world_print_wrong(const struct world *w)
{
	size_t i, told = 0;

	for (i = 0; i < w->room && told < 5; i++) {
		const struct world_job *j = w->table[i];

		if (j && is_wrong(j)) {
			printf("wrong %s %s\n", j->wanted ? "missing" : "surplus", j->id);
			told++;
		}
	}
}

struct world_calls *world_calls(struct world *w)
{
	return &w->calls;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t world_latency(struct world *w, double share)
{
	if (w->latency_count == 0)
		return 0;
	qsort(w->latencies, w->latency_count, sizeof(*w->latencies), compare);
	return w->latencies[(size_t)(share * (double)(w->latency_count - 1))];
}
