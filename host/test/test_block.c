/* test_block: long blocks are used again, and garbage of long strings is collected by their size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <string.h>
#include <time.h>

#include "block.h"
#include "vm.h"

static void blocks_hold_what_was_asked_for(void **state)
{
	void *blocks[8];

	(void)state;
	block_give_back(NULL);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 8; i++) {
			size_t size = BLOCK_LEAST + i * 100000 + round * 7777;

			blocks[i] = block_take(size);
			assert_non_null(blocks[i]);
			assert_true(block_size(blocks[i]) >= size);
			memset(blocks[i], (int)i, size);
		}
		for (size_t i = 0; i < 8; i++) {
			const char *bytes = blocks[i];

			assert_int_equal(bytes[0], i);
			assert_int_equal(bytes[BLOCK_LEAST], i);
			block_give_back(blocks[i]);
		}
	}
	assert_null(block_take(SIZE_MAX));
	assert_null(block_take(SIZE_MAX - 100));
}

enum { STRINGS = 200, LENGTH = 1000000, HELD = 4 };

static int make_long_strings(lua_State *L)
{
	static char text[LENGTH];
	size_t *peak = lua_touserdata(L, 1);

	lua_gc(L, LUA_GCSTOP); /* Lua alone would keep them all */
	lua_newtable(L);
	for (int i = 0; i < STRINGS; i++) {
		vm_expect_long(L, sizeof(text));
		memset(text, 'a' + i % 26, sizeof(text));
		lua_pushlstring(L, text, sizeof(text));
		lua_rawseti(L, -2, i % HELD + 1);
		for (int held = 1; held <= HELD && held <= i + 1; held++) {
			lua_rawgeti(L, -1, held);
			assert_int_equal(lua_rawlen(L, -1), LENGTH);
			assert_int_equal(lua_tostring(L, -1)[LENGTH - 1],
				'a' + (i - (i - held + 1 + HELD) % HELD) % 26);
			lua_pop(L, 1);
		}
		*peak = vm_memory(vm_of(L)) > *peak ? vm_memory(vm_of(L)) : *peak;
	}
	return 0;
}

static void garbage_of_long_strings_is_collected(void **state)
{
	struct vm_options options = {.memory_max = (size_t)64 * 1024 * 1024};
	char *error = NULL;
	struct vm *vm = vm_new(&options, &error);
	size_t peak = 0;

	(void)state;
	assert_non_null(vm);
	if (!vm_call(vm, make_long_strings, &peak, VM_CPU_LOAD))
		fail_msg("%s", vm_last_error(vm)->message);
	/* What is held, 2 MiB of garbage that grew old, a young one and one more; the libraries. */
	assert_in_range(peak, HELD * LENGTH, (size_t)12 * 1024 * 1024);
	vm_free(vm);
}

static int use_long_strings_once(lua_State *L)
{
	size_t *peak = lua_touserdata(L, 1);

	lua_gc(L, LUA_GCSTOP);
	assert_false(vm_collect_young(L));
	for (int i = 0; i < STRINGS; i++) {
		vm_expect_long(L, LENGTH);
		lua_newuserdatauv(L, LENGTH, 0);
		lua_pop(L, 1);
		*peak = vm_memory(vm_of(L)) > *peak ? vm_memory(vm_of(L)) : *peak;
	}
	assert_true(vm_collect_young(L));
	assert_in_range(vm_memory(vm_of(L)), 0, LENGTH);
	return 0;
}

static int look_for_young(lua_State *L)
{
	bool *young = lua_touserdata(L, 1);

	*young = vm_collect_young(L);
	return 0;
}

static void young_garbage_is_collected_alone_while_long_strings_come(void **state)
{
	struct vm_options options = {.memory_max = (size_t)64 * 1024 * 1024};
	char *error = NULL;
	struct vm *vm = vm_new(&options, &error);
	size_t peak = 0;
	bool young = true;
	time_t start = time(NULL);

	(void)state;
	assert_non_null(vm);
	if (!vm_call(vm, use_long_strings_once, &peak, VM_CPU_LOAD))
		fail_msg("%s", vm_last_error(vm)->message);
	/* One of garbage and one more; the libraries. */
	assert_in_range(peak, LENGTH, 3 * LENGTH);
	while (young && time(NULL) - start < 20)
		assert_true(vm_call(vm, look_for_young, &young, VM_CPU_LOAD));
	assert_false(young);
	vm_free(vm);
}

static void a_block_can_grow_and_shrink(void **state)
{
	struct vm_options options = {.memory_max = (size_t)64 * 1024 * 1024};
	char *error = NULL;
	struct vm *vm = vm_new(&options, &error);
	void *user;
	lua_Alloc allocate = lua_getallocf(vm_state(vm), &user);
	size_t before = vm_memory(vm), size = 100;
	static const size_t sizes[] = {1000, 300000, 320000, 310000, 3000000, 5000, 290000, 200};
	unsigned char *block = allocate(user, NULL, 0, size);

	(void)state;
	memset(block, 7, size);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t least = size < sizes[i] ? size : sizes[i];

		block = allocate(user, block, size, sizes[i]);
		assert_non_null(block);
		assert_int_equal(block[0], 7);
		assert_int_equal(block[least - 1], 7);
		size = sizes[i];
		memset(block, 7, size);
		assert_int_equal(vm_memory(vm), before + size);
	}
	assert_null(allocate(user, block, size, 0));
	assert_int_equal(vm_memory(vm), before);
	vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_hold_what_was_asked_for),
		cmocka_unit_test(a_block_can_grow_and_shrink),
		cmocka_unit_test(garbage_of_long_strings_is_collected),
		cmocka_unit_test(young_garbage_is_collected_alone_while_long_strings_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
