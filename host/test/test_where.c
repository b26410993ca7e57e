/* test_where: programs on payloads at every length, the set of keys, and what interests let through with both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "interests.h"
#include "keyset.h"
#include "told.h"
#include "where.h"
#include "where_node.h"

/* The same text, with nothing readable around it. */
static enum where_answer ask(struct where *w, const char *text, size_t len, uint64_t *version)
{
	char *copy = xmalloc(len);
	enum where_answer answer;
	struct where_seen seen;

	memcpy(copy, text, len);
	answer = where_payload(w, copy, len, &seen);
	if (version)
		*version = seen.version;
	free(copy);
	return answer;
}

static struct where_node *add_text(
	struct where_node *parent, const char *name, enum where_kind kind, const char *text)
{
	struct where_node *n = where_add(parent, name, name ? strlen(name) : 0, kind);

	where_set_text(n, text, strlen(text));
	return n;
}

/* { Meta = { [name] = value } } */
static void add_meta(struct where *w, const char *name, const char *value)
{
	struct where_node *job = where_add(where_root(w), NULL, 0, WHERE_FIELDS);
	struct where_node *meta = where_add(job, "Meta", 4, WHERE_FIELDS);

	(void)add_text(meta, name, WHERE_STRING, value);
}

static void answers_at_every_place(void **state)
{
	/* The value moves over the borders of blocks; so do a quote and a bracket in a string before it. */
	struct where *w = where_new("Job");
	char text[400];
	int pad;

	(void)state;
	add_meta(w, "a", "x");
	where_seal(w);
	for (pad = 0; pad < 200; pad++) {
		int n = snprintf(text, sizeof(text),
			"{\"Job\":{\"P\":[{\"q\":\"%*s\\\"]}\\\\\"}],\"Meta\":{\"a\":\"x\"}}}", pad,
			"");

		assert_int_equal(ask(w, text, (size_t)n, NULL), WHERE_YES);
		assert_int_equal(ask(w, text, (size_t)n - 1, NULL), WHERE_UNSURE);
		text[n - 5] = 'y';
		assert_int_equal(ask(w, text, (size_t)n, NULL), WHERE_NO);
	}
	where_free(w);
}

static void is_unsure_of_every_truncation(void **state)
{
	static const char text[] =
		"{\"Job\":{\"ID\":\"a\\\"b\",\"Meta\":{\"k\":[1,{}]},\"Stop\":false},\"x\":1}";
	struct where *w = where_new("Job");
	size_t len;

	(void)state;
	add_meta(w, "a", "x");
	where_seal(w);
	for (len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(ask(w, text, len, NULL), WHERE_UNSURE);
	assert_int_equal(ask(w, text, len, NULL), WHERE_NO);
	where_free(w);
}

static void finds_texts_at_every_place(void **state)
{
	static const char *const texts[] = {"auto-backup", "auto_backup", "autobackup", "zz", "z"};
	char text[300];
	int pad;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct where *w = where_new("Job");

		(void)add_text(where_root(w), NULL, WHERE_MENTIONS, texts[i]);
		where_seal(w);
		for (pad = 0; pad < 70; pad++) {
			int n = snprintf(text, sizeof(text), "{\"Job\":{\"k\":\"%*s%s\"}}", pad,
				"a", texts[i]);

			assert_int_equal(ask(w, text, (size_t)n, NULL), WHERE_YES);
			text[n - 4] = '.';
			assert_int_equal(ask(w, text, (size_t)n, NULL), WHERE_NO);
		}
		where_free(w);
	}
}

static void takes_any_number_of_texts(void **state)
{
	struct where *w = where_new("Job");
	char text[100];
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "%c%ctext", 'a' + i / 26, 'a' + i % 26);
		(void)add_text(where_root(w), NULL, WHERE_MENTIONS, text);
	}
	where_seal(w);
	assert_int_equal(ask(w, "{\"Job\":{\"k\":\"bbtext\"}}", 22, NULL), WHERE_YES);
	/* Those beyond the limit are not told. */
	assert_int_equal(ask(w, "{\"Job\":{\"k\":\"......\"}}", 22, NULL), WHERE_UNSURE);
	where_free(w);
}

