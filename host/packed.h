/* packed: records of a few integers each, found by a key; what a script knows of very many objects.
 *
 * A record is a number that stays the same until the record is removed, so that one table can refer to another's. The
 * bytes of all keys are in one block and the integers in another: with two integers and a key of 30 bytes a record
 * takes some 65 to 90 bytes. Keys are hashed as keyset does it. The memory is had from whom packed_init names, who may
 * refuse. */
#ifndef PACKED_H
#define PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_FIELDS_MAX 8

/* As realloc, but told the old size; size 0 frees. NULL: refused, and the old block is as it was. */
typedef void *packed_resize(void *user, void *old, size_t old_size, size_t size);

struct packed {
	packed_resize *resize;
	void *user;
	struct packed_entry *entries; /* by record - 1 */
	int64_t *values;	      /* `fields` a record */
	uint32_t *slots;	      /* of the hash table: a record, or 0 */
	char *bytes;		      /* of the keys, and of dead ones */
	size_t slot_count, bytes_size, bytes_used, bytes_dead;
	uint32_t capacity, top, used; /* records: places, ever used, there */
	uint32_t spare;		      /* the first that can be used again, or 0 */
	unsigned fields;
};

void packed_init(struct packed *p, unsigned fields, packed_resize *resize, void *user);
void packed_clear(struct packed *p);
/* 0: there is none. */
uint32_t packed_find(const struct packed *p, const char *key, size_t len);
/* The key's record; a new one's integers are 0. 0: there is no memory, and nothing has changed. */
uint32_t packed_add(struct packed *p, const char *key, size_t len);
/* The records' numbers are used again. */
void packed_remove(struct packed *p, uint32_t record);
/* Is it the number of a record? */
bool packed_has(const struct packed *p, uint32_t record);
/* The integers; until the next packed_add. */
int64_t *packed_values(const struct packed *p, uint32_t record);
/* Not terminated; until the next packed_add or packed_remove. */
const char *packed_key(const struct packed *p, uint32_t record, size_t *len);
/* The next record in the order of their numbers; 0: that was the last. Any may be removed on the way. */
uint32_t packed_next(const struct packed *p, uint32_t record);
size_t packed_bytes(const struct packed *p); /* of memory */

#endif
