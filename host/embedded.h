/* embedded: the Lua libraries, compiled, and the default scripts, as text, in the program (made by tools/embed.lua). */
#ifndef EMBEDDED_H
#define EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* "operator.queue", "operator", "scripts/backup.lua" */
	const unsigned char *text;
	size_t len;
};

extern const struct embedded embedded_files[]; /* sorted by name */
extern const size_t embedded_count;

#endif
