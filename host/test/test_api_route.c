/* api_route: which routes are reads, which capability they need, what may stand in them. */
#include "api_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>

#include "api.h"

static void escaping(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_true(api_escape(&b, "aZ09-_.~/ \n%\xc3\xa4", 14));
	assert_string_equal(buf_text(&b), "aZ09-_.~%2F%20%0A%25%C3%A4");
	assert_false(api_escape(&b, "////////////////", 16)); /* the buffer's limit */
	buf_free(&b);
}

static void which_routes_are_reads(void **state)
{
	static const struct {
		const char *method, *path;
		bool read;
	} cases[] = {
		{"GET", "/v1/jobs", true},
		{"HEAD", "/v1/jobs", true},
		{"get", "/v1/jobs", false},
		{"GET", "/v1/job/a/evaluate", true},
		{"POST", "/v1/jobs", false},
		{"PUT", "/v1/jobs", false},
		{"POST", "/v1/jobs/parse", true},
		{"PUT", "/v1/jobs/parse", true},
		{"DELETE", "/v1/jobs/parse", false},
		{"POST", "/v1/jobs/parse/", false},
		{"POST", "/v1/validate/job", true},
		{"POST", "/v1/search", true},
		{"POST", "/v1/search/fuzzy", true},
		{"POST", "/v1/job/a", false},
		{"POST", "/v1/job/a/plan", true},
		{"POST", "/v1/job/a%2Fb/plan", true},
		{"POST", "/v1/job/plan", false},
		{"POST", "/v1/job//plan", false},
		{"POST", "/v1/job/a/dispatch", false},
		{"POST", "/v1/job/a?b/plan", false},
		{"POST", "/v1/job/a#/plan", false},
		{"POST", "/v1/job/a/../../jobs/plan", false},
		{"POST", "/v1/job/a/%2e%2e/plan", false},
		{"POST", "/v1/job/a%00/plan", false},
		{"POST", "/v1/job/a%zz/plan", false},
		{"DELETE", "/v1/job/a/plan", false},
		{"PUT", "/v1/var/x", false},
		{"PUT", "/v1/system/gc", false},
		/* These act, whatever the method. */
		{"GET", "/v1/client/gc", false},
		{"GET", "/v1/client/%67c", false},
		{"GET", "/v1/client/allocation/x/restart", false},
		{"GET", "/v1/client/allocation/x/stats", true},
		{"GET", "/v1/client/fs/logs/x", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (api_is_read(cases[i].method, cases[i].path) != cases[i].read)
			fail_msg("%s %s", cases[i].method, cases[i].path);
	}
}

static void which_capability_a_route_needs(void **state)
{
	(void)state;
	assert_string_equal(api_route_capability("GET", "/v1/jobs"), "list-jobs");
	assert_string_equal(api_route_capability("PUT", "/v1/jobs"), "submit-job");
	assert_string_equal(api_route_capability("POST", "/v1/jobs/parse"), "parse-job");
	assert_string_equal(api_route_capability("GET", "/v1/job/a"), "read-job");
	assert_string_equal(api_route_capability("DELETE", "/v1/job/a"), "submit-job");
	assert_string_equal(api_route_capability("PUT", "/v1/job/a/dispatch"), "dispatch-job");
	assert_string_equal(api_route_capability("GET", "/v1/event/stream"), "read-job");
	assert_string_equal(api_route_capability("GET", "/v1/evaluations"), "read-job");
	assert_null(api_route_capability("GET", "/v1/nodes"));
}

static void what_may_not_stand_in_a_request(void **state)
{
	(void)state;
	assert_true(api_route_is_plain("/v1/job/a%20b~\xc3\xa4", "?#"));
	assert_true(api_route_is_plain("", "?#"));
	assert_false(api_route_is_plain("/v1/job/a b", ""));
	assert_false(api_route_is_plain("/v1/job/a\rb", ""));
	assert_false(api_route_is_plain("/v1/job/a\nb", ""));
	assert_false(api_route_is_plain("/v1/job/a\x7f", ""));
	assert_true(api_route_is_plain("a?b", "#"));
	assert_false(api_route_is_plain("a?b", "?#"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaping),
		cmocka_unit_test(which_routes_are_reads),
		cmocka_unit_test(which_capability_a_route_needs),
		cmocka_unit_test(what_may_not_stand_in_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
