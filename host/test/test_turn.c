/* test_turn: jobs that took long leave some turns to what has to be read. */
#include "turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>

#define MS 1000000

struct fixture {
	uv_loop_t loop;
	uv_prepare_t prepare;
	struct turn *turn;
	struct turn_job job;
	uint64_t spins; /* ns: what the job takes */
	int runs, turns;
	uint64_t ended, began; /* of the first and of the second run */
	int turns_before, turns_between;
};

static void run(void *user)
{
	struct fixture *f = user;
	uint64_t now = uv_hrtime();

	f->runs++;
	if (f->runs == 2) {
		f->began = now;
		f->turns_between = f->turns - f->turns_before;
		return;
	}
	while (uv_hrtime() - now < f->spins) {
	}
	f->ended = uv_hrtime();
	f->turns_before = f->turns;
	turn_add(f->turn, &f->job);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct fixture *f = prepare->data;

	f->turns++;
}

static void run_twice(struct fixture *f, uint64_t spins)
{
	*f = (struct fixture){.spins = spins};
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_prepare_init(&f->loop, &f->prepare), 0);
	f->prepare.data = f;
	assert_int_equal(uv_prepare_start(&f->prepare, on_prepare), 0);
	f->turn = turn_new(&f->loop);
	turn_job_init(&f->job, run, f);
	turn_add(f->turn, &f->job);
	while (f->runs < 2)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	turn_free(f->turn);
	uv_close((uv_handle_t *)&f->prepare, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void test_long_job_leaves_time(void **state)
{
	struct fixture f;

	(void)state;
	run_twice(&f, (uint64_t)100 * MS);
	assert_true(f.began - f.ended >= (uint64_t)19 * MS);
	assert_true(f.turns_between > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_job_leaves_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
