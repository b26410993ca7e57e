/* packed: see packed.h. The hash table is as keyset's: open addressing, linear probing, no graves. */
#include "packed.h"

#include <string.h>

#include "keyset.h"

enum {
	SMALLEST = 16 /* records */,
	DEAD_MIN = 4096 /* bytes of dead keys that are worth a move */
};

#define REMOVED UINT32_MAX

struct packed_entry {
	uint32_t hash;
	uint32_t at; /* of the key in bytes; of a removed record: the next spare one */
	uint32_t len;
};

void packed_init(struct packed *p, unsigned fields, packed_resize *resize, void *user)
{
	*p = (struct packed){.resize = resize, .user = user, .fields = fields};
}

static size_t record_size(const struct packed *p)
{
	return p->fields * sizeof(*p->values);
}

static void release(struct packed *p, void *block, size_t size)
{
	if (block)
		(void)p->resize(p->user, block, size, 0);
}

void packed_clear(struct packed *p)
{
	release(p, p->entries, p->capacity * sizeof(*p->entries));
	release(p, p->values, p->capacity * record_size(p));
	release(p, p->slots, p->slot_count * sizeof(*p->slots));
	release(p, p->bytes, p->bytes_size);
	packed_init(p, p->fields, p->resize, p->user);
}

static uint32_t hash_of(const char *key, size_t len)
{
	return (uint32_t)(keyset_hash("", 0, key, len) >> 32);
}

static bool is_key(
	const struct packed *p, uint32_t record, uint32_t hash, const char *key, size_t len)
{
	const struct packed_entry *e = &p->entries[record - 1];

	return e->hash == hash && e->len == len && memcmp(p->bytes + e->at, key, len) == 0;
}

static uint32_t find(const struct packed *p, uint32_t hash, const char *key, size_t len)
{
	uint32_t record;

	if (p->used == 0)
		return 0;
	for (size_t at = hash & (p->slot_count - 1); (record = p->slots[at]) != 0;
		at = (at + 1) & (p->slot_count - 1)) {
		if (is_key(p, record, hash, key, len))
			return record;
	}
	return 0;
}

uint32_t packed_find(const struct packed *p, const char *key, size_t len)
{
	return p->used > 0 ? find(p, hash_of(key, len), key, len) : 0;
}

/* -------- room -------- */

static void put_slot(struct packed *p, uint32_t record)
{
	size_t at = p->entries[record - 1].hash & (p->slot_count - 1);

	while (p->slots[at])
		at = (at + 1) & (p->slot_count - 1);
	p->slots[at] = record;
}

static bool reserve_slot(struct packed *p)
{
	size_t count = p->slot_count > 0 ? p->slot_count * 2 : (size_t)SMALLEST * 2;
	uint32_t *slots;

	if ((size_t)p->used * 4 + 4 <= p->slot_count * 3)
		return true;
	slots = p->resize(p->user, NULL, 0, count * sizeof(*slots));
	if (!slots)
		return false;
	memset(slots, 0, count * sizeof(*slots));
	release(p, p->slots, p->slot_count * sizeof(*p->slots));
	p->slots = slots;
	p->slot_count = count;
	for (uint32_t record = 1; record <= p->top; record++) {
		if (p->entries[record - 1].len != REMOVED)
			put_slot(p, record);
	}
	return true;
}

static bool reserve_record(struct packed *p)
{
	uint32_t capacity = p->capacity + p->capacity / 2;
	struct packed_entry *entries;
	int64_t *values;

	if (p->spare || p->top < p->capacity)
		return true;
	if (capacity < SMALLEST)
		capacity = SMALLEST;
	if (p->capacity > REMOVED / 2)
		return false;
	entries = p->resize(p->user, NULL, 0, capacity * sizeof(*entries));
	if (!entries)
		return false;
	values = p->resize(
		p->user, p->values, p->capacity * record_size(p), capacity * record_size(p));
	if (!values) {
		release(p, entries, capacity * sizeof(*entries));
		return false;
	}
	if (p->entries)
		memcpy(entries, p->entries, p->top * sizeof(*entries));
	release(p, p->entries, p->capacity * sizeof(*p->entries));
	p->entries = entries;
	p->values = values;
	p->capacity = capacity;
	return true;
}

