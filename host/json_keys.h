/* json_keys: the short strings that a Lua state has read lately, so that those that come again need no hashing.
 *
 * Nomad's objects have few different keys and many of each. */
#ifndef JSON_KEYS_H
#define JSON_KEYS_H

#include "json_string.h"

enum {
	JSON_KEYS = 512,	  /* a power of two */
	JSON_KEY_LENGTH_MAX = 32, /* longer ones are not kept */
};

struct json_key {
	uint64_t head, tail; /* its first and last eight bytes, or all in head */
	const char *text;    /* of the Lua string, which the table holds; NULL: free */
	size_t len;
};

struct json_keys {
	struct json_key key[JSON_KEYS];
};

/* Pushes the state's table of keys and returns what belongs to it, which is good as long as the table is. */
struct json_keys *json_keys_push(lua_State *L);

/* Where a string belongs, and what it would be there; text_end is the end of the readable text. */
static inline unsigned json_keys_place(
	const char *p, size_t n, const char *text_end, struct json_key *wanted)
{
	wanted->len = n;
	wanted->tail = 0;
	wanted->text = p;
	if (n >= 8) {
		wanted->head = json_load8(p);
		wanted->tail = json_load8(p + n - 8);
	} else if (text_end - p >= 8) {
		wanted->head = json_load8(p) & (((uint64_t)1 << n * 8) - 1);
	} else {
		wanted->head = json_load_few(p, n);
	}
	uint64_t hash = (wanted->head ^ (wanted->tail << 23 | wanted->tail >> 41) ^ n) *
			0x9E3779B97F4A7C15U;
	return (unsigned)(hash >> 40) % JSON_KEYS;
}

static inline bool json_keys_holds(const struct json_key *key, const struct json_key *wanted)
{
	return key->head == wanted->head && key->tail == wanted->tail && key->len == wanted->len &&
	       key->text &&
	       (key->len <= 16 || memcmp(key->text + 8, wanted->text + 8, key->len - 16) == 0);
}

#endif
