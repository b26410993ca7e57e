/* scan_text: the escapes inside a JSON string. */
#ifndef SCAN_TEXT_H
#define SCAN_TEXT_H

/* Reads one character of a string's inside, moving *at behind it; *at is before `end`. Returns
 * how many bytes of out it is, 1 to 4, or -1 for an escape that JSON does not have. */
int scan_unescape_next(const char **at, const char *end, char out[4]);

#endif
