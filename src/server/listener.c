/* listener.c — parsing, binding and naming of the listening socket.
 *
 * A port in use is told from an address that is none of this machine's.
 */
#include "server/listener.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 256, BACKLOG = 1024 };

/* Splits at the last colon; brackets of IPv6 are taken off. */
static bool split(const char *listen, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || colon == listen)
        return false;
    size_t len = (size_t)(colon - listen);
    const char *start = listen;
    if (listen[0] == '[') {
        if (len < 3 || listen[len - 1] != ']')
            return false;
        start++;
        len -= 2;
    } else if (memchr(listen, ':', len) != NULL) {
        return false; /* IPv6 without brackets: which colon is the port's? */
    }
    if (len >= HOST_MAX)
        return false;
    memcpy(host, start, len);
    host[len] = '\0';
    *port = colon + 1;
    int64_t number;
    return text_int(*port, 0, 65535, &number);
}

static void bind_error(struct error *error, const char *host, const char *port)
{
    switch (errno) {
    case EADDRINUSE:
        error_set(error, ERROR_CONFLICT, "port %s on %s is in use", port, host);
        break;
    case EACCES:
        error_set(error, ERROR_FORBIDDEN, "port %s on %s may not be used by this user", port, host);
        break;
    case EADDRNOTAVAIL:
        error_set(error, ERROR_INVALID, "%s is not an address of this machine", host);
        break;
    default:
        error_set(error, ERROR_BROKEN, "cannot listen on port %s of %s: %s", port, host,
                  strerror(errno));
    }
}

int listener_open(const char *listen_on, struct error *error)
{
    char host[HOST_MAX];
    const char *port;
    if (!split(listen_on, host, &port)) {
        error_set(error, ERROR_INVALID,
                  "'%s' is not an address to listen on; write ADDRESS:PORT, such as "
                  "127.0.0.1:8080 or [::1]:8080",
                  listen_on);
        return -1;
    }
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found;
    int failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0) {
        error_set(error, ERROR_INVALID, "cannot listen on '%s': %s", host, gai_strerror(failure));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        goto err0;
    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* what it accepts inherits it */
    if (found->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, found->ai_addr, found->ai_addrlen) == -1 || listen(fd, BACKLOG) == -1)
        goto err1;
    freeaddrinfo(found);
    return fd;
err1:
    bind_error(error, host, port);
    close(fd);
    freeaddrinfo(found);
    return -1;
err0:
    bind_error(error, host, port);
    freeaddrinfo(found);
    return -1;
}

int listener_address(int fd, char *out, size_t size)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    char host[INET6_ADDRSTRLEN] = "?";
    int port = 0;
    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&at;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
        port = ntohs(six->sin6_port);
        snprintf(out, size, "[%s]:%d", host, port);
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&at;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
        port = ntohs(four->sin_port);
        snprintf(out, size, "%s:%d", host, port);
    }
    return port;
}
