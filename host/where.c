/* where: see where.h.
 *
 * The object is walked once: the fields that any alternative names at its top are collected first, and the last one
 * of a name wins, as in the decoder. Nested objects, which are small, are walked by the node that looks into them. */
#include "where.h"

#include <string.h>

#include "scan_walk.h"
#include "where_node.h"
#include "where_number.h"

/* Lists inside each other that are looked into. */
enum { LISTS_MAX = 32 };

static enum where_answer ask(struct where *w, struct where_node *n, const struct value *v);

static enum where_answer answer(bool yes)
{
	return yes ? WHERE_YES : WHERE_NO;
}

/* A number, true, false or null. */
static bool is_scalar(const struct value *v)
{
	return v->first != '\0' && v->first != '"' && v->first != '{' && v->first != '[';
}

static bool read_value(struct scan_walk *w, struct value *v)
{
	v->first = *w->p;
	return scan_walk_value(w, &v->span);
}

/* A member of an object: null takes away what the name had before. */
static bool read_member(struct scan_walk *w, struct value *v)
{
	bool ok = read_value(w, v);

	if (v->first == 'n')
		v->first = '\0';
	return ok;
}

/* One of the members of an object is something: an object of nulls is empty once it is decoded. */
static enum where_answer object_present(const struct scan_span *s)
{
	size_t nulls = 0, others = 0;
	enum scan_step step;
	struct scan_walk walk;
	struct scan_span key;
	struct value v;

	if (!scan_walk_begin(&walk, s->p, s->p + s->n, '{'))
		return WHERE_UNSURE;
	while ((step = scan_walk_member(&walk, &key)) == SCAN_STEP_MORE) {
		if (!read_member(&walk, &v))
			return WHERE_UNSURE;
		if (v.first == '\0')
			nulls++;
		else
			others++;
	}
	if (step == SCAN_STEP_BAD || (nulls > 0 && others > 0))
		return WHERE_UNSURE; /* a null may have taken away the only other one */
	return answer(others > 0);
}

static enum where_answer present(const struct value *v)
{
	struct scan_walk walk;

	switch (v->first) {
	case '\0':
	case 'f':
	case 'n':
		return WHERE_NO;
	case '"':
		return answer(v->span.n > 0);
	case '{':
		return object_present(&v->span);
	case '[':
		if (!scan_walk_begin(&walk, v->span.p, v->span.p + v->span.n, '['))
			return WHERE_UNSURE;
		return answer(scan_walk_element(&walk) == SCAN_STEP_MORE);
	default:
		return WHERE_YES;
	}
}

static enum where_answer mentions(struct where *w, const struct where_node *n)
{
	uint64_t bit;

	if (n->text_number < 0)
		return WHERE_UNSURE;
	if (!w->searched) {
		w->found = where_texts_find(w->texts, w->text, w->len);
		w->searched = true;
	}
	bit = (uint64_t)1 << n->text_number;
	if (w->found.unsure & bit)
		return WHERE_UNSURE;
	return answer((w->found.yes & bit) != 0);
}

static enum where_answer any(struct where *w, struct where_node *n, const struct value *v)
{
	enum where_answer all = WHERE_NO;

	for (struct where_node *child = n->first; child; child = child->next) {
		enum where_answer one = ask(w, child, v);

		if (one == WHERE_YES)
			return one;
		if (one == WHERE_UNSURE)
			all = one;
	}
	return all;
}

/* The second of the two counts when it does not hold. */
static enum where_answer side(
	struct where *w, struct where_node *n, struct where_node *child, const struct value *v)
{
	enum where_answer one = ask(w, child, v);

	if (child == n->first || one == WHERE_UNSURE)
		return one;
	return answer(one == WHERE_NO);
}

/* What needs no search goes first: mostly it decides. */
static enum where_answer except(struct where *w, struct where_node *n, const struct value *v)
{
	struct where_node *cheap = n->last->searches ? n->first : n->last;
	enum where_answer one = side(w, n, cheap, v), other;

	if (one == WHERE_NO)
		return one;
	other = side(w, n, cheap == n->last ? n->first : n->last, v);
	return other == WHERE_YES ? one : other;
}

/* One element that matches is enough. */
static enum where_answer any_element(struct where *w, struct where_node *n, const struct value *v)
{
	enum where_answer all = WHERE_NO;
	enum scan_step step;
	struct scan_walk walk;
	struct value element;