/* One alternative: `text` anywhere in an object, but for those with { Meta = { a = "x" } }; or the other way. */
static struct where *exception_new(const char *text, bool other_way)
{
	struct where *w = where_new("Job");
	struct where_node *n = where_add(where_root(w), NULL, 0, WHERE_EXCEPT);
	struct where_node *meta;

	if (!other_way)
		(void)add_text(n, NULL, WHERE_MENTIONS, text);
	meta = where_add(where_add(n, NULL, 0, WHERE_FIELDS), "Meta", 4, WHERE_FIELDS);
	(void)add_text(meta, "a", WHERE_STRING, "x");
	if (other_way)
		(void)add_text(n, NULL, WHERE_MENTIONS, text);
	where_seal(w);
	return w;
}

static void searches_no_text_that_decides_nothing(void **state)
{
	static const char marked[] = "{\"Job\":{\"Meta\":{\"a\":\"x\"},\"B\":\"auto\"}}";
	static const char other[] = "{\"Job\":{\"Meta\":{\"a\":\"y\"},\"B\":\"auto\"}}";
	struct where *hints = exception_new("auto", false), *marks = exception_new("auto", true);
	struct where_seen seen;

	(void)state;
	assert_int_equal(where_payload(hints, marked, strlen(marked), &seen), WHERE_NO);
	assert_true(seen.sure);
	assert_int_equal(seen.holds, 0);
	assert_false(hints->searched);
	assert_int_equal(where_payload(hints, other, strlen(other), &seen), WHERE_YES);
	assert_int_equal(seen.holds, 1);
	assert_true(hints->searched);
	assert_int_equal(where_payload(marks, other, strlen(other), &seen), WHERE_NO);
	assert_false(marks->searched);
	assert_int_equal(where_payload(marks, marked, strlen(marked), &seen), WHERE_NO);
	assert_true(marks->searched);
	where_free(hints);
	where_free(marks);
}

static void tells_the_version(void **state)
{
	static const char text[] = "{\"Job\":{\"ModifyIndex\":18446744073709551615}}";
	struct where *w = where_new("Job");
	uint64_t version = 7;

	(void)state;
	where_seal(w);
	assert_int_equal(ask(w, text, sizeof(text) - 1, &version), WHERE_NO);
	assert_true(version == UINT64_MAX);
	assert_int_equal(ask(w, "{\"Job\":{}}", 10, &version), WHERE_NO);
	assert_true(version == 0);
	where_free(w);
}

static void lists_have_a_limit(void **state)
{
	struct where *w = where_new("Job");
	struct where_node *job = where_add(where_root(w), NULL, 0, WHERE_FIELDS);
	char text[3000] = "{\"Job\":{\"a\":";
	size_t at = strlen(text), depth = 600;

	(void)state;
	(void)add_text(job, "a", WHERE_STRING, "x");
	where_seal(w);
	memset(text + at, '[', depth);
	memset(text + at + depth, ']', depth);
	memcpy(text + at + 2 * depth, "}}", 2);
	assert_int_equal(ask(w, text, at + 2 * depth + 2, NULL), WHERE_UNSURE);
	where_free(w);
}

static uint64_t hash_of(unsigned i)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "default/job-%u", i);
	return keyset_hash("Job", 3, key, strlen(key));
}

