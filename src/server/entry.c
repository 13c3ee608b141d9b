/* entry.c — whether a call comes in, once it is known who calls: limits, whose it is, the query. */
#include "server/call.h"

#include "base/clock.h"
#include "server/inbound.h"

#include <stdio.h>
#include <string.h>

static bool is_the_operators(const struct route *route)
{
    return route->who == ACCOUNT_OPERATOR;
}

/* The pattern's second segment is {SID}: the resource belongs to that account. */
static bool belongs_to_a_sid(const struct route *route)
{
    const char *second = strchr(route->pattern + 1, '/');
    return second != NULL && strncmp(second, "/{SID}", 6) == 0;
}

static void limit_headers(struct call *call, const struct limit *limit)
{
    char text[3][24];
    snprintf(text[0], sizeof(text[0]), "%d", limit->most);
    snprintf(text[1], sizeof(text[1]), "%d", limit->left);
    snprintf(text[2], sizeof(text[2]), "%lld", (long long)limit->reset_s);
    static const char *const names[][3] = {
        { "X-RateLimit-Limit-hour", "X-RateLimit-Remaining-hour", "RateLimit-Reset" },
        { "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset" },
    };
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 3; j++)
            call_add_header(call, names[i][j], text[j]);
    }
}

/* Counts the call; false: refused. */
static bool within_limits(struct call *call)
{
    struct limits *limits = inbound_of(call)->server->limits;
    struct limit limit;
    if (!call->route->counted || limits == NULL || call->caller.user != 0 ||
        call->caller.only != CALLER_FREE) /* people, whose pages make the calls */
        return true;
    bool within = limits_count(limits, call->caller.account, clock_wall_ms(), &limit);
    if (limit.most > 0)
        limit_headers(call, &limit);
    if (within)
        return true;
    char wait[24];
    snprintf(wait, sizeof(wait), "%lld", (long long)limit.reset_s);
    call_add_header(call, "Retry-After", wait);
    call_refuse(call, 429, NULL,
                "The limit of %d requests an hour is reached; it starts anew in %s seconds.",
                limit.most, wait);
    return false;
}

/* False: answered. */
static bool query_fits(struct call *call)
{
    static const char *const none[] = { NULL };
    struct problems problems = { 0 };
    if (!call->route->reads_query)
        call_query_only(call, none, &problems);
    bool fits = problems.count == 0;
    if (!fits)
        call_refuse(call, 400, &problems, "The query has wrong parameters");
    problems_free(&problems);
    return fits;
}

static void refuse_scope(struct call *call)
{
    const struct caller *caller = &call->caller;
    if (caller->user != 0)
        call_refuse(call, 403, NULL, "Your role does not allow this%s.",
                    call->route->scopes == SCOPE_ADMIN ? ": it is for those who are ADMIN" : "");
    else if (call->route->scopes == SCOPE_ADMIN && caller->kind != ACCOUNT_OPERATOR)
        call_refuse(call, 403, NULL, "This is not for tokens: sign in as a user who is ADMIN.");
    else
        call_refuse(call, 403, NULL, "This call is not within the scope %s of the token.",
                    scope_name((enum scope)caller->scope));
}

void call_enter(struct call *call)
{
    const struct route *route = call->route;
    const struct caller *caller = &call->caller;
    if (route->who != 0 && !within_limits(call))
        return;
    if (route->who == 0) {
        if (query_fits(call))
            inbound_entered(inbound_of(call));
    } else if (belongs_to_a_sid(route) && !is_the_operators(route) &&
               strcmp(call->params[0], caller->sid) != 0) {
        call_refuse(call, 404, NULL, "There is nothing at this address.");
    } else if ((route->who & caller->kind) == 0) {
        call_refuse(call, 403, NULL, "This is not for %s.",
                    caller->kind == ACCOUNT_PARTNER ? "partners"
                    : caller->kind == ACCOUNT_BRAND ? "brands"
                                                    : "the operator");
    } else if ((route->scopes & caller->scope) == 0) {
        refuse_scope(call);
    } else if (query_fits(call)) {
        inbound_entered(inbound_of(call));
    }
}
