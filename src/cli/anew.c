/* anew.c — exec of this program; the socket's number goes along in the environment. */
#include "cli/anew.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char variable[] = "POSTBACKD_KEPT_LISTENER";

void anew_begin(char **argv, int listener)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", listener);
    log_warn("begins_anew");
    log_stop();
    if (fcntl(listener, F_SETFD, 0) == -1 || setenv(variable, number, 1) == -1)
        die("the listening socket cannot be kept: %s", strerror(errno));
    execv("/proc/self/exe", argv);
    die("the program cannot begin anew: %s", strerror(errno));
}

/* Whoever starts this program may have set the variable to anything. */
static bool listens(int file)
{
    int on = 0;
    socklen_t len = sizeof(on);
    return getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on != 0;
}

int anew_listener(void)
{
    const char *text = getenv(variable);
    int64_t number = 0;
    bool kept = text != NULL && text_int(text, 3, INT_MAX, &number) && listens((int)number);

    unsetenv(variable);
    if (kept)
        fcntl((int)number, F_SETFD, FD_CLOEXEC);
    return kept ? (int)number : 0;
}
