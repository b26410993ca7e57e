/* test_task: tasks, what they may wait for, and what cancels them. */
#include "lua_fixture.h"

static void runs_with_arguments_and_tells_its_end(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "log = {}\n"
		      "host.spawn('a', function(x, y) log[#log + 1] = x + y; return 'result', "
		      "'second' end,\n"
		      "  function(...) log[#log + 1] = select('#', ...); log[#log + 1] = select(2, "
		      "...) end, 1, 2)\n"
		      "log[#log + 1] = 'spawned'");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == 'spawned 3 3 result'");
}

static void sleeps_without_stopping_others(void **state)
{
	struct fixture *f = *state;

	fixture_do(f,
		"local host = ...\n"
		"log, start = {}, host.monotonic()\n"
		"host.spawn('slow', function() host.sleep(0.05); log[#log + 1] = 'slow' end)\n"
		"host.spawn('fast', function() host.sleep(0.01); log[#log + 1] = 'fast' end)\n"
		"host.spawn('now', function() host.sleep(0); log[#log + 1] = 'now' end)");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == 'now fast slow'");
	assert_lua(f, "(...).monotonic() - start >= 0.05");
}

static void logs_an_error_with_its_traceback(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "(...).spawn('failing', function() local function inner() error('boom') end "
		      "inner() end)");
	fixture_finish(f);
	assert_log(f, "task failing: test.lua:1: boom");
	assert_log(f, "in local 'inner'");
	assert_log(f, "generation=0");
}

static void tells_done_the_error_value(void **state)
{
	struct fixture *f = *state;

	fixture_task(f, "host.sleep(0); error({ code = 'mine' })");
	assert_lua(f, "not ended.ok and ended.value.code == 'mine'");
	assert_lua(f, "ended.trace:find('test.lua:3', 1, true) ~= nil");
}

static void logs_what_a_done_callback_raises(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "host.spawn('one', function() end, function() host.sleep(1) end)");
	fixture_finish(f);
	assert_log(f, "task one: its done callback: test.lua:2: host.sleep waits: call it inside a "
		      "handler or a task");
}

static void waiting_outside_a_task_raises(void **state)
{
	struct fixture *f = *state;

	assert_false(fixture_try(f, "(...).sleep(1)"));
	assert_non_null(strstr(vm_last_error(f->vm)->message,
		"host.sleep waits: call it inside a handler or a task"));
	assert_false(fixture_try(f, "(...).signal():wait()"));
	assert_false(fixture_try(f, "(...).lock('a')"));
	assert_int_equal(store_locks(f->context.store), 0);
	fixture_task(f, "local co = coroutine.create(function() host.sleep(1) end)\n"
			"local ok, err = coroutine.resume(co)\n"
			"assert(not ok) error(err, 0)");
	assert_lua(f, "ended.value:find('host.sleep waits: it cannot be called inside a "
		      "coroutine', 1, true)");
	fixture_task(f, "table.sort({ 3, 2, 1 }, function(a, b) host.sleep(1) return a < b end)");
	assert_lua(f, "ended.value:find('table.sort', 1, true)");
}

static void yields_through_pcall_and_metamethods(void **state)
{
	struct fixture *f = *state;

	fixture_task(f, "local ok, err = pcall(function() host.sleep(0); error('after', 0) end)\n"
			"assert(not ok and err == 'after')\n"
			"local ok2, err2 = xpcall(function(a) host.sleep(0); error(a, 0) end,\n"
			"  function(e) return 'handled ' .. e end, 'b')\n"
			"assert(not ok2 and err2 == 'handled b')\n"
			"assert(select('#', xpcall(function(...) host.sleep(0) return ... end, "
			"print, 1, nil)) == 3)\n"
			"local t = setmetatable({}, { __index = function(_, k) host.sleep(0) "
			"return k .. k end })\n"
			"return t.a");
	assert_lua(f, "ended.ok and ended.value == 'aa'");
}

