/* admin_listen: see admin_listen.h. */
#include "admin_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static bool is_any_v6(const struct config_listen *where)
{
	return where->address.any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&where->address.v6.sin6_addr);
}

/* The same port on every IPv4 address. */
static struct config_listen any_v4(const struct config_listen *where)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = where->address.v6.sin6_port};

	return (struct config_listen){.address = {.v4 = v4}, .len = sizeof(v4)};
}

static bool prepare(int fd, bool any)
{
	int on = 1, off = 0;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return false;
	/* A restart must not wait for old connections to be forgotten. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	return !any || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0;
}

/* -1 with errno. */
static int open_socket(const struct config_listen *where)
{
	int fd = socket(where->address.any.sa_family, SOCK_STREAM, 0);
	int error;

	if (fd < 0)
		return -1;
	if (prepare(fd, is_any_v6(where)) && bind(fd, &where->address.any, where->len) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static char *explain(const struct config_listen *where, int error)
{
	char *address = config_listen_text(&where->address);
	const char *why = error == EADDRINUSE ? "another program does, perhaps another operator"
					      : strerror(error);
	char *text = xasprintf("cannot listen on %s: %s; -http-addr=127.0.0.1:PORT takes another "
			       "place, -http-addr=off none",
		address, why);

	free(address);
	return text;
}

int admin_listen(const struct config_listen *where, char **address, char **error)
{
	union config_socket got;
	socklen_t len = sizeof(got);
	int fd = open_socket(where);

	if (fd < 0 && is_any_v6(where) && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		/* A machine without IPv6. */
		struct config_listen v4 = any_v4(where);

		fd = open_socket(&v4);
	}
	if (fd < 0 || getsockname(fd, &got.any, &len) != 0) {
		*error = explain(where, errno);
		return -1;
	}
	*address = config_listen_text(&got);
	return fd;
}
