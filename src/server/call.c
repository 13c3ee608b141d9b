/* call.c — what a handler reads of its call, and the checks between knowing who calls and handling.
 *
 * Query parameters were decoded when the headers came (target.c); there are few, so they are
 * looked up one by one.
 */
#include "server/call.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "server/cookie.h"
#include "server/inbound.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- reading ---- */

static const struct query_pair *query_find(const struct call *call, const char *name)
{
    const struct inbound *in = inbound_of(call);
    for (size_t i = 0; i < in->query_count; i++) {
        if (strcmp(in->query[i].name, name) == 0)
            return &in->query[i];
    }
    return NULL;
}

const char *call_query(const struct call *call, const char *name)
{
    const struct query_pair *pair = query_find(call, name);
    return pair != NULL ? pair->value : "";
}

bool call_has_query(const struct call *call, const char *name)
{
    return query_find(call, name) != NULL;
}

void call_query_only(const struct call *call, const char *const *names, struct problems *problems)
{
    const struct inbound *in = inbound_of(call);
    for (size_t i = 0; i < in->query_count; i++) {
        const char *const *name = names;
        if (strcmp(in->query[i].name, "IrVersion") == 0) /* impact.com's clients send it always */
            continue;
        while (*name != NULL && strcmp(*name, in->query[i].name) != 0)
            name++;
        if (*name == NULL)
            problems_add(problems, in->query[i].name, "is not a parameter of this call");
    }
}

const char *call_header(const struct call *call, const char *name)
{
    return head_find(&inbound_of(call)->head, name);
}

bool call_basic(const struct call *call, char **user, char **password)
{
    const struct inbound *in = inbound_of(call);
    const char *value = in->head.authorization;
    if (value == NULL || in->head.authorizations != 1 || strncasecmp(value, "Basic ", 6) != 0)
        return false;
    value += 6 + strspn(value + 6, " ");
    struct buf plain = { .limit = 1024 };
    bool good = text_unbase64(&plain, value, strlen(value), false) && !plain.failed &&
                plain.len > 0 && memchr(plain.data, '\0', plain.len) == NULL;
    char *colon = good ? strchr(plain.data, ':') : NULL;
    if (colon != NULL) {
        *user = must_copy_bytes(plain.data, (size_t)(colon - plain.data));
        *password = must_copy(colon + 1);
    }
    if (plain.data != NULL)
        sodium_memzero(plain.data, plain.len);
    buf_free(&plain);
    return colon != NULL;
}

bool call_cookie(const struct call *call, const char *name, char *out, size_t size)
{
    const struct inbound *in = inbound_of(call);
    return in->head.cookies == 1 && cookie_read(in->head.cookie, name, out, size);
}

/* ---- entering ---- */

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
    if (!call->route->counted || limits == NULL || call->caller.user != 0)
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
        call_refuse(call, 403, NULL, "This call is not within the scope %s of the token.",
                    scope_name(caller->scope));
    } else if (query_fits(call)) {
        inbound_entered(inbound_of(call));
    }
}
