/* scan_text: the escapes inside a JSON string. */
#include "scan_text.h"

#include <stdint.h>
#include <string.h>

#include "hex.h"
#include "scan.h"

/* The four digits of a \u; -1 if they are not there. */
static int32_t read_hex4(const char *p, const char *end)
{
	int32_t code = 0;
	int i;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static int put_utf8(uint32_t code, char out[4])
{
	unsigned char *o = (unsigned char *)out;

	if (code < 0x80) {
		o[0] = (unsigned char)code;
		return 1;
	}
	if (code < 0x800) {
		o[0] = (unsigned char)(0xc0 | code >> 6);
		o[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		o[0] = (unsigned char)(0xe0 | code >> 12);
		o[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		o[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	o[0] = (unsigned char)(0xf0 | code >> 18);
	o[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	o[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	o[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

/* *at is behind the u. Half a surrogate pair becomes U+FFFD, as in Go's decoder. */
static int unescape_unicode(const char **at, const char *end, char out[4])
{
	int32_t code = read_hex4(*at, end);
	int32_t low;

	if (code < 0)
		return -1;
	*at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return put_utf8((uint32_t)code, out);
	if (code <= 0xdbff && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
		low = read_hex4(*at + 2, end);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*at += 6;
			return put_utf8(
				(uint32_t)(0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00)),
				out);
		}
	}
	return put_utf8(0xfffd, out);
}

/* One character of a string: 1 to 4 bytes, or -1 for an escape that JSON does not have. */
int scan_unescape_next(const char **at, const char *end, char out[4])
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (**at != '\\') {
		out[0] = *(*at)++;
		return 1;
	}
	if (end - *at < 2)
		return -1;
	*at += 2;
	if ((*at)[-1] == 'u')
		return unescape_unicode(at, end, out);
	found = memchr(from, (*at)[-1], sizeof(from) - 1);
	if (!found)
		return -1;
	out[0] = to[found - from];
	return 1;
}

long scan_unescape(const char *p, size_t n, char *out)
{
	const char *end = p + n;
	char *o = out;

	while (p < end) {
		char bytes[4];
		int len = scan_unescape_next(&p, end, bytes);

		if (len < 0)
			return -1;
		memcpy(o, bytes, (size_t)len);
		o += len;
	}
	return (long)(o - out);
}
