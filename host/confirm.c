/* confirm: see confirm.h. */
#include "confirm.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Anything but a yes is a no; so is the end of the input. */
static bool read_yes(void)
{
	char line[16] = "";
	int c;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (!strchr(line, '\n')) {
		while ((c = getchar()) != EOF && c != '\n')
			;
		return false;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

enum confirm confirm(const char *question)
{
	if (!isatty(STDIN_FILENO))
		return CONFIRM_NOBODY;
	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	return read_yes() ? CONFIRM_YES : CONFIRM_NO;
}
