/* store: see store.h. Two hash tables of chained entries, one for values and one for locks. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct store_entry {
	struct store_entry *next;
	uint64_t hash;
	struct store_value value;	  /* values */
	char *text;			  /* of a string value */
	struct store_lock *holder;	  /* locks */
	struct store_lock *first, **tail; /* who waits */
	size_t len;
	char key[]; /* len bytes */
};

struct table {
	struct store_entry **slots;
	size_t size; /* a power of two */
	size_t count;
};

struct store {
	struct table values, locks;
	size_t bytes;
};

#define TABLE_FIRST 64

static void table_init(struct table *t)
{
	t->size = TABLE_FIRST;
	t->slots = xcalloc(t->size, sizeof(struct store_entry *));
	t->count = 0;
}

/* FNV-1a: keys are names of our own and of jobs, nobody gains by making them collide. */
static uint64_t hash_of(const char *key, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++) {
		hash ^= (unsigned char)key[i];
		hash *= UINT64_C(1099511628211);
	}
	return hash;
}

static struct store_entry **table_find(const struct table *t, const char *key, size_t len)
{
	uint64_t hash = hash_of(key, len);
	struct store_entry **at = &t->slots[hash & (t->size - 1)];

	while (*at &&
		((*at)->hash != hash || (*at)->len != len || memcmp((*at)->key, key, len) != 0))
		at = &(*at)->next;
	return at;
}

static void table_grow(struct table *t)
{
	size_t size = t->size * 2;
	struct store_entry **slots = xcalloc(size, sizeof(struct store_entry *));

	for (size_t i = 0; i < t->size; i++) {
		struct store_entry *next;

		for (struct store_entry *e = t->slots[i]; e; e = next) {
			next = e->next;
			e->next = slots[e->hash & (size - 1)];
			slots[e->hash & (size - 1)] = e;
		}
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
}

static struct store_entry *table_add(struct table *t, const char *key, size_t len)
{
	struct store_entry *e = xcalloc(1, sizeof(*e) + len + 1);
	struct store_entry **slot;

	if (t->count >= t->size)
		table_grow(t);
	e->hash = hash_of(key, len);
	e->len = len;
	memcpy(e->key, key, len);
	slot = &t->slots[e->hash & (t->size - 1)];
	e->next = *slot;
	*slot = e;
	t->count++;
	return e;
}

static void table_remove(struct table *t, struct store_entry **at)
{
	struct store_entry *e = *at;

	*at = e->next;
	free(e->text);
	free(e);
	t->count--;
}

static void table_free(struct table *t)
{
	for (size_t i = 0; i < t->size; i++)
		while (t->slots[i])
			table_remove(t, &t->slots[i]);
	free(t->slots);
}

struct store *store_new(void)
{
	struct store *s = xcalloc(1, sizeof(*s));

	table_init(&s->values);
	table_init(&s->locks);
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	table_free(&s->values);
	table_free(&s->locks);
	free(s);
}

static size_t cost(size_t key_len, const struct store_value *value)
{
	return sizeof(struct store_entry) + key_len +
	       (value->kind == STORE_STRING ? value->len + 1 : 0);
}

bool store_keep(struct store *s, const char *key, size_t len, const struct store_value *value)
{
	struct store_entry **at = table_find(&s->values, key, len);
	struct store_entry *e = *at;
	size_t old = e ? cost(len, &e->value) : 0;
	size_t new = value ? cost(len, value) : 0;
	char *text = NULL;

	if (new > old && s->bytes - old + new > STORE_BYTES_MAX)
		return false;
	s->bytes = s->bytes - old + new;
	if (!value) {
		if (e)
			table_remove(&s->values, at);
		return true;
	}
	if (value->kind == STORE_STRING) {
		/* Copied before the old text goes: the new value may be a view of it. */
		text = xmalloc(value->len + 1);
		memcpy(text, value->text, value->len);
		text[value->len] = '\0';
	}
	if (!e)
		e = table_add(&s->values, key, len);
	e->value = *value;
	free(e->text);
	e->text = text;
	e->value.text = text;
	return true;
}

const struct store_value *store_kept(const struct store *s, const char *key, size_t len)
{
	const struct store_entry *e = *table_find(&s->values, key, len);

	return e ? &e->value : NULL;
}

size_t store_bytes(const struct store *s)
{
	return s->bytes;
}

bool store_lock(struct store *s, struct store_lock *lock, const char *key, size_t len)
{
	struct store_entry *e = *table_find(&s->locks, key, len);

	lock->store = s;
	lock->next = NULL;
	lock->held = !e;
	if (!e) {
		e = table_add(&s->locks, key, len);
		e->holder = lock;
		e->tail = &e->first;
	} else {
		*e->tail = lock;
		e->tail = &lock->next;
	}
	lock->entry = e;
	return lock->held;
}

static void leave_queue(struct store_entry *e, struct store_lock *lock)
{
	struct store_lock **at = &e->first;

	while (*at != lock)
		at = &(*at)->next;
	*at = lock->next;
	if (e->tail == &lock->next)
		e->tail = at;
}

void store_unlock(struct store_lock *lock)
{
	struct store_entry *e = lock->entry;
	struct store_lock *next;

	if (!e)
		return;
	lock->entry = NULL;
	if (!lock->held) {
		leave_queue(e, lock);
		return;
	}
	lock->held = false;
	next = e->first;
	e->holder = next;
	if (!next) {
		table_remove(&lock->store->locks, table_find(&lock->store->locks, e->key, e->len));
		return;
	}
	e->first = next->next;
	if (!e->first)
		e->tail = &e->first;
	next->held = true;
	next->granted(next);
}

size_t store_locks(const struct store *s)
{
	return s->locks.count;
}