static void counts_keys(void **state)
{
	struct keyset *k = keyset_new();
	unsigned i;

	(void)state;
	assert_false(keyset_has(k, hash_of(1)));
	keyset_remove(k, hash_of(1));
	for (i = 0; i < 10000; i++) {
		keyset_add(k, hash_of(i));
		if (i % 3 == 0)
			keyset_add(k, hash_of(i));
	}
	assert_int_equal(keyset_count(k), 10000);
	assert_true(keyset_bytes(k) <= 10000 * 32);
	for (i = 0; i < 10000; i++)
		keyset_remove(k, hash_of(i));
	for (i = 0; i < 12000; i++)
		assert_int_equal(keyset_has(k, hash_of(i)), i < 10000 && i % 3 == 0);
	for (i = 0; i < 10000; i += 3)
		keyset_remove(k, hash_of(i));
	assert_int_equal(keyset_count(k), 0);
	assert_true(keyset_bytes(k) <= 2048);
	keyset_free(k);
}

static void tells_topic_and_key_apart(void **state)
{
	(void)state;
	assert_true(keyset_hash("Job", 3, "x", 1) != keyset_hash("Jo", 2, "bx", 2));
	assert_true(keyset_hash("Job", 3, "x", 1) != keyset_hash("Jobx", 4, "", 0));
	assert_true(keyset_hash("Job", 3, "x", 1) != keyset_hash("Job", 3, "x\0", 2));
	assert_true(keyset_hash("", 0, "", 0) != 0);
}

static struct scan_span span(const char *text)
{
	return (struct scan_span){text, strlen(text), strchr(text, '\\') != NULL};
}

static struct scan_event event(
	const char *type, const char *ns, const char *key, const char *payload)
{
	struct scan_event e = {.topic = span("Job"), .type = span(type), .key = span(key)};

	e.ns = span(ns);
	e.payload = span(payload);
	e.payload.escaped = false;
	return e;
}

static void passes_what_holds_is_watched_or_gone(void **state)
{
	static const char no[] = "{\"Job\":{\"ModifyIndex\":8,\"Meta\":{\"a\":\"y\"}}}";
	struct interests *in = interests_new();
	struct keyset *watched = keyset_new();
	struct interests_verdict v;
	struct scan_event yes =
		event("JobRegistered", "default", "a", "{\"Job\":{\"Meta\":{\"a\":\"x\"}}}");
	struct scan_event other = event("JobRegistered", "team", "a\\\"b", no);
	struct scan_event nameless = event("JobRegistered", "", "a", no);
	struct scan_event gone = event("JobDeregistered", "default", "b", no);

	(void)state;
	assert_true(interests_add_pass(in, "Job"));
	assert_true(interests_add_always(in, "JobDeregistered"));
	add_meta(interests_where(in), "a", "x");
	where_seal(interests_where(in));
	assert_true(interests_want(in, &yes, watched, &v));
	assert_true(v.key == keyset_hash("Job", 3, "default/a", 9));
	assert_true(interests_want(in, &gone, watched, &v));
	assert_false(interests_want(in, &other, watched, &v));
	assert_true(v.version == 8);
	keyset_add(watched, keyset_hash("Job", 3, "team/a\"b", 8));
	assert_true(interests_want(in, &other, watched, &v));
	/* An object without a namespace is known by its ID, or as that of the default one. */
	assert_false(interests_want(in, &nameless, watched, &v));
	keyset_add(watched, keyset_hash("Job", 3, "a", 1));
	assert_true(interests_want(in, &nameless, watched, &v));
	keyset_remove(watched, keyset_hash("Job", 3, "a", 1));
	keyset_add(watched, keyset_hash("Job", 3, "default/a", 9));
	assert_true(interests_want(in, &nameless, watched, &v));
	keyset_free(watched);
	interests_free(in);
}

static const char status_of_web[] = "{\"Job\":{\"Status\":\"%s\",\"ModifyIndex\":9,"
				    "\"JobModifyIndex\":%u,\"Meta\":{\"a\":\"%s\"}}}";

static struct interests_verdict look(const struct interests *in, const struct keyset *watched,
	const char *type, const char *status, unsigned spec, const char *meta)
{
	char *payload = xasprintf(status_of_web, status, spec, meta);
	struct scan_event e = event(type, "default", "web", payload);
	struct interests_verdict v;

	assert_true(interests_want(in, &e, watched, &v));
	free(payload);
	return v;
}

