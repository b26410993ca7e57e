/* config_listen: where a server of ours listens, as a person writes it: ADDRESS:PORT, or off. */
#ifndef CONFIG_LISTEN_H
#define CONFIG_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "mem.h"

union config_socket {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct config_listen {
	bool off;
	union config_socket address;
	socklen_t len;
};

/* Takes 127.0.0.1:4747, [::1]:4747, localhost:4747 (127.0.0.1), :4747 (every address), and off. Port 0 is one
 * that the system chooses. false: it is none of these. */
bool config_listen_parse(const char *text, struct config_listen *out) WARN_UNUSED;
/* "127.0.0.1:4747", "[::1]:4747"; the caller frees it. */
char *config_listen_text(const union config_socket *address);

#endif
