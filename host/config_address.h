/* config_address: what a person may write as Nomad's address, completed and taken apart. */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include <stdbool.h>

#include "mem.h"

struct config_address {
	char *url;	   /* scheme://host[:port] */
	char *unix_socket; /* path of unix:///path, else NULL; url is then http://127.0.0.1 */
	char *http_auth;   /* user:password, percent-decoded, else NULL */
};

/* Takes host, host:port, [::1]:4646, http(s)://…, unix:///path, each with user:password@ in front
 * of the host; a path behind the host is dropped, as Nomad's own client does. Without a scheme,
 * http and port 4646 are meant; a URL with a scheme and no port keeps the scheme's own port. The
 * caller frees the strings of *out. On failure *error, which the caller frees, is a sentence that
 * holds no password. */
bool config_address_parse(const char *text, struct config_address *out, char **error) WARN_UNUSED;

#endif