static void tells_what_repeats_a_specification(void **state)
{
	struct interests *in = interests_new();
	struct keyset *watched = keyset_new();
	struct told *told = told_new();
	struct interests_verdict first, v;

	(void)state;
	assert_true(interests_add_pass(in, "Job"));
	assert_true(interests_add_always(in, "JobDeregistered"));
	add_meta(interests_where(in), "a", "x");
	(void)add_text(where_add(where_root(interests_where(in)), NULL, 0, WHERE_FIELDS), "Status",
		WHERE_STRING, "running");
	where_seal(interests_where(in));
	keyset_add(watched, keyset_hash("Job", 3, "default/web", 11));
	/* Where each event may matter none is said to. */
	v = look(in, watched, "PlanResult", "pending", 7, "x");
	assert_int_equal(v.spec, 0);
	assert_false(v.sure); /* nor is it looked at: its key is known */
	interests_set_once(in);

	first = look(in, watched, "JobRegistered", "pending", 7, "x");
	assert_int_equal(first.spec, 7);
	assert_true(first.sure);
	assert_int_equal(first.holds, 1);
	assert_false(told_has(told, &first));
	told_add(told, &first);
	v = look(in, watched, "EvaluationUpdated", "dead", 7, "x");
	assert_true(told_has(told, &v));
	/* For another alternative it holds only now. */
	v = look(in, watched, "PlanResult", "running", 7, "x");
	assert_int_equal(v.holds, 3);
	assert_false(told_has(told, &v));
	told_add(told, &v);
	v = look(in, watched, "EvaluationUpdated", "dead", 7, "x");
	assert_true(told_has(told, &v));
	/* Another specification, for which nothing may hold. */
	v = look(in, watched, "JobRegistered", "dead", 8, "y");
	assert_int_equal(v.holds, 0);
	assert_false(told_has(told, &v));
	told_add(told, &v);
	v = look(in, watched, "PlanResult", "dead", 8, "y");
	assert_true(told_has(told, &v));
	/* What says that it went is told whatever was, and is not what others repeat. */
	v = look(in, watched, "JobDeregistered", "dead", 8, "y");
	assert_int_equal(v.spec, 0);
	assert_false(told_has(told, &v));
	told_forget(told);
	v = look(in, watched, "PlanResult", "dead", 8, "y");
	assert_false(told_has(told, &v));
	told_free(told);
	keyset_free(watched);
	interests_free(in);
}

static void tells_nothing_of_what_it_is_unsure_of(void **state)
{
	static const char broken[] = "{\"Job\":{\"JobModifyIndex\":7,\"Meta\":{\"a\"}}}";
	struct interests *in = interests_new();
	struct keyset *watched = keyset_new();
	struct scan_event e = event("PlanResult", "default", "web", broken);
	struct interests_verdict v;

	(void)state;
	assert_true(interests_add_pass(in, "Job"));
	add_meta(interests_where(in), "a", "x");
	where_seal(interests_where(in));
	interests_set_once(in);
	assert_true(interests_want(in, &e, watched, &v));
	assert_int_equal(v.spec, 0);
	assert_false(v.sure);
	keyset_free(watched);
	interests_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_at_every_place),
		cmocka_unit_test(is_unsure_of_every_truncation),
		cmocka_unit_test(finds_texts_at_every_place),
		cmocka_unit_test(takes_any_number_of_texts),
		cmocka_unit_test(searches_no_text_that_decides_nothing),
		cmocka_unit_test(tells_the_version),
		cmocka_unit_test(lists_have_a_limit),
		cmocka_unit_test(counts_keys),
		cmocka_unit_test(tells_topic_and_key_apart),
		cmocka_unit_test(passes_what_holds_is_watched_or_gone),
		cmocka_unit_test(tells_what_repeats_a_specification),
		cmocka_unit_test(tells_nothing_of_what_it_is_unsure_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
