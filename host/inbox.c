/* inbox: see inbox.h. */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"

struct inbox {
	struct inbox_item *first, **tail;
	struct inbox_item *gap; /* the last item, if it is a gap that can count further drops */
	size_t bytes, max;
};

struct inbox *inbox_new(size_t max)
{
	struct inbox *box = xcalloc(1, sizeof(*box));

	box->tail = &box->first;
	box->max = max;
	return box;
}

void inbox_free(struct inbox *box)
{
	struct inbox_item *item;

	if (!box)
		return;
	for (item = inbox_take(box); item; item = inbox_take(box))
		inbox_done(box, item);
	free(box);
}

static struct inbox_item *add(struct inbox *box, enum inbox_kind kind, size_t text)
{
	bool is_long = text >= BLOCK_LEAST;
	struct inbox_item *item = xmalloc(sizeof(*item) + (is_long ? 0 : text));

	*item = (struct inbox_item){.kind = kind, .size = sizeof(*item) + text};
	if (is_long)
		item->block = xfound(block_take(text));
	*box->tail = item;
	box->tail = &item->next;
	box->bytes += item->size;
	box->gap = NULL;
	return item;
}

/* Copies a string of the event to *at, without its escapes; one that cannot be read is empty. */
static const char *put(char **at, const struct scan_span *span, size_t *len)
{
	char *start = *at;
	long n = 0;

	if (span->p && span->escaped) {
		n = scan_unescape(span->p, span->n, start);
	} else if (span->p) {
		memcpy(start, span->p, span->n);
		n = (long)span->n;
	}
	*len = n > 0 ? (size_t)n : 0;
	start[*len] = '\0';
	*at = start + *len + 1;
	return start;
}

struct inbox_item *inbox_event(struct inbox *box, const struct scan_event *event)
{
	size_t text =
		event->topic.n + event->type.n + event->key.n + event->ns.n + event->payload.n + 5;
	struct inbox_item *item;
	struct scan_span payload = event->payload;
	char *at;

	/* One event may pass the limit, so that the longest line has a place. */
	if (box->bytes >= box->max) {
		if (!box->gap)
			box->gap = add(box, INBOX_GAP, 0);
		box->gap->index++;
		return NULL;
	}
	item = add(box, INBOX_EVENT, text);
	at = item->block ? item->block : (char *)(item + 1);
	item->index = event->index;
	item->topic = put(&at, &event->topic, &item->topic_len);
	item->type = put(&at, &event->type, &item->type_len);
	item->key = put(&at, &event->key, &item->key_len);
	item->ns = put(&at, &event->ns, &item->ns_len);
	payload.escaped = false; /* raw JSON */
	item->payload = put(&at, &payload, &item->payload_len);
	return item;
}

void inbox_connected(struct inbox *box, uint64_t epoch, bool live)
{
	struct inbox_item *item = add(box, INBOX_CONNECTED, 0);

	item->index = epoch;
	item->live = live;
}

void inbox_lost(struct inbox *box, const char *reason)
{
	size_t len = strlen(reason);
	struct inbox_item *item = add(box, INBOX_LOST, len + 1);
	char *text = item->block ? item->block : (char *)(item + 1);

	memcpy(text, reason, len + 1);
	item->payload = text;
	item->payload_len = len;
}

struct inbox_item *inbox_take(struct inbox *box)
{
	struct inbox_item *item = box->first;

	if (!item)
		return NULL;
	box->first = item->next;
	if (!box->first)
		box->tail = &box->first;
	if (box->gap == item)
		box->gap = NULL;
	return item;
}

void inbox_forget(struct inbox_item *item)
{
	item->topic = item->type = item->key = item->ns = item->payload = NULL;
	block_give_back(item->block);
	item->block = NULL;
}

void inbox_done(struct inbox *box, struct inbox_item *item)
{
	box->bytes -= item->size;
	inbox_forget(item);
	free(item);
}

bool inbox_empty(const struct inbox *box)
{
	return !box->first;
}

size_t inbox_bytes(const struct inbox *box)
{
	return box->bytes;
}
