/* interests: what a generation wants of the event stream: topics to subscribe to, events to let through. */
#ifndef INTERESTS_H
#define INTERESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "scan.h"

#define INTERESTS_MAX 64 /* topics, and types of one topic */

struct interest {
	char *topic;
	char **types; /* NULL terminated; NULL: all */
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
bool interests_want(const struct interests *in, const struct scan_event *event);
/* Do both subscribe to the same? */
bool interests_same_stream(const struct interests *a, const struct interests *b);

#endif
