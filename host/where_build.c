/* where_build: how a program is made, and which fields of the object it is about. */
#include <stdlib.h>
#include <string.h>

#include "where_node.h"

static struct where_node *node_new(enum where_kind kind)
{
	struct where_node *n = xcalloc(1, sizeof(*n));

	n->kind = kind;
	return n;
}

static void node_free(struct where_node *n)
{
	while (n->first) {
		struct where_node *child = n->first;

		n->first = child->next;
		node_free(child);
	}
	free(n->name);
	free(n->text);
	free(n);
}

struct where *where_new(const char *object)
{
	struct where *w = xcalloc(1, sizeof(*w));

	w->object = xstrdup(object);
	w->object_len = strlen(object);
	w->root = node_new(WHERE_ANY);
	w->texts = where_texts_new();
	return w;
}

void where_free(struct where *w)
{
	if (!w)
		return;
	node_free(w->root);
	where_texts_free(w->texts);
	free(w->slots);
	free(w->object);
	free(w);
}

struct where_node *where_root(struct where *w)
{
	return w->root;
}

static char *copy(const char *text, size_t len)
{
	char *out = xmalloc(len + 1);

	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

struct where_node *where_add(
	struct where_node *parent, const char *name, size_t len, enum where_kind kind)
{
	struct where_node *n = node_new(kind);

	if (name) {
		n->name = copy(name, len);
		n->name_len = len;
	}
	if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
	return n;
}

void where_set_text(struct where_node *node, const char *text, size_t len)
{
	free(node->text);
	node->text = copy(text, len);
	node->text_len = len;
}

void where_set_integer(struct where_node *node, int64_t value)
{
	node->is.integer = value;
}

void where_set_float(struct where_node *node, double value)
{
	node->is.number = value;
}

void where_set_boolean(struct where_node *node, bool value)
{
	node->is.boolean = value;
}

static size_t slot_of(struct where *w, const char *name, size_t len)
{
	for (size_t i = 0; i < w->slot_count; i++)
		if (w->slots[i].len == len && memcmp(w->slots[i].name, name, len) == 0)
			return i;
	w->slots = xrealloc(w->slots, (w->slot_count + 1) * sizeof(*w->slots));
	w->slots[w->slot_count] = (struct slot){.name = name, .len = len};
	w->lengths |= where_length_bit(len);
	return w->slot_count++;
}

/* `top`: the node is asked about the object itself. */
static void seal(struct where *w, struct where_node *n, bool top)
{
	n->top = top && n->kind == WHERE_FIELDS;
	n->searches = n->kind == WHERE_MENTIONS;
	if (n->kind == WHERE_MENTIONS)
		n->text_number = where_texts_add(w->texts, n->text, n->text_len);
	for (struct where_node *child = n->first; child; child = child->next) {
		if (n->top)
			child->slot = slot_of(w, child->name, child->name_len);
		seal(w, child, top && (n->kind == WHERE_ANY || n->kind == WHERE_EXCEPT));
		n->searches = n->searches || child->searches;
	}
}

size_t where_note(struct where *w, const char *name)
{
	return slot_of(w, name, strlen(name));
}

void where_seal(struct where *w)
{
	seal(w, w->root, true);
}
