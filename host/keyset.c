/* keyset: see keyset.h. Open addressing, linear probing; removal moves later ones back, so there are no graves. */
#include "keyset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SMALLEST = 64 /* places */ };

struct keyset {
	uint64_t *hashes; /* 0: free */
	uint32_t *counts;
	size_t size, used; /* places, a power of two */
};

/* -------- SipHash-1-3 -------- */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static inline void hash_part(struct sip *s, const char *text, size_t len)
{
	uint64_t word;
	size_t i;

	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		sip_word(s, word);
	}
	if (i < len) {
		word = 0;
		memcpy(&word, text + i, len - i);
		sip_word(s, word);
	}
	sip_word(s, len);
}

static const uint64_t *seed(void)
{
	static uint64_t words[2];
	static bool there;

	if (!there && getrandom(words, sizeof(words), 0) != (ssize_t)sizeof(words)) {
		(void)fprintf(stderr, "the system has no random numbers\n");
		abort();
	}
	there = true;
	return words;
}

/* The topic's length is in the last word, so that it is clear where the key begins. */
uint64_t keyset_hash(const char *topic, size_t topic_len, const char *key, size_t key_len)
{
	const uint64_t *words = seed();
	struct sip s = {words[0] ^ 0x736f6d6570736575U, words[1] ^ 0x646f72616e646f6dU,
		words[0] ^ 0x6c7967656e657261U, words[1] ^ 0x7465646279746573U};
	uint64_t hash;

	hash_part(&s, topic, topic_len);
	hash_part(&s, key, key_len);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	hash = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return hash ? hash : 1;
}

/* -------- the set -------- */

struct keyset *keyset_new(void)
{
	return xcalloc(1, sizeof(struct keyset));
}

void keyset_free(struct keyset *k)
{
	if (!k)
		return;
	free(k->hashes);
	free(k->counts);
	free(k);
}

/* Where the hash is, or would be put. */
static size_t place_of(const struct keyset *k, uint64_t hash)
{
	size_t at = hash & (k->size - 1);

	while (k->hashes[at] && k->hashes[at] != hash)
		at = (at + 1) & (k->size - 1);
	return at;
}

static void resize(struct keyset *k, size_t size)
{
	struct keyset old = *k;

	k->size = size;
	k->hashes = xcalloc(size, sizeof(*k->hashes));
	k->counts = xcalloc(size, sizeof(*k->counts));
	for (size_t i = 0; i < old.size; i++) {
		if (old.hashes[i]) {
			size_t at = place_of(k, old.hashes[i]);

			k->hashes[at] = old.hashes[i];
			k->counts[at] = old.counts[i];
		}
	}
	free(old.hashes);
	free(old.counts);
}

void keyset_add(struct keyset *k, uint64_t hash)
{
	size_t at;

	if (k->used * 4 >= k->size * 3)
		resize(k, k->size > 0 ? k->size * 2 : SMALLEST);
	at = place_of(k, hash);
	if (!k->hashes[at]) {
		k->hashes[at] = hash;
		k->used++;
	}
	if (k->counts[at] < UINT32_MAX)
		k->counts[at]++;
}

/* Empties the place, and moves back what was only behind it because it was taken. */
static void take_out(struct keyset *k, size_t hole)
{
	size_t mask = k->size - 1;

	for (size_t at = (hole + 1) & mask; k->hashes[at]; at = (at + 1) & mask) {
		size_t home = k->hashes[at] & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			k->hashes[hole] = k->hashes[at];
			k->counts[hole] = k->counts[at];
			hole = at;
		}
	}
	k->hashes[hole] = 0;
	k->counts[hole] = 0;
	k->used--;
}

void keyset_remove(struct keyset *k, uint64_t hash)
{
	size_t at;

	if (k->used == 0)
		return;
	at = place_of(k, hash);
	if (!k->hashes[at] || --k->counts[at] > 0)
		return;
	take_out(k, at);
	if (k->size > SMALLEST && k->used * 8 < k->size)
		resize(k, k->size / 2);
}

bool keyset_has(const struct keyset *k, uint64_t hash)
{
	return k->used > 0 && k->hashes[place_of(k, hash)] != 0;
}

size_t keyset_count(const struct keyset *k)
{
	return k->used;
}

size_t keyset_bytes(const struct keyset *k)
{
	return k->size * (sizeof(*k->hashes) + sizeof(*k->counts));
}
