/* test_packed: what a refusal of memory leaves behind, and that nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packed.h"

/* Refuses what goes beyond max. */
struct memory {
	size_t used, max;
};

static void *resize(void *user, void *old, size_t old_size, size_t size)
{
	struct memory *m = user;

	assert_true(old_size <= m->used);
	if (size > old_size && m->used + (size - old_size) > m->max)
		return NULL;
	m->used = m->used - old_size + size;
	if (size == 0) {
		free(old);
		return NULL;
	}
	old = realloc(old, size);
	assert_non_null(old);
	return old;
}

static uint32_t add(struct packed *p, int number)
{
	char key[32];
	int len = snprintf(key, sizeof(key), "default/job-%d", number);
	uint32_t record = packed_add(p, key, (size_t)len);

	if (record)
		packed_values(p, record)[0] = number;
	return record;
}

static uint32_t find(const struct packed *p, int number)
{
	char key[32];
	int len = snprintf(key, sizeof(key), "default/job-%d", number);

	return packed_find(p, key, (size_t)len);
}

static void says_what_it_takes(void **state)
{
	struct memory m = {.max = SIZE_MAX};
	struct packed p;

	(void)state;
	packed_init(&p, 2, resize, &m);
	assert_int_equal(packed_bytes(&p), 0);
	for (int i = 0; i < 5000; i++)
		assert_true(add(&p, i) > 0);
	assert_int_equal(packed_bytes(&p), m.used);
	for (int i = 0; i < 5000; i += 2)
		packed_remove(&p, find(&p, i));
	assert_int_equal(packed_bytes(&p), m.used);
	assert_int_equal(p.used, 2500);
	packed_clear(&p);
	assert_int_equal(m.used, 0);
}

/* At every limit: the add that fails changes nothing, and the one after it, with more memory, succeeds. */
static void is_whole_after_a_refusal(void **state)
{
	(void)state;
	for (size_t max = 0; max < 40000; max += 97) {
		struct memory m = {.max = max};
		struct packed p;
		int i = 0;

		packed_init(&p, 3, resize, &m);
		while (i < 300 && add(&p, i) > 0)
			i++;
		assert_int_equal(p.used, i);
		assert_int_equal(packed_bytes(&p), m.used);
		for (int k = 0; k < i; k++)
			assert_int_equal(packed_values(&p, find(&p, k))[0], k);
		assert_int_equal(find(&p, i), 0);
		m.max = SIZE_MAX;
		assert_true(add(&p, i) > 0);
		assert_int_equal(packed_values(&p, find(&p, i))[0], i);
		packed_clear(&p);
		assert_int_equal(m.used, 0);
	}
}

/* Dead keys that cannot be moved out of the way are no harm. */
static void removes_without_memory(void **state)
{
	struct memory m = {.max = SIZE_MAX};
	struct packed p;

	(void)state;
	packed_init(&p, 1, resize, &m);
	for (int i = 0; i < 2000; i++)
		assert_true(add(&p, i) > 0);
	m.max = 0;
	for (int i = 0; i < 1999; i++)
		packed_remove(&p, find(&p, i));
	assert_int_equal(packed_values(&p, find(&p, 1999))[0], 1999);
	m.max = SIZE_MAX;
	for (int i = 0; i < 1999; i++)
		assert_true(add(&p, i) > 0);
	assert_int_equal(p.top, 2000); /* their numbers are used again */
	packed_remove(&p, find(&p, 1999));
	assert_int_equal(find(&p, 1999), 0);
	packed_clear(&p);
	assert_int_equal(m.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_takes),
		cmocka_unit_test(is_whole_after_a_refusal),
		cmocka_unit_test(removes_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