static void a_task_cannot_be_steered_by_coroutine_functions(void **state)
{
	struct fixture *f = *state;

	fixture_task(f, "coroutine.yield(1)");
	assert_lua(f, "ended.value:find('coroutine.yield was called in a task', 1, true)");
	fixture_do(f, "local host = ...\n"
		      "host.spawn('victim', function() co = coroutine.running(); host.sleep(0.05); "
		      "alive = true end)");
	fixture_task(f, "host.sleep(0.01)\n"
			"local ok, err = coroutine.resume(co) assert(not ok) says = err\n"
			"closed, why = pcall(coroutine.close, co)");
	assert_lua(f, "alive and says:find('is a task') and not closed and why:find('is a task')");
}

static void cancel_ends_a_task_where_it_waits(void **state)
{
	struct fixture *f = *state;

	fixture_do(f,
		"local host = ...\n"
		"log = {}\n"
		"local function say(text) return setmetatable({}, { __close = function()\n"
		"  log[#log + 1] = text\n"
		"  log[#log + 1] = select(2, pcall(host.sleep, 1)):match('%S+ waits') end }) end\n"
		"local done = function(ok, err) log[#log + 1] = tostring(ok) .. ' ' .. err.code .. "
		"' ' .. tostring(err) end\n"
		"local t = host.spawn('a', function() local x <close> = say('closed') "
		"host.sleep(100) end, done)\n"
		"host.spawn('b', function() host.sleep(0.01) t:cancel() t:cancel() end)\n"
		"host.spawn('never begun', function() log[#log + 1] = 'begun' end, done):cancel()");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ', ') == 'false cancelled the task was cancelled, closed, "
		      "host.sleep waits, false cancelled the task was cancelled'");
}

static void a_task_that_cancels_itself_ends_at_its_next_wait(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "log = {}\n"
		      "local t\n"
		      "t = host.spawn('a', function() t:cancel() log[1] = 'still' host.sleep(0) "
		      "log[2] = 'after' end,\n"
		      "  function(ok, err) log[#log + 1] = err.code end)");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == 'still cancelled'");
}

static void closing_cancels_everything_that_waits(void **state)
{
	struct fixture *f = *state;

	fixture_do(f,
		"local host = ...\n"
		"local s = host.signal()\n"
		"for i = 1, 5 do\n"
		"  host.spawn('s' .. i, function() local l <close> = host.lock('k') s:wait() end)\n"
		"  host.spawn('t' .. i, function() host.sleep(100) end, function()\n"
		"    host.spawn('late', function() end) end)\n"
		"end\n"
		"local timer = host.timer(function() end) timer:set(100)\n"
		"host.spawn('u', function() host.sleep(0.01) end)");
	for (int i = 0; i < 20; i++)
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_true(tasks_count(f->context.tasks) >= 10);
	fixture_close_vm(f);
	assert_log(f, "no task can be started any more");
	assert_int_equal(store_locks(f->context.store), 0);
}

static void signal_wakes_all_in_order_and_times_out(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "log = {}\n"
		      "local s = host.signal()\n"
		      "s:fire()\n"
		      "for i = 1, 3 do host.spawn('w' .. i, function()\n"
		      "  local fired = s:wait(i == 2 and 0.01 or nil) log[#log + 1] = i .. "
		      "tostring(fired) end) end\n"
		      "host.spawn('f', function() host.sleep(0.05) s:fire() end)");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == '2false 1true 3true'");
}

static void lock_is_given_in_order(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "log, inside = {}, 0\n"
		      "local victim\n"
		      "for i = 1, 5 do local t = host.spawn('l' .. i, function()\n"
		      "  local l <close> = host.lock('key')\n"
		      "  inside = inside + 1 assert(inside == 1)\n"
		      "  log[#log + 1] = i host.sleep(0.005)\n"
		      "  inside = inside - 1\n"
		      "end) if i == 3 then victim = t end end\n"
		      "host.spawn('cancel', function() victim:cancel() end)\n"
		      "host.spawn('other', function() local l = host.lock('other') log[#log + 1] = "
		      "'other' l:release() l:release() end)");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == '1 other 2 4 5'");
	assert_int_equal(store_locks(f->context.store), 0);
}

