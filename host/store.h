/* store: what the process keeps beyond the life of a generation: small values, and locks by key.
 *
 * A struct store_lock is embedded in its owner, who releases it before it dies. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

#define STORE_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of keys and values together */

enum store_kind { STORE_STRING, STORE_INTEGER, STORE_NUMBER, STORE_BOOLEAN };

struct store_value {
	enum store_kind kind;
	const char *text; /* STORE_STRING; the store's own, until the key is set again */
	size_t len;
	int64_t integer;
	double number;
	bool boolean;
};

struct store;

struct store *store_new(void);
void store_free(struct store *s);
/* Copies key and value; value NULL forgets the key. false: over STORE_BYTES_MAX, nothing was changed. */
bool store_keep(
	struct store *s, const char *key, size_t len, const struct store_value *value) WARN_UNUSED;
const struct store_value *store_kept(const struct store *s, const char *key, size_t len);
size_t store_bytes(const struct store *s);

/* Locks: one holder a key, waiters in order. */
struct store_lock {
	void (*granted)(
		struct store_lock *lock); /* called from store_unlock of the holder before */
	bool held;
	struct store *store; /* private from here on */
	struct store_entry *entry;
	struct store_lock *next;
};

/* true: held at once. false: queued, granted is called later. The lock must not be in use. */
bool store_lock(struct store *s, struct store_lock *lock, const char *key, size_t len) WARN_UNUSED;
/* Gives up what is held or waited for; nothing, if neither. */
void store_unlock(struct store_lock *lock);
size_t store_locks(const struct store *s); /* keys that are held */

#endif
