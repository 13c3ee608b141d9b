/* descriptors.h — the process's file descriptors: how many there are, and for whom.
 *
 * Each connection is one: of clients (SERVER_CONNECTIONS at most) and to receivers
 * (CLIENT_CONNECTIONS at most); a reserve is the store's, the log's and the loop's.
 */
#ifndef POSTBACKD_CLI_DESCRIPTORS_H
#define POSTBACKD_CLI_DESCRIPTORS_H

#include <stddef.h>

/* Takes as many as the system allows without asking, and gives how many connections to receivers
 * there may be then.  Fewer than there could be is a warning in the log. */
int descriptors_raise(void);

/* … of so many descriptors: what clients and reserve leave, but half of it all at least. */
int descriptors_for_receivers(size_t limit);

#endif
