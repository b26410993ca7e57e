/* escape: foreign text made safe for a terminal, a line reader, a JSON string.
 *
 * Control characters become \n, \t, \r or \xNN; valid UTF-8 stays as it is, except C1 controls,
 * which become \xNN byte by byte as invalid bytes do. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>

#include "buf.h"

enum escape {
	ESCAPE_PLAIN,
	ESCAPE_BLOCK,  /* newlines stay */
	ESCAPE_QUOTED, /* quotes and backslashes too, for a text between quotes */
	ESCAPE_JSON    /* as QUOTED, with JSON's \u00NN; an invalid byte is the text \xNN */
};

enum { ESCAPE_MAX = 6 }; /* bytes that one byte can become: \u001b */

/* Appends the escaped text; b needs room for ESCAPE_MAX * len bytes. */
void escape_put(struct buf *b, const char *text, size_t len, enum escape how);
/* The caller frees the string. */
char *escape_copy(const char *text, size_t len, enum escape how);

#endif
