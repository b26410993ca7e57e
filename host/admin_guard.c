/* admin_guard: see admin_guard.h. A page of another origin cannot add a header of its own, nor send JSON, without
 * asking first, which is never answered; and the Host of a page whose name was turned to this address is a name. */
#include "admin_guard.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 64 };

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* An address, or localhost, with or without a port. */
static bool is_address(const char *host)
{
	char text[HOST_MAX];
	struct in6_addr address;
	size_t len = host[0] == '[' ? strcspn(++host, "]") : strcspn(host, ":");

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return strcasecmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_json(const char *type)
{
	return type && strncasecmp(type, "application/json", 16) == 0;
}

const char *admin_guard(struct MHD_Connection *connection)
{
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);

	if (header(connection, MHD_HTTP_HEADER_ORIGIN))
		return "A request of a web page (it has an Origin header) may change nothing.";
	if (host && !is_address(host))
		return "What changes something is asked for by address (127.0.0.1:4747), not by a "
		       "name: a web page could have turned that name to this address.";
	if (!header(connection, "X-Nomad-Operator") &&
		!is_json(header(connection, MHD_HTTP_HEADER_CONTENT_TYPE)))
		return "What changes something needs a header that no web page can send: "
		       "add -H 'X-Nomad-Operator: yes', or use nomad-operator reload, approve, "
		       "retry.";
	return NULL;
}
