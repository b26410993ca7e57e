/* test_inbox: what interests let through, in order, up to the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "inbox.h"
#include "interests.h"

static struct scan_span span(const char *text)
{
	return (struct scan_span){
		.p = text, .n = strlen(text), .escaped = strchr(text, '\\') != NULL};
}

static struct scan_event event(const char *topic, const char *type, const char *key)
{
	return (struct scan_event){.topic = span(topic),
		.type = span(type),
		.key = span(key),
		.ns = span("default"),
		.payload = span("{\"Job\":{\"ID\":\"a\\nb\"}}"),
		.index = 7};
}

static void takes_events_in_order_without_escapes(void **state)
{
	struct inbox *box = inbox_new(10000);
	struct scan_event first = event("Job", "JobRegistered", "a\\u0062\\n");
	struct scan_event second = event("Job", "JobDeregistered", "b");
	struct inbox_item *item;

	(void)state;
	second.ns.p = NULL; /* the field was not there */
	assert_true(inbox_empty(box));
	assert_non_null(inbox_event(box, &first));
	inbox_connected(box, 3, true);
	inbox_lost(box, "the reason");
	assert_non_null(inbox_event(box, &second));

	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_EVENT);
	assert_string_equal(item->topic, "Job");
	assert_string_equal(item->type, "JobRegistered");
	assert_string_equal(item->key, "ab\n");
	assert_int_equal(item->key_len, 3);
	assert_string_equal(item->ns, "default");
	assert_string_equal(item->payload, "{\"Job\":{\"ID\":\"a\\nb\"}}");
	assert_int_equal(item->index, 7);
	inbox_done(box, item);
	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_CONNECTED);
	assert_int_equal(item->index, 3);
	assert_true(item->live);
	inbox_done(box, item);
	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_LOST);
	assert_string_equal(item->payload, "the reason");
	inbox_done(box, item);
	item = inbox_take(box);
	assert_string_equal(item->type, "JobDeregistered");
	assert_string_equal(item->ns, "");
	inbox_done(box, item);
	assert_null(inbox_take(box));
	assert_int_equal(inbox_bytes(box), 0);
	inbox_free(box);
}

static void puts_one_gap_where_events_were_dropped(void **state)
{
	struct inbox *box = inbox_new(2000);
	struct scan_event e = event("Job", "JobRegistered", "a");
	struct inbox_item *item;
	unsigned taken = 0, dropped = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		if (inbox_event(box, &e))
			taken++;
		else
			dropped++;
	}
	assert_true(taken > 2 && dropped > 50);
	assert_true(inbox_bytes(box) < 2000 + 600);
	/* The connection's news is taken all the same. */
	inbox_lost(box, "x");
	assert_null(inbox_event(box, &e));
	for (unsigned i = 0; i < taken; i++) {
		item = inbox_take(box);
		assert_int_equal(item->kind, INBOX_EVENT);
		inbox_done(box, item);
	}
	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_GAP);
	assert_int_equal(item->index, dropped);
	inbox_done(box, item);
	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_LOST);
	inbox_done(box, item);
	/* The gap after it is one of its own; it can be taken while it is the last. */
	item = inbox_take(box);
	assert_int_equal(item->kind, INBOX_GAP);
	assert_int_equal(item->index, 1);
	assert_non_null(inbox_event(box, &e));
	inbox_done(box, item);
	inbox_free(box);
}

static void takes_one_event_of_any_size(void **state)
{
	struct inbox *box = inbox_new(100);
	struct scan_event e = event("Job", "JobRegistered", "a");
	char *large = xmalloc(100000);

	(void)state;
	memset(large, 'x', 100000);
	e.payload = (struct scan_span){.p = large, .n = 100000};
	assert_non_null(inbox_event(box, &e));
	assert_null(inbox_event(box, &e));
	free(large);
	inbox_free(box);
}

static void keeps_long_strings_apart(void **state)
{
	enum { LONG = 700000 };
	struct inbox *box = inbox_new(LONG);
	struct scan_event e = event("Job", "JobRegistered", "a\\n");
	char *payload = xmalloc(LONG);
	struct inbox_item *item;

	(void)state;
	memset(payload, 'x', LONG);
	e.payload = (struct scan_span){.p = payload, .n = LONG};
	for (int i = 0; i < 3; i++) {
		item = inbox_event(box, &e);
		assert_non_null(item);
		item->tag = 5;
		assert_null(inbox_event(box, &e));
		item = inbox_take(box);
		assert_string_equal(item->topic, "Job");
		assert_string_equal(item->key, "a\n");
		assert_int_equal(item->payload_len, LONG);
		assert_memory_equal(item->payload, payload, LONG);
		assert_int_equal(item->payload[LONG], 0);
		inbox_forget(item);
		assert_int_equal(item->tag, 5);
		assert_true(inbox_bytes(box) > LONG);
		inbox_done(box, item);
		item = inbox_take(box);
		assert_int_equal(item->kind, INBOX_GAP);
		inbox_done(box, item);
		assert_int_equal(inbox_bytes(box), 0);
	}
	free(payload);
	inbox_free(box);
}

static void passes_topics_and_types(void **state)
{
	struct interests *in = interests_new(), *other = interests_new();
	struct keyset *watched = keyset_new();
	struct interests_verdict verdict;
	struct scan_event job = event("Job", "AnyThing", "a");
	struct scan_event gone = event("Evaluation", "JobDeregistered", "a");
	struct scan_event updated = event("Evaluation", "EvaluationUpdated", "a");
	struct scan_event node = event("Node", "NodeRegistration", "a");
	struct scan_event nothing = {.index = 1};

	(void)state;
	assert_true(interests_add_namespace(in, "*"));
	assert_true(interests_add_namespace(other, "*"));
	assert_true(interests_add_topic(in, "Evaluation"));
	assert_true(interests_add_topic(in, "Job"));
	assert_true(interests_add_pass(in, "Job"));
	assert_true(interests_add_pass(in, "Evaluation"));
	assert_true(interests_add_type(in, "JobDeregistered"));
	assert_true(interests_want(in, &job, watched, &verdict));
	assert_true(interests_want(in, &gone, watched, &verdict));
	assert_false(interests_want(in, &updated, watched, &verdict));
	assert_false(interests_want(in, &node, watched, &verdict));
	assert_false(interests_want(in, &nothing, watched, &verdict));

	assert_true(interests_add_topic(other, "Evaluation"));
	assert_false(interests_same_stream(in, other));
	assert_true(interests_add_topic(other, "Job"));
	assert_true(interests_same_stream(in, other));
	interests_free(other);
	other = interests_new();
	assert_true(interests_add_namespace(other, "one"));
	assert_true(interests_add_topic(other, "Evaluation"));
	assert_true(interests_add_topic(other, "Job"));
	assert_false(interests_same_stream(in, other));
	interests_free(other);
	interests_free(in);
	keyset_free(watched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_events_in_order_without_escapes),
		cmocka_unit_test(puts_one_gap_where_events_were_dropped),
		cmocka_unit_test(takes_one_event_of_any_size),
		cmocka_unit_test(keeps_long_strings_apart),
		cmocka_unit_test(passes_topics_and_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
