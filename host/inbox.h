/* inbox: what the stream had to say to one generation and is not delivered yet, in order, up to a limit.
 *
 * Filled from inside libcurl: only copies. Events beyond the limit are dropped and counted, and a gap takes
 * their place. News of the connection is small and always taken. */
#ifndef INBOX_H
#define INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.h"

enum inbox_kind { INBOX_EVENT, INBOX_CONNECTED, INBOX_LOST, INBOX_GAP };

/* One piece of news. The strings end in NUL too. */
struct inbox_item {
	struct inbox_item *next;
	enum inbox_kind kind;
	uint64_t index; /* of the event; CONNECTED: the epoch; GAP: how many events were dropped */
	bool live;	/* CONNECTED */
	const char *topic, *type, *key, *ns;
	size_t topic_len, type_len, key_len, ns_len;
	const char *payload; /* LOST: the reason */
	size_t payload_len;
	void *block; /* the strings, where they are long; NULL: they are behind the item */
	size_t size;
	/* The caller's, of an event. */
	uint64_t tag;
	uint64_t holds; /* a bit for each policy that watches it */
	bool sure;	/* of them; else holds means nothing */
	bool busy;	/* what was said to it is that there is enough to do for now */
};

struct inbox;

/* max: bytes that may wait; the event that reaches it is the last one taken. */
struct inbox *inbox_new(size_t max);
void inbox_free(struct inbox *box);
/* The item, which the caller may add to until it returns; NULL: there was no room, the event was dropped and a gap
 * noted. */
struct inbox_item *inbox_event(struct inbox *box, const struct scan_event *event);
void inbox_connected(struct inbox *box, uint64_t epoch, bool live);
void inbox_lost(struct inbox *box, const char *reason);
/* The oldest, which then is the caller's to give to inbox_done; NULL: none. */
struct inbox_item *inbox_take(struct inbox *box);
void inbox_done(struct inbox *box, struct inbox_item *item);
/* Its strings are not needed any more, though the item still is: they count until it is done, but long ones take no room. */
void inbox_forget(struct inbox_item *item);
bool inbox_empty(const struct inbox *box);
size_t inbox_bytes(const struct inbox *box);

#endif