static void lock_is_given_up_by_the_collector(void **state)
{
	struct fixture *f = *state;

	fixture_task(f, "host.lock('a')\n"
			"host.spawn('gc', function() collectgarbage() collectgarbage() end)\n"
			"local l <close> = host.lock('a')\n"
			"return true");
	assert_lua(f, "ended.ok");
}

static void timer_fires_once_outside_tasks(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "log = {}\n"
		      "local kept = host.timer(function() log[#log + 1] = 'kept' end)\n"
		      "kept:set(100) kept:set(0.01)\n"
		      "host.timer(function() log[#log + 1] = 'dropped' end):set(0.02)\n"
		      "local stopped = host.timer(function() log[#log + 1] = 'stopped' end)\n"
		      "stopped:set(0.01) stopped:stop()\n"
		      "host.timer(function() error('bad timer') end):set(0.01)\n"
		      "host.timer(function() host.sleep(0) end):set(0.01)\n"
		      "local again again = host.timer(function() log[#log + 1] = 'again'\n"
		      "  if #log < 6 then again:set(0.015) end end) again:set(0.03)\n"
		      "host.spawn('gc', function() collectgarbage() while #log < 6 do "
		      "host.sleep(0.01) end end)");
	fixture_finish(f);
	assert_lua(f, "table.concat(log, ' ') == 'kept dropped again again again again'");
	assert_log(f, "a timer's function: test.lua:8: bad timer");
	assert_log(f, "a timer's function: test.lua:9: host.sleep waits");
}

static void keeps_values_across_states(void **state)
{
	struct fixture *f = *state;

	fixture_do(f,
		"local host = ...\n"
		"host.keep('i', 1 << 60) host.keep('n', 0.5) host.keep('s', 'a\\0b') "
		"host.keep('b', false)\n"
		"host.keep('gone', 1) host.keep('gone', nil)\n"
		"host.keep('s', host.kept('s') .. '!')\n"
		"for i = 1, 1000 do host.keep('k' .. i, 'v' .. i) end\n"
		"host.spawn('holder', function() local l = host.lock('k') host.sleep(100) end)");
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(store_locks(f->context.store), 1);
	fixture_close_vm(f);
	assert_true(fixture_open_vm(f, FIXTURE_MEMORY));
	assert_lua(f, "math.type((...).kept('i')) == 'integer' and (...).kept('i') == 1 << 60");
	assert_lua(f, "(...).kept('n') == 0.5 and (...).kept('b') == false and (...).kept('gone') "
		      "== nil");
	assert_lua(f, "(...).kept('s') == 'a\\0b!' and (...).kept('k777') == 'v777'");
	/* The lock went with the state that held it. */
	fixture_task(f, "local l <close> = host.lock('k') return true");
	assert_lua(f, "ended.ok");
	fixture_do(f, "for i = 1, 1000 do (...).keep('k' .. i, nil) end");
	assert_false(fixture_try(f, "(...).keep('t', {})"));
}

static void counts_by_labels(void **state)
{
	struct fixture *f = *state;

	fixture_do(f, "local host = ...\n"
		      "host.count('writes_total', 1, { verb = 'a\"b', policy = 'p' })\n"
		      "host.count('writes_total', 2, { policy = 'p', verb = 'a\"b' })\n"
		      "host.count('plain', 1) "
		      "local add = host.counter('writes_total', { policy = 'p', verb = 'a\"b' }) "
		      "local new = host.counter('a_new_one') "
		      "add() new() add(2.5) new(4) host.counter('never')");
	assert_true(metrics_get(f->context.metrics, "writes_total{policy=\"p\",verb=\"a\\\"b\"}") ==
		    6.5);
	assert_true(metrics_get(f->context.metrics, "plain") == 1.0);
	assert_true(metrics_get(f->context.metrics, "a_new_one") == 5.0);
	assert_false(fixture_try(f, "(...).count('Bad name', 1)"));
}

