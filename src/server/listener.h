/* listener.h — the bound socket that calls come in by. */
#ifndef POSTBACKD_LISTENER_H
#define POSTBACKD_LISTENER_H

#include "base/error.h"

#include <stddef.h>

/* Binds and listens on "ADDRESS:PORT" ("127.0.0.1:8080", "[::1]:8080", "localhost:0"); "[::]" takes
 * IPv4 too.  The socket, which the caller closes; -1 with *error that says what would be right. */
int listener_open(const char *listen, struct error *error);
/* Where it listens: "127.0.0.1:8080"; gives the port. */
int listener_address(int fd, char *out, size_t size);

#endif