/* Another block for the keys, without the dead ones. */
static bool move_keys(struct packed *p, size_t size)
{
	char *bytes = p->resize(p->user, NULL, 0, size);
	size_t used = 0;

	if (!bytes)
		return false;
	for (uint32_t i = 0; i < p->top; i++) {
		struct packed_entry *e = &p->entries[i];

		if (e->len == REMOVED)
			continue;
		memcpy(bytes + used, p->bytes + e->at, e->len);
		e->at = (uint32_t)used;
		used += e->len;
	}
	release(p, p->bytes, p->bytes_size);
	p->bytes = bytes;
	p->bytes_size = size;
	p->bytes_used = used;
	p->bytes_dead = 0;
	return true;
}

static bool reserve_bytes(struct packed *p, size_t len)
{
	size_t live = p->bytes_used - p->bytes_dead;

	if (len <= p->bytes_size - p->bytes_used)
		return true;
	if (len > UINT32_MAX / 4 || live > UINT32_MAX / 4)
		return false;
	return move_keys(p, (live + len) + (live + len) / 2 + SMALLEST);
}

/* -------- records -------- */

static uint32_t take_record(struct packed *p)
{
	uint32_t record = p->spare;

	if (!record)
		return ++p->top;
	p->spare = p->entries[record - 1].at;
	return record;
}

uint32_t packed_add(struct packed *p, const char *key, size_t len)
{
	uint32_t hash = hash_of(key, len), record = find(p, hash, key, len);
	struct packed_entry *e;

	if (record)
		return record;
	if (!reserve_record(p) || !reserve_slot(p) || !reserve_bytes(p, len))
		return 0;
	record = take_record(p);
	e = &p->entries[record - 1];
	*e = (struct packed_entry){hash, (uint32_t)p->bytes_used, (uint32_t)len};
	memcpy(p->bytes + p->bytes_used, key, len);
	p->bytes_used += len;
	memset(packed_values(p, record), 0, record_size(p));
	p->used++;
	put_slot(p, record);
	return record;
}

/* Empties the place, and moves back what was only behind it because it was taken. */
static void take_slot(struct packed *p, uint32_t record)
{
	size_t mask = p->slot_count - 1, hole = p->entries[record - 1].hash & mask;

	while (p->slots[hole] != record)
		hole = (hole + 1) & mask;
	for (size_t at = (hole + 1) & mask; p->slots[at]; at = (at + 1) & mask) {
		size_t home = p->entries[p->slots[at] - 1].hash & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			p->slots[hole] = p->slots[at];
			hole = at;
		}
	}
	p->slots[hole] = 0;
}

void packed_remove(struct packed *p, uint32_t record)
{
	struct packed_entry *e = &p->entries[record - 1];

	take_slot(p, record);
	p->bytes_dead += e->len;
	*e = (struct packed_entry){.at = p->spare, .len = REMOVED};
	p->spare = record;
	p->used--;
	if (p->used == 0)
		packed_clear(p);
	else if (p->bytes_dead > DEAD_MIN && p->bytes_dead > p->bytes_used / 2)
		/* Where there is no room to move them the dead ones stay. */
		(void)move_keys(p, p->bytes_used - p->bytes_dead + DEAD_MIN);
}

bool packed_has(const struct packed *p, uint32_t record)
{
	return record > 0 && record <= p->top && p->entries[record - 1].len != REMOVED;
}

int64_t *packed_values(const struct packed *p, uint32_t record)
{
	return p->values + (size_t)(record - 1) * p->fields;
}

const char *packed_key(const struct packed *p, uint32_t record, size_t *len)
{
	*len = p->entries[record - 1].len;
	return p->bytes + p->entries[record - 1].at;
}

uint32_t packed_next(const struct packed *p, uint32_t record)
{
	while (record < p->top) {
		record++;
		if (packed_has(p, record))
			return record;
	}
	return 0;
}

size_t packed_bytes(const struct packed *p)
{
	return p->capacity * (sizeof(*p->entries) + record_size(p)) +
	       p->slot_count * sizeof(*p->slots) + p->bytes_size;
}
