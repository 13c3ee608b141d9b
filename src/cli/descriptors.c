/* descriptors.c — the process's file descriptors, shared out.
 *
 * Where they are too few for everybody, receivers have their half however many clients there could
 * be: so many seldom come, and what finds no descriptor waits for one, on either side.
 */
#include "cli/descriptors.h"

#include "base/log.h"
#include "courier/client.h"
#include "server/server.h"

#include <sys/resource.h>

enum {
    RESERVE = 64, /* an idle server has 21; mail, name servers, a dial to several addresses */
    LEAST = 8,
    ENOUGH = RESERVE + SERVER_CONNECTIONS + CLIENT_CONNECTIONS,
};

int descriptors_for_receivers(size_t limit)
{
    if (limit >= ENOUGH)
        return CLIENT_CONNECTIONS;
    size_t shared = limit > RESERVE ? limit - RESERVE : 0;
    size_t left = shared > SERVER_CONNECTIONS ? shared - SERVER_CONNECTIONS : 0;
    size_t most = left > shared / 2 ? left : shared / 2;
    return most > LEAST ? (int)most : LEAST;
}

int descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return CLIENT_CONNECTIONS;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    int most = descriptors_for_receivers(limit.rlim_cur);
    if (limit.rlim_cur < ENOUGH)
        log_warn("few file descriptors", LOG_N("limit", (int64_t)limit.rlim_cur),
                 LOG_N("enough", ENOUGH), LOG_N("connections_to_receivers", most),
                 LOG_T("do", "raise LimitNOFILE= of the unit, or the hard limit (ulimit -Hn)"));
    return most;
}
