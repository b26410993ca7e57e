/* parse: see parse.h. */
#define _GNU_SOURCE
#include "parse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What stands before each value, in the order of the template's placeholders. */
static const char *const names[] = {
	"job", "namespace", "cron", "SOURCE_JOB_ID", "SOURCE_NS", "TARGET_DB"};

enum { COUNT = sizeof(names) / sizeof(names[0]) };

/* Is `at` the first word of a line? The text is a JSON string: its newlines are \n. */
static bool begins_line(const char *start, const char *at)
{
	while (at > start && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at - start >= 2 && at[-1] == 'n' && at[-2] == '\\';
}

static struct span value_after(struct span text, const char *name)
{
	const char *end = text.at + text.len, *at = text.at, *first, *last;

	while ((at = memmem(at, (size_t)(end - at), name, strlen(name))) != NULL) {
		if (begins_line(text.at, at) &&
			(first = memmem(at, (size_t)(end - at), "\\\"", 2))) {
			last = memmem(first + 2, (size_t)(end - first - 2), "\\\"", 2);
			if (last)
				return (struct span){first + 2, (size_t)(last - first - 2)};
		}
		at += strlen(name);
	}
	return (struct span){NULL, 0};
}

void parse_answer(struct span parsed, struct span body, struct bytes *out)
{
	struct span text = json_string(json_member(body, "JobHCL")), values[COUNT];
	const char *end = parsed.at + parsed.len, *at;
	size_t i;

	for (i = 0; i < COUNT; i++)
		values[i] = text.at ? value_after(text, names[i]) : text;
	while ((at = memmem(parsed.at, parsed.len, "\"nop000", 7)) != NULL) {
		size_t which = (size_t)(at[7] - '1');

		at++;
		bytes_add(out, parsed.at, (size_t)(at - parsed.at));
		if (which < COUNT && values[which].at)
			bytes_add(out, values[which].at, values[which].len);
		else
			bytes_add(out, at, 8);
		parsed.at = at + 8;
		parsed.len = (size_t)(end - parsed.at);
	}
	bytes_add(out, parsed.at, parsed.len);
}
