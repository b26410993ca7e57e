/* ready: each fact that stands in the way has its sentence, and none is left when they are mended. */
#include "ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct scene {
	struct ready_facts facts;
	struct health health;
	struct buf reasons;
};

static void set_up(struct scene *s)
{
	*s = (struct scene){
		.facts = {.stream = {.state = STREAM_LIVE,
				  .connected = true,
				  .epoch = 2,
				  .last_frame = 12,
				  .reason = ""},
			.generation = 3,
			.stream_idle = 75,
			.queue_age = 300},
		.health = {.epoch = 2},
	};
	s->facts.health = &s->health;
	buf_init(&s->reasons, 65536);
}

static void tear_down(struct scene *s)
{
	health_free(&s->health);
	buf_free(&s->reasons);
}

static void assert_ready(struct scene *s)
{
	buf_clear(&s->reasons);
	assert_true(ready_check(&s->facts, &s->reasons));
	assert_string_equal(buf_text(&s->reasons), "");
}

/* One line, which holds the part. */
static void assert_not(struct scene *s, const char *part)
{
	const char *text;

	buf_clear(&s->reasons);
	assert_false(ready_check(&s->facts, &s->reasons));
	text = buf_text(&s->reasons);
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_stream_that_is_not_there(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	assert_ready(&s);
	s.facts.stream.connected = false;
	s.facts.stream.state = STREAM_WAITING;
	s.facts.stream.reason = "connection refused";
	assert_not(&s, "not connected (waiting): connection refused");
	s.facts.stream.reason = "";
	s.facts.stream.state = STREAM_SUBSCRIBING;
	assert_not(&s, "not connected (subscribing): it has not been so far");
	s.facts.stream.connected = true;
	assert_ready(&s);
	tear_down(&s);
}

static void a_silent_stream(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	s.facts.stream.last_frame = 75;
	assert_ready(&s);
	s.facts.stream.last_frame = 80.5;
	assert_not(&s, "silent for 1 min 20 s (limit: 1 min 15 s)");
	/* Where lists have to do, nobody speaks. */
	s.facts.stream.state = STREAM_POLLING;
	assert_ready(&s);
	tear_down(&s);
}

static void lists(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	s.health.epoch = 0;
	assert_not(&s, "The first sync is not done");
	s.health.epoch = 1;
	assert_not(&s, "since the stream was connected anew");
	s.health.epoch = 2;
	s.health.list_error = xstrdup("GET /v1/jobs: 500\nx");
	assert_not(&s, "cannot be listed: GET /v1/jobs: 500\\nx");
	s.facts.health = NULL;
	assert_not(&s, "cannot be asked");
	tear_down(&s);
}

static void a_refused_token(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	s.health.list_error = xstrdup("GET /v1/jobs: denied");
	s.health.denied = true;
	assert_not(&s, "refuses the token: GET /v1/jobs: denied");
	s.health.denied = false;
	free(s.health.list_error);
	s.health.list_error = NULL;
	s.facts.stream.denied = true;
	s.facts.stream.reason = "the stream: denied";
	assert_not(&s, "refuses the token: the stream: denied");
	tear_down(&s);
}

static void scripts_that_did_not_load(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	s.facts.refused = "a.lua:3: unknown field";
	assert_not(&s, "generation 3 goes on: a.lua:3: unknown field");
	tear_down(&s);
}

static void an_old_key(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	(void)health_add(&s.health, "quick");
	health_add(&s.health, "slow")->oldest = 300;
	assert_ready(&s);
	s.health.policies[1].oldest = 3700;
	assert_not(&s, "Policy slow is behind: a job has waited for 1 h 1 min (limit: 5 min 0 s)");
	/* Parked keys have no age. */
	s.health.policies[1] =
		(struct health_policy){.name = s.health.policies[1].name, .parked = 12};
	assert_ready(&s);
	tear_down(&s);
}

static void the_end_is_the_only_reason(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	s.facts.health = NULL;
	s.facts.stream.connected = false;
	s.facts.stopping = true;
	assert_not(&s, "shutting down");
	tear_down(&s);
}

static void more_reasons_than_fit(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s);
	buf_init(&s.reasons, 1);
	s.facts.refused = "x";
	assert_false(ready_check(&s.facts, &s.reasons));
	assert_string_equal(buf_text(&s.reasons), "");
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_is_not_there),
		cmocka_unit_test(a_silent_stream),
		cmocka_unit_test(lists),
		cmocka_unit_test(a_refused_token),
		cmocka_unit_test(scripts_that_did_not_load),
		cmocka_unit_test(an_old_key),
		cmocka_unit_test(the_end_is_the_only_reason),
		cmocka_unit_test(more_reasons_than_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
