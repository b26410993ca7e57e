/* config_listen: see config_listen.h. No name is looked up: that could take as long as it likes. */
#include "config_listen.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "config_value.h"

enum { PORT_MAX = 65535 };

static bool set_v4(struct config_listen *out, const char *host, in_port_t port)
{
	out->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	out->len = sizeof(out->address.v4);
	return inet_pton(AF_INET, host, &out->address.v4.sin_addr) == 1;
}

static bool set_v6(struct config_listen *out, const char *host, in_port_t port)
{
	out->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	out->len = sizeof(out->address.v6);
	return inet_pton(AF_INET6, host, &out->address.v6.sin6_addr) == 1;
}

/* host is all before the last colon. */
static bool set_host(struct config_listen *out, const char *host, size_t len, in_port_t port)
{
	char text[INET6_ADDRSTRLEN + 2];
	bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';

	if (len == 0)
		return set_v6(out, "::", port);
	if (len >= sizeof(text))
		return false;
	memcpy(text, host + brackets, len - 2 * (size_t)brackets);
	text[len - 2 * (size_t)brackets] = '\0';
	if (brackets)
		return set_v6(out, text, port);
	return set_v4(out, strcmp(text, "localhost") == 0 ? "127.0.0.1" : text, port);
}

bool config_listen_parse(const char *text, struct config_listen *out)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	memset(out, 0, sizeof(*out));
	out->off = strcmp(text, "off") == 0;
	if (out->off)
		return true;
	return colon && config_value_number(colon + 1, PORT_MAX, &port) &&
	       set_host(out, text, (size_t)(colon - text), (in_port_t)port);
}

char *config_listen_text(const union config_socket *address)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		return xasprintf("%s:%u", host, (unsigned)ntohs(address->v4.sin_port));
	}
	(void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
	return xasprintf("[%s]:%u", host, (unsigned)ntohs(address->v6.sin6_port));
}
