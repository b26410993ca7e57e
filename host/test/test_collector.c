/* test_collector: garbage goes while nothing else is to do, and only then. */
#include "collector.h"

#include "lua_fixture.h"

#define MEMORY ((size_t)64 * 1024 * 1024)
#define MUCH ((size_t)2 * 1024 * 1024)
#define LEFT ((size_t)512 * 1024) /* more than is never looked for */

struct quiet {
	struct fixture f;
	struct collector *collector;
	size_t before;
	uv_timer_t patience;
	bool late;
	struct turn_job job;
	unsigned turns; /* that the job still takes */
};

static int set_up(void **state)
{
	struct quiet *q = xcalloc(1, sizeof(*q));

	fixture_open(&q->f, MEMORY);
	fixture_do(&q->f, "collectgarbage()");
	q->collector = collector_new(&q->f.loop, q->f.context.turn, q->f.vm);
	q->before = vm_memory(q->f.vm);
	q->patience.data = &q->late;
	assert_int_equal(uv_timer_init(&q->f.loop, &q->patience), 0);
	assert_int_equal(uv_timer_start(&q->patience, fixture_on_patience_over,
				 (uint64_t)(FIXTURE_PATIENCE * 1000), 0),
		0);
	*state = q;
	return 0;
}

static int tear_down(void **state)
{
	struct quiet *q = *state;

	uv_close((uv_handle_t *)&q->patience, NULL);
	collector_free(q->collector);
	fixture_close(&q->f);
	free(q);
	return 0;
}

/* Lua's own collector has no say in it: it is to leave what is there. */
static void make_garbage(struct quiet *q)
{
	(void)lua_gc(vm_state(q->f.vm), LUA_GCSTOP);
	fixture_do(&q->f, "for i = 1, 40000 do local t = { i, i } end");
	(void)lua_gc(vm_state(q->f.vm), LUA_GCRESTART);
	assert_true(vm_memory(q->f.vm) > q->before + MUCH);
	collector_note(q->collector);
}

static void wait_until_it_is_gone(struct quiet *q)
{
	while (vm_memory(q->f.vm) > q->before + LEFT && !q->late)
		(void)uv_run(&q->f.loop, UV_RUN_ONCE);
	assert_false(q->late);
}

static void garbage_goes_while_nothing_happens(void **state)
{
	struct quiet *q = *state;

	for (int i = 0; i < 3; i++) {
		make_garbage(q);
		wait_until_it_is_gone(q);
	}
}

static int make_long_strings(lua_State *L)
{
	for (int i = 0; i < 8; i++) {
		vm_expect_long(L, 2 * MUCH);
		(void)lua_newuserdatauv(L, 2 * MUCH, 0);
		lua_pop(L, 1);
	}
	return 0;
}

static void long_strings_go_and_others_after_them(void **state)
{
	struct quiet *q = *state;

	assert_true(vm_call(q->f.vm, make_long_strings, NULL, VM_CPU_CALL));
	assert_true(vm_memory(q->f.vm) > q->before + MUCH);
	collector_note(q->collector);
	wait_until_it_is_gone(q);
	make_garbage(q);
	wait_until_it_is_gone(q);
}

static int make_long_strings_old(lua_State *L)
{
	lua_newtable(L);
	for (int i = 1; i <= 4; i++) {
		vm_expect_long(L, MUCH);
		(void)lua_newuserdatauv(L, MUCH, 0);
		lua_rawseti(L, -2, i);
	}
	vm_expect_long(L, MUCH);
	return 0;
}

static void long_strings_that_grew_old_go_some_time_after(void **state)
{
	struct quiet *q = *state;

	assert_true(vm_call(q->f.vm, make_long_strings_old, NULL, VM_CPU_CALL));
	assert_true(vm_memory(q->f.vm) > q->before + 4 * MUCH - LEFT);
	collector_note(q->collector);
	wait_until_it_is_gone(q);
}

static void what_is_in_use_stays(void **state)
{
	struct quiet *q = *state;

	fixture_do(&q->f, "kept = {} for i = 1, 20000 do kept[i] = { i } end");
	make_garbage(q);
	q->before += MUCH;
	wait_until_it_is_gone(q);
	assert_lua(&q->f, "#kept == 20000 and kept[20000][1] == 20000");
}

static void rests_without_garbage(void **state)
{
	struct quiet *q = *state;

	make_garbage(q);
	wait_until_it_is_gone(q);
	/* The end of the collection, at the latest. */
	while (uv_backend_timeout(&q->f.loop) < 1000 && !q->late)
		(void)uv_run(&q->f.loop, UV_RUN_ONCE);
	collector_note(q->collector);
	(void)uv_run(&q->f.loop, UV_RUN_NOWAIT);
	assert_true(uv_backend_timeout(&q->f.loop) > 1000);
	assert_false(q->late);
}

static void work(void *user)
{
	struct quiet *q = user;

	if (q->turns-- > 1)
		turn_add(q->f.context.turn, &q->job);
}

static void work_comes_first(void **state)
{
	struct quiet *q = *state;
	uint64_t start = uv_hrtime();

	turn_job_init(&q->job, work, q);
	make_garbage(q);
	while (uv_hrtime() - start < 50000000) {
		q->turns = 2;
		turn_add(q->f.context.turn, &q->job);
		(void)uv_run(&q->f.loop, UV_RUN_ONCE);
		assert_true(vm_memory(q->f.vm) > q->before + MUCH);
	}
	turn_remove(&q->job);
	wait_until_it_is_gone(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			garbage_goes_while_nothing_happens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			long_strings_go_and_others_after_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			long_strings_that_grew_old_go_some_time_after, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_use_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rests_without_garbage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(work_comes_first, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