	if (w->lists == LISTS_MAX || !scan_walk_begin(&walk, v->span.p, v->span.p + v->span.n, '['))
		return WHERE_UNSURE;
	w->lists++;
	while (all != WHERE_YES && (step = scan_walk_element(&walk)) != SCAN_STEP_END) {
		enum where_answer one = WHERE_UNSURE;
		bool ok = step == SCAN_STEP_MORE && read_value(&walk, &element);

		if (ok)
			one = ask(w, n, &element);
		if (one != WHERE_NO)
			all = one;
		if (!ok)
			break;
	}
	w->lists--;
	return all;
}

/* Finds the values that the node's children are about. */
static bool collect(struct where_node *n, const struct scan_span *object)
{
	struct where_node *child;
	enum scan_step step;
	struct scan_walk walk;
	struct scan_span key;
	struct value v;

	for (child = n->first; child; child = child->next)
		child->value.first = '\0';
	if (!scan_walk_begin(&walk, object->p, object->p + object->n, '{'))
		return false;
	while ((step = scan_walk_member(&walk, &key)) == SCAN_STEP_MORE) {
		if (!read_member(&walk, &v))
			return false;
		for (child = n->first; child; child = child->next)
			if (scan_span_is(&key, child->name, child->name_len))
				child->value = v;
	}
	return step == SCAN_STEP_END;
}

static enum where_answer fields(struct where *w, struct where_node *n, const struct value *v)
{
	enum where_answer all = WHERE_YES;

	if (v->first != '{')
		return WHERE_NO;
	if (!n->top && !collect(n, &v->span))
		return WHERE_UNSURE;
	for (struct where_node *child = n->first; child; child = child->next) {
		enum where_answer one =
			ask(w, child, n->top ? &w->slots[child->slot].value : &child->value);

		if (one == WHERE_NO)
			return one;
		if (one == WHERE_UNSURE)
			all = one;
	}
	return all;
}

static enum where_answer equal_boolean(bool want, const struct value *v)
{
	if (want)
		return answer(v->first == 't');
	return answer(v->first == 'f' || v->first == '\0');
}

static enum where_answer equal_number(const struct where_node *n, const struct value *v)
{
	struct where_number number;

	if (!is_scalar(v) || v->first == 't' || v->first == 'f' || v->first == 'n')
		return WHERE_NO;
	if (!where_number_read(v->span.p, v->span.n, &number))
		return WHERE_UNSURE;
	return answer(n->kind == WHERE_INTEGER ? where_number_is_integer(&number, n->is.integer)
					       : where_number_is_float(&number, n->is.number));
}

/* A node about one value that is no list. */
static enum where_answer ask_one(struct where *w, struct where_node *n, const struct value *v)
{
	switch (n->kind) {
	case WHERE_FIELDS:
		return fields(w, n, v);
	case WHERE_PREFIX:
		return answer(v->first == '"' && scan_span_starts(&v->span, n->text, n->text_len));
	case WHERE_STRING:
		return answer(v->first == '"' && scan_span_is(&v->span, n->text, n->text_len));
	case WHERE_INTEGER:
	case WHERE_FLOAT:
		return equal_number(n, v);
	case WHERE_BOOLEAN:
		return equal_boolean(n->is.boolean, v);
	case WHERE_UNSAID:
	case WHERE_ANY:
	case WHERE_EXCEPT:
	case WHERE_PRESENT:
	case WHERE_MENTIONS:
		break;
	}
	return WHERE_UNSURE;
}

static enum where_answer ask(struct where *w, struct where_node *n, const struct value *v)
{
	switch (n->kind) {
	case WHERE_UNSAID:
		return WHERE_UNSURE;
	case WHERE_ANY:
		return any(w, n, v);
	case WHERE_EXCEPT:
		return except(w, n, v);
	case WHERE_PRESENT:
		return present(v);
	case WHERE_MENTIONS:
		return mentions(w, n);
	case WHERE_FIELDS:
	case WHERE_PREFIX:
	case WHERE_STRING:
	case WHERE_INTEGER:
	case WHERE_FLOAT:
	case WHERE_BOOLEAN:
		break;
	}
	return v->first == '[' ? any_element(w, n, v) : ask_one(w, n, v);
}

/* -------- the walk -------- */

#define VERSION "ModifyIndex"
#define SPEC "JobModifyIndex"

