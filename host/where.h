/* where: what policies want of a topic's objects (`watch.where`, `watch.except`), tested on raw JSON.
 *
 * A program is a tree that says what lib/operator/filter.lua says, which is the meaning: for every valid JSON text
 * the answer is the same, or WHERE_UNSURE. Commas, colons and brackets are checked where the program looks, and
 * brackets and the ends of strings elsewhere; not words, numbers, escapes and UTF-8: an object that is left out may
 * be broken elsewhere. What cannot be walked is WHERE_UNSURE, and whoever decodes it says so. */
#ifndef WHERE_H
#define WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "scan.h"

enum where_answer { WHERE_NO, WHERE_YES, WHERE_UNSURE };

enum where_kind {
	WHERE_UNSAID,	/* cannot be told from the raw text */
	WHERE_ANY,	/* one of its nodes holds */
	WHERE_FIELDS,	/* an object of which all its named nodes hold */
	WHERE_PRESENT,	/* there, and neither empty nor false */
	WHERE_PREFIX,	/* a string that begins with the text */
	WHERE_MENTIONS, /* the text is in the raw JSON of the whole */
	WHERE_STRING,	/* these four: equal, as Lua says */
	WHERE_INTEGER,
	WHERE_FLOAT,
	WHERE_BOOLEAN, /* false: absent too */
	WHERE_EXCEPT,  /* of its two nodes the first holds, and the second does not */
};

/* What a question about a payload has shown besides. */
struct where_seen {
	uint64_t version; /* the object's ModifyIndex, or 0 */
	uint64_t spec;	  /* its JobModifyIndex, or 0 */
	uint64_t holds;	  /* a bit for each alternative that holds, in their order */
	bool sure;	  /* of all of them; else holds means nothing */
};

struct where;
struct where_node; /* belongs to its where */

/* Of a topic whose payload holds its object under this name. Holds for none, until something is added. */
struct where *where_new(const char *object);
void where_free(struct where *w);
/* One of the alternatives; all of them together cost about one pass. */
struct where_node *where_root(struct where *w);
/* Adds a node to ANY or EXCEPT (no name), or FIELDS. */
struct where_node *where_add(
	struct where_node *parent, const char *name, size_t len, enum where_kind kind);
void where_set_text(struct where_node *node, const char *text, size_t len);
void where_set_integer(struct where_node *node, int64_t value);
void where_set_float(struct where_node *node, double value);
void where_set_boolean(struct where_node *node, bool value);
/* A field of the object that the asker wants to see, whatever the programs do; the name is a literal. */
size_t where_note(struct where *w, const char *name);
/* After the last addition, and before the first question. */
void where_seal(struct where *w);

/* Of an event's payload, {"Job": {…}}; `mentions` are looked for in all of it. Unsure also where the object is not
 * there, or the payload says that it is Deleted. */
enum where_answer where_payload(
	struct where *w, const char *text, size_t len, struct where_seen *seen);
/* The object or array that is part of the next question's text, which need not be passed over once more. */
void where_skip(struct where *w, const struct scan_span *nested);
/* Of an object alone, as in a list. */
enum where_answer where_object(struct where *w, const char *text, size_t len);
/* Had the object that was asked about last the field? *string is its inside where it is a string, else p is NULL. */
bool where_noted(const struct where *w, size_t note, struct scan_span *string);

#endif
