/* where_text: whether texts occur in raw JSON; several that begin alike take one pass. */
#ifndef WHERE_TEXT_H
#define WHERE_TEXT_H

#include <stdint.h>

#include "where.h"

enum { WHERE_TEXTS_MAX = 64 }; /* a bit each; more are not told */

struct where_texts;

struct where_texts *where_texts_new(void);
void where_texts_free(struct where_texts *t);
/* Copies the text, which is not empty. Returns its number, or -1: there are too many. */
int where_texts_add(struct where_texts *t, const char *text, size_t len);

struct where_found {
	uint64_t yes;	 /* a bit for each text that occurs */
	uint64_t unsure; /* one that does not, but an escape may spell part of it */
};

struct where_found where_texts_find(const struct where_texts *t, const char *p, size_t len);

#endif