static uint64_t index_of(const struct value *v, uint64_t before)
{
	uint64_t n = 0;

	for (size_t i = 0; is_scalar(v) && i < v->span.n; i++) {
		unsigned digit = (unsigned)(v->span.p[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return before;
		n = n * 10 + digit;
	}
	return n;
}

static void note_member(struct where *w, const struct scan_span *key, const struct value *v)
{
	if (key->escaped || w->lengths & where_length_bit(key->n))
		for (size_t i = 0; i < w->slot_count; i++)
			if (scan_span_is(key, w->slots[i].name, w->slots[i].len))
				w->slots[i].value = *v;
	if (scan_span_is(key, VERSION, sizeof(VERSION) - 1))
		w->version = index_of(v, w->version);
	else if (scan_span_is(key, SPEC, sizeof(SPEC) - 1))
		w->spec = index_of(v, w->spec);
}

static void forget(struct where *w)
{
	for (size_t i = 0; i < w->slot_count; i++)
		w->slots[i].value.first = '\0';
}

void where_skip(struct where *w, const struct scan_span *nested)
{
	w->skipped = *nested;
}

/* A member of the object itself. */
static bool read_top(struct where *w, struct scan_walk *walk, struct value *v)
{
	if (walk->p != w->skipped.p)
		return read_member(walk, v);
	v->first = *walk->p;
	v->span = w->skipped;
	walk->p += w->skipped.n;
	return true;
}

/* Fills the slots from the object that the walk is on, and moves behind it. */
static bool collect_top(struct where *w, struct scan_walk *outer)
{
	enum scan_step step;
	struct scan_walk walk;
	struct scan_span key;
	struct value v;

	forget(w);
	w->version = 0;
	w->spec = 0;
	if (!scan_walk_begin(&walk, outer->p, outer->end, '{'))
		return false;
	while ((step = scan_walk_member(&walk, &key)) == SCAN_STEP_MORE) {
		if (!read_top(w, &walk, &v))
			return false;
		note_member(w, &key, &v);
	}
	outer->p = walk.p;
	return step == SCAN_STEP_END;
}

static enum where_answer ask_object(struct where *w, const char *text, size_t len)
{
	struct value object = {.first = '{'};

	object.span = (struct scan_span){text, len, false};
	return ask(w, w->root, &object);
}

static void begin(struct where *w, const char *text, size_t len)
{
	w->text = text;
	w->len = len;
	w->searched = false;
	w->version = 0;
	w->spec = 0;
	w->lists = 0;
}

enum where_answer where_object(struct where *w, const char *text, size_t len)
{
	struct scan_walk walk = {.p = scan_skip_space(text, text + len), .end = text + len};
	const char *start = walk.p;

	begin(w, text, len);
	forget(w);
	if (walk.p == walk.end || !collect_top(w, &walk) || !scan_walk_over(&walk)) {
		forget(w);
		return WHERE_UNSURE;
	}
	return ask_object(w, start, (size_t)(walk.p - start));
}

bool where_noted(const struct where *w, size_t note, struct scan_span *string)
{
	const struct value *v = &w->slots[note].value;

	*string = v->first == '"' ? v->span : (struct scan_span){.p = NULL};
	return v->first != '\0';
}

/* The payload's object, which the last one of its name is. Finds it, or false: that has to be decoded. */
static bool find_object(struct where *w, const char *text, size_t len, struct scan_span *object)
{
	enum scan_step step;
	struct scan_walk walk;
	struct scan_span key;
	struct value v;

	object->p = NULL;
	if (!scan_walk_begin(&walk, text, text + len, '{'))
		return false;
	while ((step = scan_walk_member(&walk, &key)) == SCAN_STEP_MORE) {
		if (scan_span_is(&key, w->object, w->object_len)) {
			object->p = walk.p;
			if (!collect_top(w, &walk))
				return false;
			object->n = (size_t)(walk.p - object->p);
			continue;
		}
		if (!read_value(&walk, &v))
			return false;
		if (v.first != 'f' && v.first != 'n' && scan_span_is(&key, "Deleted", 7))
			return false;
	}
	return step == SCAN_STEP_END && object->p && scan_walk_over(&walk);
}

/* Asks all of the alternatives, so that it is known which of them hold. */
static enum where_answer ask_each(
	struct where *w, const struct value *object, struct where_seen *seen)
{
	enum where_answer all = WHERE_NO;
	uint64_t bit = 1;

	seen->sure = true;
	for (struct where_node *child = w->root->first; child; child = child->next) {
		enum where_answer one = ask(w, child, object);

		if (one == WHERE_UNSURE || bit == 0)
			seen->sure = false;
		if (one == WHERE_YES)
			seen->holds |= bit;
		if (all != WHERE_YES && one != WHERE_NO)
			all = one;
		bit <<= 1;
	}
	return all;
}

enum where_answer where_payload(
	struct where *w, const char *text, size_t len, struct where_seen *seen)
{
	enum where_answer result = WHERE_UNSURE;
	struct value object = {.first = '{'};

	*seen = (struct where_seen){0};
	begin(w, text, len);
	if (find_object(w, text, len, &object.span))
		result = ask_each(w, &object, seen);
	w->skipped.p = NULL;
	seen->version = w->version;
	seen->spec = w->spec;
	return result;
}
