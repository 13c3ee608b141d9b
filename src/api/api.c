/* api.c — the API's one door: the resources' routes joined, and who comes in. */
#include "api/api.h"

#include "api/identities.h"
#include "api/sessions.h"
#include "base/fail.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route *api_routes(size_t *count)
{
    const struct {
        const struct route *routes;
        size_t count;
    } resources[] = {
        { inquiry_routes, inquiry_route_count },
        { import_routes, import_route_count },
        { action_routes, action_route_count },
        { notification_routes, notification_route_count },
        { postback_routes, postback_route_count },
        { replay_routes, replay_route_count },
        { event_routes, event_route_count },
        { track_routes, track_route_count },
        { catalog_routes, catalog_route_count },
        { operator_routes, operator_route_count },
        { account_routes, account_route_count },
        { status_routes, status_route_count },
        { changes_routes, changes_route_count },
        { series_routes, series_route_count },
        { operator_status_routes, operator_status_route_count },
        { maintenance_routes, maintenance_route_count },
        { support_routes, support_route_count },
        { page_routes, page_route_count },
        { session_routes, session_route_count },
    };
    enum { RESOURCES = sizeof(resources) / sizeof(resources[0]) };
    size_t total = 0;
    for (size_t i = 0; i < RESOURCES; i++)
        total += resources[i].count;
    struct route *all = must_alloc(total * sizeof(*all)), *at = all;
    for (size_t i = 0; i < RESOURCES; i++) {
        memcpy(at, resources[i].routes, resources[i].count * sizeof(*at));
        at += resources[i].count;
    }
    *count = total;
    return all;
}

void api_base(const struct call *call, char out[API_BASE_TEXT])
{
    int first = (int)strcspn(call->route->pattern + 1, "/") + 1;
    snprintf(out, API_BASE_TEXT, "%.*s/%s", first, call->route->pattern, call->caller.sid);
}

void api_hear(void *context, const struct change *change)
{
    struct api *api = context;
    if (change->kind == CHANGE_ACCESS)
        identities_forget_all(api->identities);
}

void api_challenge(struct call *call)
{
    if (call_header(call, "Sec-Fetch-Mode") == NULL)
        call_add_header(call, "WWW-Authenticate", "Basic realm=\"postbackd\", charset=\"UTF-8\"");
}

static void enter_session(struct api *api, struct call *call, const char *token)
{
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (!reads && !session_from_our_page(api, call))
        call_refuse(call, 403, NULL,
                    "A change in a session is made on a page of this server itself.");
    else if (session_may_change(call, token))
        identities_resume(api, call, token);
    else
        call_refuse(call, 403, NULL,
                    "A change in a session needs its CsrfToken in the header X-CSRF-Token.");
}

void api_enter(struct call *call, void *context)
{
    char *sid, *token, session[TOKEN_TEXT];
    if (call_header(call, "Authorization") == NULL && session_cookie(call, session)) {
        enter_session(context, call, session);
        sodium_memzero(session, sizeof(session));
        return;
    }
    if (!call_basic(call, &sid, &token)) {
        api_challenge(call);
        call_refuse(call, 401, NULL,
                    "Sign in with HTTP Basic: the account's SID and one of its tokens.");
        return;
    }
    identities_sign_in(context, call, sid, token);
    sodium_memzero(token, strlen(token));
    free(sid);
    free(token);
}
