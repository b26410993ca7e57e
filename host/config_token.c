/* config_token: the token out of its file, which is read again whenever it may have changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_value.h"

enum { TOKEN_MAX = 64 * 1024 }; /* bytes of the file */

/* Fills text, of TOKEN_MAX + 2 bytes; 0, or the errno that says why not. */
static int read_file(const char *path, char *text)
{
	FILE *file = fopen(path, "r");
	size_t len;
	int why = 0;

	if (!file)
		return errno;
	errno = 0;
	len = fread(text, 1, TOKEN_MAX + 1, file);
	if (ferror(file))
		why = errno;
	else if (len > TOKEN_MAX)
		why = EFBIG;
	else if (memchr(text, '\0', len))
		why = EILSEQ;
	fclose(file);
	text[len] = '\0';
	return why;
}

/* The token in text, white space around it cut off in place. */
static char *trim(char *text)
{
	static const char space[] = " \t\r\n";
	char *start = text + strspn(text, space);
	size_t len = strlen(start);

	while (len > 0 && strchr(space, start[len - 1]))
		len--;
	start[len] = '\0';
	return start;
}

bool config_read_token(struct config *c, char **error)
{
	char *text, *token, *message = NULL;
	int why;

	*error = NULL;
	if (!c->token_file)
		return true;
	text = xmalloc(TOKEN_MAX + 2);
	text[0] = '\0';
	why = read_file(c->token_file, text);
	token = trim(text);
	if (why != 0) {
		message = xasprintf(
			"the token file %s cannot be read: %s", c->token_file, strerror(why));
	} else if (!*token) {
		message = xasprintf("the token file %s is empty", c->token_file);
	} else if (!config_value_is_word(token)) {
		message = xasprintf(
			"the token file %s holds more than one word of printable characters",
			c->token_file);
	} else {
		free(c->token);
		c->token = xstrdup(token);
	}
	if (message)
		*error = log_escape(message, strlen(message));
	free(message);
	free(text);
	return !*error;
}
