/* json_write: JSON text as it grows: strings, numbers, and bytes that the caller knows to be right. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <string.h>

#include <lua.h>

#include "json_out.h"

enum { JSON_WRITE_LOCAL = 2048 };

struct json_writer {
	lua_State *L;
	char *data; /* local, or the block of `out` */
	size_t len;
	size_t cap;
	struct json_out *out; /* NULL: still local */
	int out_at;	      /* stack index for it */
	char local[JSON_WRITE_LOCAL];
};

/* Uses one slot of the Lua stack, until json_write_end, which must be called with the stack up to that slot. All of
 * these may raise: no memory. */
void json_write_begin(struct json_writer *w, lua_State *L);
/* Pops it. */
void json_write_end(struct json_writer *w);

/* Makes room for so many bytes more. */
void json_write_grow(struct json_writer *w, size_t more);

static inline void json_write_reserve(struct json_writer *w, size_t more)
{
	if (w->cap - w->len < more)
		json_write_grow(w, more);
}

static inline void json_write(struct json_writer *w, const char *text, size_t len)
{
	json_write_reserve(w, len);
	memcpy(w->data + w->len, text, len);
	w->len += len;
}

static inline void json_write_char(struct json_writer *w, char c)
{
	json_write_reserve(w, 1);
	w->data[w->len++] = c;
}

/* A string with its quotes. */
void json_write_string(struct json_writer *w, const char *text, size_t len);
void json_write_integer(struct json_writer *w, lua_Integer n);
/* The shortest text that reads back as the same number, which is finite. */
void json_write_float(struct json_writer *w, double n);

#endif
