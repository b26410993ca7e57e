/* where_node: what a program is made of, for where.c, which asks it, and where_build.c, which makes it. */
#ifndef WHERE_NODE_H
#define WHERE_NODE_H

#include "scan.h"
#include "where.h"
#include "where_text.h"

/* A value of the object. */
struct value {
	struct scan_span span;
	char first; /* the byte it begins with; NUL: absent, which a null is too in an object */
};

/* A name that nodes at the top of the object ask for. */
struct slot {
	const char *name;
	size_t len;
	struct value value;
};

struct where_node {
	struct where_node *first, *last, *next; /* children; the next one of its parent */
	enum where_kind kind;
	bool top;      /* FIELDS of the object itself: its children's values are in slots */
	bool searches; /* it, or one below, asks what the whole mentions */
	char *name;    /* in a FIELDS */
	size_t name_len;
	char *text;
	size_t text_len;
	int text_number; /* MENTIONS: in where.texts */
	union {
		int64_t integer;
		double number;
		bool boolean;
	} is;
	size_t slot;	    /* of a child of a top FIELDS */
	struct value value; /* of a child of another FIELDS, while that is asked */
};

struct where {
	char *object;
	size_t object_len;
	struct where_node *root;
	struct where_texts *texts;
	struct slot *slots;
	size_t slot_count;
	uint64_t lengths; /* of the slots' names: a bit each, the highest for all that are longer */
	/* While a question is asked. */
	const char *text;
	size_t len;
	struct scan_span skipped; /* a nested value of the object; p NULL: none is known */
	bool searched;
	struct where_found found;
	uint64_t version, spec;
	unsigned lists;
};

/* Of the length of a name, in where.lengths. */
static inline uint64_t where_length_bit(size_t len)
{
	return (uint64_t)1 << (len < 63 ? len : 63);
}

#endif
