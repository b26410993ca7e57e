/* interests: what a generation wants of the event stream: topics to subscribe to, events to let through. */
#ifndef INTERESTS_H
#define INTERESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "keyset.h"
#include "scan.h"
#include "where.h"

#define INTERESTS_MAX 64 /* topics, and types of one topic */

struct interest {
	char *topic;
	char **types;	     /* NULL terminated; NULL: all */
	struct where *where; /* NULL: everything holds */
	char **always;	     /* types that pass without it; NULL: none */
	bool once;	     /* of one specification an object's first event says it all */
};

struct interests_verdict {
	uint64_t
		key; /* of an event that passes: its object, as in a keyset; 0 where everything passes */
	uint64_t version; /* its object's ModifyIndex, where it was looked at, or 0 */
	uint64_t holds;	  /* of an event that passes: see struct where_seen */
	bool sure;	  /* of them; else holds means nothing */
	/* Its specification, where another event of the same one, for which nothing more holds, would be no news.
	 * Else 0. */
	uint64_t spec;
};

struct interests {
	char **topics;	   /* NULL terminated, sorted: for the subscription */
	char **namespaces; /* NULL terminated: "*" alone, or some */
	struct interest *pass;
	size_t pass_count;
};

/* Makes an empty one; the strings that are added are copied. */
struct interests *interests_new(void);
void interests_free(struct interests *in);
/* false: there are INTERESTS_MAX already. */
bool interests_add_topic(struct interests *in, const char *topic) WARN_UNUSED;
bool interests_add_namespace(struct interests *in, const char *ns) WARN_UNUSED;
/* The topic passes; types are added by interests_add_type, without any all of it passes. */
bool interests_add_pass(struct interests *in, const char *topic) WARN_UNUSED;
bool interests_add_type(struct interests *in, const char *type) WARN_UNUSED; /* of the last pass */
/* The same for a type that passes whatever `where` says. */
bool interests_add_always(struct interests *in, const char *type) WARN_UNUSED;
/* The `where` of the last pass, which has one from now on: to be added to, and sealed. */
struct where *interests_where(struct interests *in);
/* Of the last pass: what its policies do follows from an object's specification alone, and each of them is one
 * alternative of `where`. */
void interests_set_once(struct interests *in);
/* Does the event pass? `watched` are the keys that do, whatever their events say. */
bool interests_want(const struct interests *in, const struct scan_event *event,
	const struct keyset *watched, struct interests_verdict *out);
/* The key of an object as operator.marks makes it, in a keyset. The namespace may be absent or empty; escapes that JSON
 * does not have give a key of no object. */
uint64_t interests_key(const char *topic, const struct scan_span *ns, const struct scan_span *id);
/* Do both subscribe to the same? */
bool interests_same_stream(const struct interests *a, const struct interests *b);

#endif
