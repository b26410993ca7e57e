/* keyset: a counted set of keys, kept as 64-bit hashes: 12 bytes a place, of which 3/8 to 3/4 are taken.
 *
 * The hash is SipHash with a random seed of the process: nobody can make keys that meet. Two keys that met all the
 * same (one pair in 2^64) would be taken for one, which costs a needless look. */
#ifndef KEYSET_H
#define KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct keyset;

struct keyset *keyset_new(void);
void keyset_free(struct keyset *k);
/* Of a topic's object; never 0. */
uint64_t keyset_hash(const char *topic, size_t topic_len, const char *key, size_t key_len);
/* A key that is added several times is in the set until it is removed as often. */
void keyset_add(struct keyset *k, uint64_t hash);
/* What is not in the set may be removed too: nothing happens. */
void keyset_remove(struct keyset *k, uint64_t hash);
bool keyset_has(const struct keyset *k, uint64_t hash);
size_t keyset_count(const struct keyset *k); /* different keys */
size_t keyset_bytes(const struct keyset *k); /* of memory */

#endif
