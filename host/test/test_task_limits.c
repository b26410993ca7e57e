/* test_task_limits: what stops a task that computes for ever or takes all memory. */
#include "lua_fixture.h"

/* What the CPU limit has to stop. */
static void cpu_limit_stops_loops(void **state)
{
	static const char *const loops[] = {
		"while true do end",
		"while true do pcall(function() while true do end end) end",
		"local function f() while true do pcall(f) end end f()",
		"coroutine.wrap(function() while true do end end)()",
		"while true do local co = coroutine.create(function() while true do end end) "
		"coroutine.resume(co) end",
		"local co = coroutine.wrap(function() while true do pcall(coroutine.yield) end "
		"end) while true do pcall(co) end",
		"while true do xpcall(function() while true do end end, function() while true do "
		"end end) end",
		"local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) "
		"while true do pcall(function() return t[1] end) end",
		"while true do pcall(string.rep, 'x', 100000) end",
		"while true do pcall(function() while true do debug.sethook() end end) end",
		"table.sort({ 1, 2, 3, 4 }, function() while true do end end)",
		"local x <close> = setmetatable({}, { __close = function() while true do end end "
		"}) while true do end",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		fixture_task(f, loops[i]);
		if (!fixture_is(f, "not ended.ok and type(ended.value) == 'table' and "
				   "ended.value.code == 'cpu'"))
			fail_msg("not stopped by the CPU limit: %s", loops[i]);
		assert_lua(f, "tostring(ended.value):find('test.lua:%d+: used more than 0.2 s of "
			      "CPU without waiting')");
		/* The state goes on, without a hook. */
		fixture_task(f, "for i = 1, 1000 do host.sleep(0) if i > 5 then return i end end");
		assert_lua(f, "ended.ok and ended.value == 6");
	}
	/* This one loops when the log asks for its text. */
	fixture_do(f, "(...).spawn('odd', function() error(setmetatable({}, { __tostring = "
		      "function() while true do end end })) end)");
	fixture_finish(f);
	assert_log(f, "task odd: its done callback: test.lua:1: used more than 0.2 s of CPU");
}

static void cpu_limit_holds_outside_tasks(void **state)
{
	struct fixture *f = *state;

	assert_false(fixture_try(f, "while true do pcall(function() while true do end end) end"));
	assert_string_equal(vm_last_error(f->vm)->code, "cpu");
	assert_false(fixture_try(f, "while true do xpcall(function() while true do end end, "
				    "function() while true do end end) end"));
	assert_string_equal(vm_last_error(f->vm)->code, "cpu");
	assert_false(fixture_try(f, "local function f() while true do pcall(f) end end f()"));
	assert_string_equal(vm_last_error(f->vm)->code, "cpu");
	assert_false(fixture_try(
		f, "local function f() while true do pcall(f) end end coroutine.wrap(f)()"));
	assert_string_equal(vm_last_error(f->vm)->code, "cpu");
	fixture_do(f, "local n = 0 for i = 1, 1000 do n = n + i end");
}

static void waiting_is_not_computing(void **state)
{
	struct fixture *f = *state;

	/* Three times the limit in all, but never without a wait. */
	fixture_task(f, "local start = os.clock()\n"
			"while os.clock() - start < 0.6 do\n"
			"  local slice = os.clock() while os.clock() - slice < 0.05 do end\n"
			"  host.sleep(0)\n"
			"end");
	assert_lua(f, "ended.ok");
}

static void memory_bomb_ends_its_task_only(void **state)
{
	static const char *const bombs[] = {
		"local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(100000) .. i end",
		"return ('x'):rep(1 << 40)",
		"local s = 'x' while true do s = s .. s end",
		"local function f(...) return f(1, ...) end return f()",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		fixture_task(f, bombs[i]);
		if (!fixture_is(f, "not ended.ok"))
			fail_msg("not stopped: %s", bombs[i]);
		fixture_task(f, "return ('x'):rep(1000000)");
		assert_lua(f, "ended.ok");
		assert_true(vm_memory(f->vm) <= FIXTURE_MEMORY + VM_RESERVE);
	}
	fixture_task(f, bombs[2]);
	assert_lua(f, "ended.value.code == 'memory' and tostring(ended.value) == "
		      "'not enough memory: a generation may use 32 MiB'");
	/* The script may catch it. */
	fixture_task(
		f, "local ok, err = pcall(string.rep, 'x', 1 << 30) assert(not ok) return err");
	assert_lua(f, "ended.ok and ended.value == 'not enough memory'");
}

/* Every allocation that can fail does, at one cap or another; nothing may crash, leak, or end in a panic. */
static void survives_any_cap_on_memory(void **state)
{
	static const char *const work =
		"local host = ...\n"
		"local json = require('host.json')\n"
		"local s = host.signal()\n"
		"host.spawn('a', function() local l <close> = host.lock('k') host.sleep(0) "
		"s:fire()\n"
		"  local t = {} for i = 1, 50 do t[i] = ('v'):rep(i * 10) end\n"
		"  return json.encode(t) end, function(ok, value) host.keep('a', tostring(value)) "
		"end)\n"
		"host.spawn('b', function() s:wait(0.01) error({ code = 'x' }) end)\n"
		"host.spawn('c', function() error('boom' .. ('c'):rep(500)) end)\n"
		"host.spawn('d', function() host.sleep(100) end):cancel()\n"
		"host.timer(function() host.log('info', 'tick', { a = 1 }) end):set(0)\n"
		"host.count('n', 1, { a = 'b' }) host.escape('x') host.list_dir('/nonexistent')";
	struct fixture *f = *state;
	size_t worked = 0;

	fixture_close_vm(f);
	for (size_t max = 4096; max < 120 * 1024; max += 331) {
		if (fixture_open_vm(f, max) && fixture_try(f, work)) {
			fixture_finish(f);
			worked++;
		}
		fixture_close_vm(f);
		assert_int_equal(store_locks(f->context.store), 0);
	}
	assert_true(worked > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(cpu_limit_stops_loops),
		fixture_test(cpu_limit_holds_outside_tasks),
		fixture_test(waiting_is_not_computing),
		fixture_test(memory_bomb_ends_its_task_only),
		fixture_test(survives_any_cap_on_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
