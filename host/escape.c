/* escape: foreign text made safe for a terminal, a line reader, a JSON string. */
#include "escape.h"

#include <stdbool.h>
#include <string.h>

/* The caller's buffer has room for ESCAPE_MAX times the text; if it had not, the text would end
 * early. */
static void put(struct buf *b, const char *data, size_t len)
{
	if (!buf_add(b, data, len))
		return;
}

static void put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

/* The length of the valid UTF-8 sequence at p, or 0. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	size_t len, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what is beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* JSON has no \x: there a control character is \u00NN, and a byte that is no text shows as
 * \\xNN. */
static void put_hex(struct buf *b, unsigned char c, enum escape how, bool is_text)
{
	static const char digits[] = "0123456789abcdef";
	const char hex[2] = {digits[c >> 4], digits[c & 15]};

	if (how != ESCAPE_JSON)
		put_text(b, "\\x");
	else if (is_text)
		put_text(b, "\\u00");
	else
		put_text(b, "\\\\x");
	put(b, hex, sizeof(hex));
}

static void put_ascii(struct buf *b, char c, enum escape how)
{
	bool quoting = how == ESCAPE_QUOTED || how == ESCAPE_JSON;

	if (c == '\n' && how == ESCAPE_BLOCK)
		put(b, &c, 1);
	else if (c == '\n')
		put_text(b, "\\n");
	else if (c == '\t')
		put_text(b, "\\t");
	else if (c == '\r')
		put_text(b, "\\r");
	else if (quoting && (c == '"' || c == '\\')) {
		put_text(b, "\\");
		put(b, &c, 1);
	} else if (c < 0x20 || c == 0x7f)
		put_hex(b, (unsigned char)c, how, true);
	else
		put(b, &c, 1);
}

/* How many bytes at the beginning of the text stay as they are, however it is escaped. */
static size_t plain_len(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

void escape_put(struct buf *b, const char *text, size_t len, enum escape how)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0;

	while (i < len) {
		size_t plain = plain_len(p + i, len - i);
		size_t n;

		put(b, text + i, plain);
		i += plain;
		if (i == len)
			break;
		n = utf8_len(p + i, len - i);
		if (n == 1) {
			put_ascii(b, text[i], how);
		} else if (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0) {
			/* C1: to JSON a character, to a terminal as good as ESC [. */
			if (how != ESCAPE_JSON)
				put_hex(b, p[i], how, true);
			put_hex(b, p[i + 1], how, true);
		} else if (n > 1) {
			put(b, text + i, n);
		} else {
			put_hex(b, p[i], how, false);
			n = 1;
		}
		i += n;
	}
}

char *escape_copy(const char *text, size_t len, enum escape how)
{
	struct buf b;
	char *copy;

	buf_init(&b, len * ESCAPE_MAX);
	escape_put(&b, text, len, how);
	copy = xstrdup(buf_text(&b));
	buf_free(&b);
	return copy;
}
