/* admin_listen: the socket that the admin server listens on. */
#ifndef ADMIN_LISTEN_H
#define ADMIN_LISTEN_H

#include "config_listen.h"

/* The socket, and in *address, which the caller frees, where it listens; -1 and a sentence that the caller frees. */
int admin_listen(const struct config_listen *where, char **address, char **error) WARN_UNUSED;

#endif
