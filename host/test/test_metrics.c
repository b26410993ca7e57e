/* metrics: what is counted, and how Prometheus is told. */
#include "metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <string.h>

struct scene {
	struct metrics *counted, *measured;
	struct buf page;
};

static void set_up(struct scene *s, size_t max)
{
	*s = (struct scene){.counted = metrics_new(), .measured = metrics_new()};
	buf_init(&s->page, max);
}

static void tear_down(struct scene *s)
{
	metrics_free(s->counted);
	metrics_free(s->measured);
	buf_free(&s->page);
}

static void assert_has(struct scene *s, const char *part)
{
	if (!strstr(buf_text(&s->page), part))
		fail_msg("\"%s\" is not in:\n%s", part, buf_text(&s->page));
}

static void labels_are_escaped(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, 1 << 20);
	assert_true(metrics_add_with(
		s.counted, 2, "writes_total", "policy", "a\"b\\c\nd", "verb", "create", NULL));
	assert_true(metrics_add_with(
		s.counted, 1, "writes_total", "policy", "a\"b\\c\nd", "verb", "create", NULL));
	assert_true(metrics_text(&s.page, s.counted, s.measured));
	assert_has(&s,
		"\nnomad_operator_writes_total{policy=\"a\\\"b\\\\c\\nd\",verb=\"create\"} 3\n");
	tear_down(&s);
}

static void a_name_without_labels(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, 1 << 20);
	assert_true(metrics_add_with(s.measured, 0.5, "ready", NULL));
	assert_true(metrics_text(&s.page, s.counted, s.measured));
	assert_has(&s, "# TYPE nomad_operator_ready gauge\nnomad_operator_ready 0.5\n");
	/* A counter that never counted is 0; a gauge that was not measured is not there. */
	assert_has(&s, "\nnomad_operator_stream_lost_total 0\n");
	assert_null(strstr(buf_text(&s.page), "\nnomad_operator_generation "));
	tear_down(&s);
}

static void large_numbers_stay_whole(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, 1 << 20);
	assert_true(metrics_add(s.counted, "events_taken_total", 123456789012345));
	assert_true(metrics_text(&s.page, s.counted, s.measured));
	assert_has(&s, "\nnomad_operator_events_taken_total 123456789012345\n");
	tear_down(&s);
}

static void what_nobody_described_comes_last(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, 1 << 20);
	assert_true(metrics_add(s.counted, "writes_total_of_somebody", 1));
	assert_true(metrics_text(&s.page, s.counted, s.measured));
	assert_has(&s, "\nnomad_operator_writes_total_of_somebody 1\n");
	assert_string_equal(buf_text(&s.page) + s.page.len -
				    strlen("nomad_operator_writes_total_of_somebody 1\n"),
		"nomad_operator_writes_total_of_somebody 1\n");
	tear_down(&s);
}

static void a_page_that_does_not_fit(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, 500);
	assert_false(metrics_text(&s.page, s.counted, s.measured));
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(a_name_without_labels),
		cmocka_unit_test(large_numbers_stay_whole),
		cmocka_unit_test(what_nobody_described_comes_last),
		cmocka_unit_test(a_page_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
