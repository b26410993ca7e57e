/* api_count: each answer is in its series, also where there are more series than names are kept. */
#include "api_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>

static void by_method_and_status(void **state)
{
	struct api_count c = {.metrics = metrics_new()};
	static const char *const methods[] = {"GET", "POST", "BREW"};
	static const char *const names[] = {"GET", "POST", "other"};

	(void)state;
	for (long i = 0; i < 30; i++) {
		struct http_result answer = {.error = HTTP_OK, .status = 200 + i % 10};

		for (size_t m = 0; m < 3; m++)
			api_count_answer(&c, methods[m], &answer, "ok");
	}
	for (long status = 200; status < 210; status++) {
		for (size_t m = 0; m < 3; m++) {
			char *series = xasprintf("nomad_requests_total{code=\"%ld\",method=\"%s\"}",
				status, names[m]);

			assert_true(metrics_get(c.metrics, series) == 3);
			free(series);
		}
	}
	metrics_free(c.metrics);
	api_count_clear(&c);
}

static void what_has_no_status_has_a_code(void **state)
{
	struct api_count c = {.metrics = metrics_new()};
	struct http_result answer = {.error = HTTP_REFUSED};

	(void)state;
	api_count_answer(&c, "PUT", &answer, "refused");
	assert_true(metrics_get(c.metrics,
			    "nomad_requests_total{code=\"refused\",method=\"PUT\"}") == 1);
	metrics_free(c.metrics);
	api_count_clear(&c);
}

static void nobody_counts(void **state)
{
	struct api_count c = {.metrics = NULL};
	struct http_result answer = {.error = HTTP_OK, .status = 200};

	(void)state;
	api_count_answer(&c, "GET", &answer, "ok");
	assert_int_equal(c.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_method_and_status),
		cmocka_unit_test(what_has_no_status_has_a_code),
		cmocka_unit_test(nobody_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