static void the_standard_library_has_no_way_out(void **state)
{
	struct fixture *f = *state;

	assert_lua(f, "io == nil and dofile == nil and loadfile == nil and os.execute == nil and "
		      "os.getenv == nil");
	assert_lua(f,
		"os.exit == nil and debug.setmetatable == nil and debug.getregistry == nil and "
		"string.dump == nil");
	assert_lua(f, "package.loadlib == nil and package.path == '' and package.cpath == ''");
	assert_lua(f, "require('os') == os and require('debug') == debug");
	assert_lua(f, "load('\\27Lua') == nil and load('\\27Lua', 'x', 'b') == nil and "
		      "load('return 1', 'x', 'b')() == 1");
	assert_lua(f, "load('return a', 'x', 't', { a = 5 })() == 5 and load('return a', 'x', 't', "
		      "nil) ~= nil");
	assert_false(fixture_try(f, "setmetatable({}, { __gc = function() end })"));
	assert_lua(f, "getmetatable(setmetatable({}, { __index = math })).__index == math");
	assert_false(fixture_try(f, "setmetatable(setmetatable({}, { __metatable = 1 }), {})"));
	assert_false(fixture_try(f, "require('no.such')"));
	assert_false(fixture_try(f, "require('../etc/passwd')"));
	assert_lua(f, "require('cjson').decode('[1]')[1] == 1 and require('host.json').encode({}) "
		      "== '{}'");
}

/* coroutine.* of scripts is ours: it has to behave as Lua's own. */
static void coroutines_of_scripts_work_as_ever(void **state)
{
	struct fixture *f = *state;

	assert_lua(f, "select('#', coroutine.resume(coroutine.create(function() return 1, nil, 3 "
		      "end))) == 4");
	assert_lua(f, "select(2, coroutine.resume(coroutine.create(function() error({ 7 }) "
		      "end)))[1] == 7");
	assert_lua(f,
		"(function() local co = coroutine.create(function() end) coroutine.resume(co)\n"
		"return select(2, coroutine.resume(co)) == 'cannot resume dead coroutine' end)()");
	assert_lua(f, "(function() local g = coroutine.wrap(function(a) local b = "
		      "coroutine.yield(a + 1) return b * 2 end)\n"
		      "return g(1) == 2 and g(21) == 42 end)()");
	assert_lua(f, "select(2, pcall(coroutine.wrap(function() error('x') "
		      "end))):find('test.lua:1: x')");
	assert_lua(f, "(function() local log = {} local co = coroutine.create(function()\n"
		      "local x <close> = setmetatable({}, { __close = function() log[1] = 'closed' "
		      "end }) coroutine.yield() end)\n"
		      "coroutine.resume(co) return coroutine.close(co) and log[1] == 'closed' and "
		      "coroutine.status(co) == 'dead' end)()");
	assert_lua(f, "(function() local closed local w = coroutine.wrap(function()\n"
		      "local x <close> = setmetatable({}, { __close = function(_, e) closed = e "
		      "end }) error('y', 0) end)\n"
		      "return not pcall(w) and closed == 'y' end)()");
	assert_lua(f, "select(2, pcall(coroutine.close, coroutine.running())):find('running')");
	assert_lua(f, "select(2, coroutine.resume(coroutine.running())):find('non%-suspended')");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(runs_with_arguments_and_tells_its_end),
		fixture_test(sleeps_without_stopping_others),
		fixture_test(logs_an_error_with_its_traceback),
		fixture_test(tells_done_the_error_value),
		fixture_test(logs_what_a_done_callback_raises),
		fixture_test(waiting_outside_a_task_raises),
		fixture_test(yields_through_pcall_and_metamethods),
		fixture_test(a_task_cannot_be_steered_by_coroutine_functions),
		fixture_test(cancel_ends_a_task_where_it_waits),
		fixture_test(a_task_that_cancels_itself_ends_at_its_next_wait),
		fixture_test(closing_cancels_everything_that_waits),
		fixture_test(signal_wakes_all_in_order_and_times_out),
		fixture_test(lock_is_given_in_order),
		fixture_test(lock_is_given_up_by_the_collector),
		fixture_test(timer_fires_once_outside_tasks),
		fixture_test(keeps_values_across_states),
		fixture_test(counts_by_labels),
		fixture_test(the_standard_library_has_no_way_out),
		fixture_test(coroutines_of_scripts_work_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
