/* secrets: texts that are nobody's business, and how they are hidden in other texts. */
#ifndef SECRETS_H
#define SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define SECRETS_HIDDEN "(hidden)"

enum { SECRETS_GROW = sizeof(SECRETS_HIDDEN) }; /* bytes that one byte can become */

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *s); /* NULL is fine */

/* Copies the secret; it is hidden as it is and as it looks escaped. NULL or "" does nothing. */
void secrets_add(struct secrets *s, const char *secret);

/* Is one of at least `min` bytes in the text? */
bool secrets_occur(const struct secrets *s, const char *text, size_t len, size_t min);

/* Appends the text to b with its secrets of at least `min` bytes hidden; those that overlap are hidden as one. b
 * needs room for SECRETS_GROW * len bytes. */
void secrets_hide(struct buf *b, const struct secrets *s, const char *text, size_t len, size_t min);

#endif
