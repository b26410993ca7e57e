/* routes: see routes.h. */
#define _GNU_SOURCE
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "parse.h"

/* What a blocking query waits if it does not say. */
#define WAIT_NS (300ull * 1000000000u)

static struct span text(const char *s)
{
	return (struct span){s, strlen(s)};
}

static bool starts(struct span s, const char *with)
{
	return s.len >= strlen(with) && memcmp(s.at, with, strlen(with)) == 0;
}

static void say(const char *word)
{
	printf("%s %llu\n", word, (unsigned long long)now_ns());
	fflush(stdout);
}

/* "20s", "2m" or "500ms", in nanoseconds. */
static uint64_t duration(struct span s)
{
	char copy[32] = "", *unit;
	uint64_t n;

	if (!s.at || s.len >= sizeof(copy))
		return WAIT_NS;
	memcpy(copy, s.at, s.len);
	n = strtoull(copy, &unit, 10);
	if (strcmp(unit, "ms") == 0)
		return n * 1000000u;
	return (*unit == 'm' ? n * 60 : n) * 1000000000u;
}

/* How long an answer of this index is held back: a query that asks for news waits for it. */
static uint64_t hold(const struct http_request *r, uint64_t index)
{
	struct span asked = http_query(r->query, "index");

	if (!asked.at || strtoull(asked.at, NULL, 10) < index)
		return 0;
	return duration(http_query(r->query, "wait"));
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* A path's part without percent signs. The result lives in `room`. */
static struct span unescape(struct span s, char *room, size_t size)
{
	size_t i, n = 0;

	if (s.len > size)
		die("a path is longer than the bench thinks of");
	for (i = 0; i < s.len; i++) {
		if (s.at[i] == '%' && i + 2 < s.len) {
			room[n++] = (char)(hex(s.at[i + 1]) * 16 + hex(s.at[i + 2]));
			i += 2;
		} else {
			room[n++] = s.at[i];
		}
	}
	return (struct span){room, n};
}

static void reply_index(struct routes *s, struct http_conn *c)
{
	struct bytes *out = &s->answer;

	bytes_text(out, "{\"EvalCreateIndex\":0,\"EvalID\":\"\",\"Index\":");
	bytes_number(out, world_index(s->world));
	bytes_text(out, ",\"JobModifyIndex\":");
	bytes_number(out, world_index(s->world));
	bytes_text(out, ",\"KnownLeader\":false,\"LastContact\":0,\"Warnings\":\"\"}");
	http_answer(
		c, 200, world_index(s->world), (struct span){out->at, out->len}, s->write_delay);
}

static void register_job(struct routes *s, struct http_conn *c, struct span body)
{
	struct span job = json_member(body, "Job"), id = json_string(json_member(job, "ID"));
	struct span enforce = json_member(body, "EnforceIndex");
	struct span index = json_member(body, "JobModifyIndex");
	const char *refused;

	if (!job.at || !id.at) {
		http_answer(c, 400, world_index(s->world), text("Job must be specified"), 0);
		return;
	}
	refused = world_register(s->world, id, job, span_is(enforce, "true"),
		index.at ? strtoull(index.at, NULL, 10) : 0);
	if (refused)
		http_answer(c, 500, world_index(s->world), text(refused), s->write_delay);
	else
		reply_index(s, c);
}

static void one_job(struct routes *s, struct http_conn *c, const struct http_request *r)
{
	char room[1024];
	struct span id = {r->path.at + 8, r->path.len - 8};
	struct world_job *job;

	id = unescape(id, room, sizeof(room));
	if (span_is(r->method, "DELETE")) {
		world_remove(s->world, id, span_is(http_query(r->query, "purge"), "true"));
		reply_index(s, c);
		return;
	}
	if (!span_is(r->method, "GET")) {
		register_job(s, c, r->body);
		return;
	}
	world_calls(s->world)->reads++;
	job = world_find(s->world, id);
	if (!world_show(s->world, job, &s->answer)) {
		http_answer(c, 404, world_index(s->world), text("job not found"),
			hold(r, world_index(s->world)));
		return;
	}
	http_answer(c, 200, world_job_index(s->world, job),
		(struct span){s->answer.at, s->answer.len},
		hold(r, world_job_index(s->world, job)));
}

static void list(struct routes *s, struct http_conn *c, const struct http_request *r)
{
	world_calls(s->world)->lists++;
	world_list(s->world, &s->answer);
	say("listed");
	http_answer(c, 200, world_index(s->world), (struct span){s->answer.at, s->answer.len},
		hold(r, world_index(s->world)));
}

static void parse(struct routes *s, struct http_conn *c, struct span body)
{
	world_calls(s->world)->parses++;
	parse_answer(s->parsed, body, &s->answer);
	http_answer(c, 200, world_index(s->world), (struct span){s->answer.at, s->answer.len}, 0);
}

/* Answers that never change. */
static const struct {
	int status;
	const char *path, *body;
} fixed[] = {
	{200, "/v1/namespaces",
		"[{\"CreateIndex\":1,\"Description\":\"\",\"ModifyIndex\":1,\"Name\":"
		"\"default\"}]"},
	{200, "/v1/agent/self",
		"{\"config\":{\"Region\":\"global\",\"Version\":{\"Version\":\"1.11.3\"}},"
		"\"member\":{\"Tags\":{\"build\":\"1.11.3\",\"region\":\"global\"}},"
		"\"stats\":{}}"},
	{200, "/v1/regions", "[\"global\"]"},
	{200, "/v1/status/leader", "\"127.0.0.1:4647\""},
	{400, "/v1/acl/policies", "ACL support disabled"},
};

static void other(struct http_conn *c, const struct http_request *r)
{
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (span_is(r->path, fixed[i].path)) {
			http_answer(c, fixed[i].status, 1, text(fixed[i].body), hold(r, 1));
			return;
		}
	}
	http_answer(c, 404, 1, text("Invalid path"), 0);
}

void routes_answer(struct routes *s, struct http_conn *c, const struct http_request *r)
{
	s->answer.len = 0;
	if (span_is(r->path, "/v1/event/stream")) {
		say("subscribed");
		http_begin_stream(c);
		feed_subscribe(s->feed, c);
	} else if (span_is(r->path, "/v1/jobs/parse")) {
		parse(s, c, r->body);
	} else if (span_is(r->path, "/v1/jobs") && span_is(r->method, "GET")) {
		list(s, c, r);
	} else if (span_is(r->path, "/v1/jobs")) {
		register_job(s, c, r->body);
	} else if (starts(r->path, "/v1/job/")) {
		one_job(s, c, r);
	} else {
		other(c, r);
	}
}
